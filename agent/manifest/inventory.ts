import { createHash } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { Failure } from '#api/failure.ts';
import { type KubeObject, type ObjectReference, objectId } from '#api/kubernetes.ts';
import { label } from '#api/names.ts';
import { type ImageMemory, parseImages } from './image-memory.ts';

export interface InventoryEntry extends ObjectReference {
  component: string;
  /** Plural of the kind: it tells `the kind is gone` from `discovery does not answer`. */
  resource?: string;
  /** Recorded when the object was applied. */
  uid?: string;
  /** While an object is being made: when the intention was written, RFC 3339, by the clock of the API server. */
  since?: string;
  /** Since when it is being deleted, RFC 3339: it was pruned, and something still holds it. */
  ending?: string;
  /** Digest of the object as it was applied, 16 hex digits; absent while it is being applied. */
  manifest?: string;
  /** Digest of the fields that the API server says are ours, 16 hex digits (cluster/managed-fields.ts). */
  fields?: string;
  /** It goes by itself once it is over (sync/expiring.ts). */
  expires?: true;
  /** It came while something that had left Git was still there: what a prune is measured against is what was there before. */
  joined?: true;
  /** Where it comes from in the repository. */
  file?: string;
  line?: number;
}

/** A prune that waits for a person. */
export interface HeldPrune {
  /** Commit at which the list was first held, or what stands for one (prune-budget.ts); `lateen approve APP COMMIT` names it. */
  commit: string;
  /** Identities of the objects (objectId), sorted. */
  objects: string[];
  /** Why, in words. */
  why: string;
  /** The component has left the spec. */
  left?: true;
}

/** What the components of one Application have applied. */
export interface Inventory {
  application: string;
  /** uid of the Application that wrote it. */
  uid: string;
  /** Components whose objects stay (prune: false). */
  keep: string[];
  entries: InventoryEntry[];
  /** By component. */
  held?: Record<string, HeldPrune>;
  /** By component. */
  images?: Record<string, ImageMemory>;
  /** Its Application went with the kind Application: nobody has asked for the objects to go. Until it is applied again. */
  stranded?: true;
}

export const FORMAT = 'lateen.dev/inventory-format';
const VERSION = '1';
const PLAIN_KEY = 'inventory.json';
const PACKED_KEY = 'inventory.json.gz';
export const PREFIX = 'lateen-';
/** Names of objects (RFC 1123 subdomain). */
const MAX_NAME = 253;
/** Values of labels. */
const MAX_LABEL = 63;
/** Over this the JSON is packed; etcd takes about 1.5 MB, a ConfigMap 1 MiB. */
const PLAIN_BYTES = 200 * 1024;
/**
 * Of a packed inventory once unpacked: three times what the largest that fits into a ConfigMap has. All inventories are read at the
 * start, so one that a person has made of nothing but `{},` must not end the agent.
 */
const UNPACKED_BYTES = 16 * 1024 * 1024;
/** Each entry has up to fifteen. */
const UNPACKED_VALUES = 1_000_000;
/** Components of one Application that have the same object: two, while it moves. */
const MAX_HOLDERS = 100;

/** `lateen-<application>`, shortened with a hash where it would be longer than a name may be. */
export function inventoryName(application: string): string {
  return shortened(`${PREFIX}${application}`, MAX_NAME);
}

/** No owner reference: the inventory outlives its Application, so that an agent that was away can still clean up. */
export function toConfigMap(inventory: Inventory, namespace: string): KubeObject {
  const { application } = inventory;
  const text = inventoryText(inventory);
  const content =
    Buffer.byteLength(text) <= PLAIN_BYTES
      ? { data: { [PLAIN_KEY]: text } }
      : { binaryData: { [PACKED_KEY]: gzipSync(text).toString('base64') } };
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: inventoryName(application),
      namespace,
      labels: { [label.application]: labelValue(application), [FORMAT]: VERSION },
    },
    ...content,
  };
}

/** Throws Failure Internal on what this version cannot read, so that nothing is pruned by guess. */
export function fromConfigMap(object: KubeObject): Inventory {
  const format = object.metadata.labels?.[FORMAT];
  const place = `ConfigMap/${object.metadata.name ?? ''}`;
  if (format !== VERSION) throw unreadable(place, `its format is ${format ?? 'not named'}, this version reads ${VERSION}`);
  return parseInventory(() => textOf(object), place);
}

/** An inventory as it is stored. */
export function inventoryText({ application, uid, keep, entries, held = {}, images = {}, stranded }: Inventory): string {
  const waiting = { ...(Object.keys(held).length > 0 ? { held } : {}), ...(Object.keys(images).length > 0 ? { images } : {}) };
  return JSON.stringify({ application, uid, keep, entries: entries.map(ordered), ...waiting, ...(stranded ? { stranded } : {}) });
}

/** Throws Failure Internal on what cannot be read; `place` is where it stands, for the message. */
export function parseInventory(text: () => string, place: string): Inventory {
  try {
    return parse(JSON.parse(text()));
  } catch (error) {
    throw unreadable(place, error instanceof Error ? error.message : 'it is damaged', error);
  }
}

/** Whether an object under the name of an inventory is that of the Application. Nobody else labels anything like that. */
export function isInventoryOf(application: string, { metadata: { labels = {} } }: KubeObject): boolean {
  return labels[FORMAT] !== undefined && labels[label.component] === undefined && labels[label.application] === labelValue(application);
}

