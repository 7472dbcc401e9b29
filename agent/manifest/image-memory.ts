/** What is remembered of the images of one component: what was set at each marker, and which tags people took back. */
export interface ImageMemory {
  /** By place: repository, file, marker. */
  markers: Record<string, { value: string; tag: string; held?: true }>;
  /** The last commit that set images of this component. */
  commit?: string;
  /** The last request to resume that was carried out. */
  resumed?: string;
}

/** Of the inventory's JSON, by component. What this version cannot read of it is left out: it only makes the robot ask anew. */
export function parseImages(value: unknown): Record<string, ImageMemory> {
  return Object.fromEntries(Object.entries(mapOf(value)).map(([component, memory]) => [component, parseMemory(mapOf(memory))]));
}

function parseMemory(memory: Record<string, unknown>): ImageMemory {
  const markers = Object.entries(mapOf(memory['markers'])).flatMap(([place, marker]) => {
    const { value, tag, held } = mapOf(marker);
    if (typeof value !== 'string' || typeof tag !== 'string') return [];
    return [[place, { value, tag, ...(held === true ? { held: true as const } : {}) }] as const];
  });
  const { commit, resumed } = memory;
  return {
    markers: Object.fromEntries(markers),
    ...(typeof commit === 'string' ? { commit } : {}),
    ...(typeof resumed === 'string' ? { resumed } : {}),
  };
}

function mapOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}
