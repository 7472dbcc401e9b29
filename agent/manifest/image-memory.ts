/** What is remembered of the images of one component: what was set at each marker, and which tags people took back. */
export interface ImageMemory {
  /** By place: repository, file, marker. */
  markers: Record<string, RememberedMarker>;
  /** By writer: a commit that was about to be pushed; it is not known yet whether it was. */
  intents?: Record<string, ImageIntent>;
  /** The last commit that set images of this component. */
  commit?: string;
  /** The last request to resume that was carried out. */
  resumed?: string;
}

export interface RememberedMarker {
  value: string;
  tag: string;
  held?: true;
}

/** Written before the push, so that an agent which dies there leaves word of it. */
export interface ImageIntent {
  commit: string;
  /** The commit that it was made upon. */
  base: string;
  /** What each marker is to be remembered by once that commit is on the branch. */
  markers: Record<string, RememberedMarker>;
}

/** The memory with another intent of this writer, or none. */
export function withIntent({ intents, ...memory }: ImageMemory, writer: string, intent: ImageIntent | undefined): ImageMemory {
  const { [writer]: _, ...others } = intents ?? {};
  const next = intent ? { ...others, [writer]: intent } : others;
  return Object.keys(next).length > 0 ? { ...memory, intents: next } : memory;
}

/** Of the inventory's JSON, by component. What this version cannot read of it is left out: it only makes the robot ask anew. */
export function parseImages(value: unknown): Record<string, ImageMemory> {
  return Object.fromEntries(Object.entries(mapOf(value)).map(([component, memory]) => [component, parseMemory(mapOf(memory))]));
}

function parseMemory(memory: Record<string, unknown>): ImageMemory {
  const intents = Object.entries(mapOf(memory['intents'])).flatMap(([place, intent]) => {
    const { commit, base, markers } = mapOf(intent);
    return typeof commit === 'string' && typeof base === 'string'
      ? [[place, { commit, base, markers: parseMarkers(markers) }] as const]
      : [];
  });
  const { commit, resumed } = memory;
  return {
    markers: parseMarkers(memory['markers']),
    ...(intents.length > 0 ? { intents: Object.fromEntries(intents) } : {}),
    ...(typeof commit === 'string' ? { commit } : {}),
    ...(typeof resumed === 'string' ? { resumed } : {}),
  };
}

function parseMarkers(value: unknown): Record<string, RememberedMarker> {
  const markers = Object.entries(mapOf(value)).flatMap(([place, marker]) => {
    const { value: text, tag, held } = mapOf(marker);
    if (typeof text !== 'string' || typeof tag !== 'string') return [];
    return [[place, { value: text, tag, ...(held === true ? { held: true as const } : {}) }] as const];
  });
  return Object.fromEntries(markers);
}

function mapOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}