/** Whether a ConfigMap of this name could be somebody's inventory: none may come from Git (spec/sync.md A20). */
export function isInventoryName(name: string): boolean {
  return name.startsWith(PREFIX);
}

/** Selects the inventories, shared ones too (shared-inventory.ts): nothing from Git is without the label of a component. */
export const INVENTORY_SELECTOR = `${FORMAT},!${label.component}`;

/** The value that the label lateen.dev/application has on the inventory: 63 characters at most. */
function labelValue(application: string): string {
  return shortened(application, MAX_LABEL);
}

function shortened(name: string, max: number): string {
  if (name.length <= max) return name;
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 10);
  return `${name.slice(0, max - hash.length - 1).replace(/[-.]+$/, '')}-${hash}`;
}

const TEXTS = ['resource', 'uid', 'since', 'manifest', 'fields', 'file', 'ending'] as const;

function ordered(entry: InventoryEntry): InventoryEntry {
  const { component, apiVersion, kind, namespace, name, line, expires, joined } = entry;
  const texts = TEXTS.flatMap((key) => (entry[key] ? [[key, entry[key]] as const] : []));
  return {
    component,
    apiVersion,
    kind,
    ...(namespace ? { namespace } : {}),
    name,
    ...Object.fromEntries(texts),
    ...(line === undefined ? {} : { line }),
    ...(expires ? { expires } : {}),
    ...(joined ? { joined } : {}),
  };
}

function textOf(object: KubeObject): string {
  const plain = field(object['data'], PLAIN_KEY);
  if (typeof plain === 'string') return plain;
  const packed = field(object['binaryData'], PACKED_KEY);
  if (typeof packed !== 'string') throw new Error(`it has neither ${PLAIN_KEY} nor ${PACKED_KEY}`);
  const unpacked = gunzipSync(Buffer.from(packed, 'base64'), { maxOutputLength: UNPACKED_BYTES });
  if (mostValues(unpacked) > UNPACKED_VALUES) throw new Error(`it has more than ${UNPACKED_VALUES} values`);
  return unpacked.toString('utf8');
}

const BEFORE_VALUES = new Set(Buffer.from('[{,'));

/** No JSON has more values, one apart, than what stands before each; texts may hold the same. */
function mostValues(json: Buffer): number {
  let values = 0;
  for (let at = 0; at < json.length; at++) if (BEFORE_VALUES.has(json[at]!)) values++;
  return values;
}

function parse(value: unknown): Inventory {
  const keep = field(value, 'keep');
  const entries = field(value, 'entries');
  const held = field(value, 'held');
  const images = field(value, 'images');
  if (!Array.isArray(keep) || !Array.isArray(entries)) throw new Error('it has no entries');
  const parsed = entries.map(parseEntry);
  refuseManyHolders(parsed);
  return {
    application: textField(value, 'application'),
    uid: textField(value, 'uid'),
    keep: keep.map((name) => asText(name, 'keep')),
    entries: parsed,
    ...(typeof held === 'object' && held !== null ? { held: parseHeld(held) } : {}),
    ...(images === undefined ? {} : { images: parseImages(images) }),
    ...(field(value, 'stranded') === true ? { stranded: true as const } : {}),
  };
}

function refuseManyHolders(entries: readonly InventoryEntry[]): void {
  const holders = new Map<string, number>();
  for (const entry of entries) {
    const id = objectId(entry);
    const count = (holders.get(id) ?? 0) + 1;
    if (count > MAX_HOLDERS) throw new Error(`it has the same object more than ${MAX_HOLDERS} times`);
    holders.set(id, count);
  }
}

function parseEntry(value: unknown): InventoryEntry {
  const line = field(value, 'line');
  const namespace = field(value, 'namespace');
  const texts = TEXTS.flatMap((key) => {
    const text = field(value, key);
    return text === undefined ? [] : [[key, asText(text, key)] as const];
  });
  return ordered({
    component: textField(value, 'component'),
    apiVersion: textField(value, 'apiVersion'),
    kind: textField(value, 'kind'),
    ...(namespace === undefined ? {} : { namespace: asText(namespace, 'namespace') }),
    name: textField(value, 'name'),
    ...Object.fromEntries(texts),
    ...(typeof line === 'number' ? { line } : {}),
    ...(field(value, 'expires') === true ? { expires: true as const } : {}),
    ...(field(value, 'joined') === true ? { joined: true as const } : {}),
  });
}

function parseHeld(value: object): Record<string, HeldPrune> {
  return Object.fromEntries(
    Object.entries(value).map(([component, held]) => {
      const objects = field(held, 'objects');
      if (!Array.isArray(objects)) throw new Error('held has no objects');
      const texts = { commit: textField(held, 'commit'), why: textField(held, 'why') };
      const left = field(held, 'left') === true ? { left: true as const } : {};
      return [component, { ...texts, objects: objects.map((one) => asText(one, 'objects')), ...left }];
    }),
  );
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function textField(value: unknown, name: string): string {
  return asText(field(value, name), name);
}

function asText(value: unknown, name: string): string {
  if (typeof value !== 'string') throw new Error(`${name} is not a text`);
  return value;
}

/** Of an inventory that nobody can make sense of: its objects are neither written nor deleted. */
export function unreadable(place: string, why: string, cause?: unknown): Failure {
  return new Failure('Internal', `the inventory ${place} cannot be read: ${why}`, {
    kind: 'stalled',
    remedy: 'restore it, or delete it to leave its objects in the cluster unmanaged; then restart the agent',
    cause,
  });
}
