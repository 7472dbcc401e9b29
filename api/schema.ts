import * as v from 'valibot';
import type { AllowLists } from './allow-lists.ts';
import type { Reason } from './reasons.ts';
import type { Path } from './wording.ts';

/**
 * A declaration is a valibot schema whose parts carry facts: what the part means, whether this version carries it out, and
 * the rule that judges its value. Types come from the schema, checks and defaults from api/schema-check.ts and api/defaults.ts,
 * and the reference page from dev/generate-docs.ts.
 */

/** What a rule found. The checker puts the path in front of `text`. */
export interface Finding {
  code: Reason;
  /** The sentence after the path: `must not be absolute`. */
  text: string;
  value?: string | undefined;
  remedy?: string | undefined;
  /** Where it is not the value itself that is wrong. */
  path?: Path;
}

/** What rules know beyond the value: the Application as it came in, and the settings of whoever asks. */
export interface CheckContext {
  namespace: string | undefined;
  minIntervalMs: number | undefined;
  /** What the Namespace allows; undefined where nothing is known of it. */
  allowed: AllowLists | undefined;
  /** Names of all components, by position; undefined where one has none. */
  componentNames: readonly (string | undefined)[];
  /** dependsOn of all components, by position. */
  componentNeeds: readonly (readonly string[])[];
  /** The same for the steps of the workflow, unnamed ones under their default name. */
  stepNames: readonly (string | undefined)[];
  stepNeeds: readonly (readonly string[])[];
  /** What a misspelt word was most likely meant to be. */
  guess: (word: string, candidates: readonly string[]) => string | undefined;
  /** Whether there is time left to judge a pattern or a template of this size: all of them together have a bound. */
  afford: (size: number) => boolean;
}

/** Where a rule stands. */
export interface Site {
  readonly path: Path;
  /** Position of the nearest list item around it, or itself. */
  readonly index: number | undefined;
  /** The map that holds the value. */
  readonly parent: Readonly<Record<string, unknown>>;
  readonly context: CheckContext;
}

export type Rule<T> = (value: T, site: Site) => Finding[];

export interface Facts<T = never> {
  /** One line for the reference page. */
  about: string;
  /** The version that carries it out first, or NOT_YET: any value but the default is then Unsupported. */
  since: string;
  /** The values that work, where only some of them do. */
  works?: readonly string[];
  /** Ours, not KubeVela's: its default is known to the agent and never written into an Application. */
  ours?: boolean;
  /** The value may be a secret, or is often mistaken for one: never shown. */
  secret?: boolean;
  /** Type in the words of the reference page, where the schema's own does not say enough. */
  shape?: string;
  rule?: Rule<T>;
  /** Of a map: what its keys are, as in `is not a property of kustomize`. */
  keys?: string;
  /** Of a map: keys of which at most one may be there. */
  oneOf?: readonly string[];
}

/** The version of what has no other `since`: most properties came with it. */
const FIRST = '0.1';

/** `since` of what is declared and checked, but not carried out by this version. */
export const NOT_YET = 'not yet';

/** Facts as the last item of a valibot pipe. */
export function about<T>(text: string, facts: Partial<Omit<Facts<T>, 'about'>> = {}): v.MetadataAction<T, { facts: Facts<T> }> {
  return v.metadata({ facts: { about: text, since: FIRST, ...facts } });
}

/** The parts of a valibot schema that the checker walks. */
export interface SchemaNode extends v.GenericSchema {
  type: string;
  wrapped?: SchemaNode;
  default?: unknown;
  entries?: Record<string, SchemaNode>;
  item?: SchemaNode;
  value?: SchemaNode;
  options?: readonly string[];
}

export interface Part {
  schema: SchemaNode;
  type: string;
  /** Of a map: its keys with their parts, in the order of the declaration. */
  fields: readonly (readonly [key: string, part: Part])[];
  /** Of a map: where each key stands in `fields`. */
  positions: ReadonlyMap<string, number>;
  /** Of a map: the positions of the keys that must be there, as bits. */
  needed: number;
  /** Of a list. */
  item: Part | undefined;
  facts: Facts | undefined;
  rule: Rule<never> | undefined;
  /** Whether this version does not carry it out, or not all of it. */
  limited: boolean;
  required: boolean;
  default: unknown;
  /** Whether there is a default here or anywhere inside. */
  fills: boolean;
}

// Declarations are constants, and a review opens the same ones over and over.
const parts = new WeakMap<v.GenericSchema, Part>();

/** Opens one part of a declaration: the schema without its `optional`, and its facts. */
export function partOf(schema: v.GenericSchema): Part {
  const known = parts.get(schema);
  if (known) return known;
  const opened = openPart(schema);
  parts.set(schema, opened);
  return opened;
}

function openPart(schema: v.GenericSchema): Part {
  const node = schema as SchemaNode;
  const required = node.type !== 'exact_optional' && node.type !== 'optional';
  const inner = required ? node : (node.wrapped ?? node);
  const { facts } = v.getMetadata(inner) as { facts?: Facts };
  const fields = Object.entries(inner.entries ?? {}).map(([key, entry]) => [key, partOf(entry)] as const);
  const item = inner.item ? partOf(inner.item) : undefined;
  const fallback = required ? undefined : node.default;
  return {
    schema: inner,
    type: inner.type,
    fields,
    positions: positionsOf(fields),
    needed: fields.reduce((bits, [, part], position) => (part.required ? bits | (1 << position) : bits), 0),
    item,
    facts,
    rule: facts?.rule,
    limited: facts !== undefined && (facts.works !== undefined || facts.since === NOT_YET),
    required,
    default: fallback,
    fills: fallback !== undefined || item?.fills === true || fields.some(([, part]) => part.fills),
  };
}

// What is there is noted in the bits of one number.
const MAX_FIELDS = 31;

function positionsOf(fields: Part['fields']): Map<string, number> {
  // Such a key could not be read without asking first whether it is the user's.
  const odd = fields.find(([key]) => key in Object.prototype);
  if (odd || fields.length > MAX_FIELDS) throw new TypeError(`a declaration with ${odd ? `the key ${odd[0]}` : `over ${MAX_FIELDS} keys`}`);
  return new Map(fields.map(([key], position) => [key, position]));
}

// A pattern costs about 10 microseconds for each step of its program, and as much as 100 steps to begin with.
const EFFORT = 30_000;
const BASE = 100;

/** The bound for one Application: far over what people write, and far under the time that a review has. */
export function boundedEffort(): (size: number) => boolean {
  let left = EFFORT;
  return (size) => {
    left -= BASE + size;
    return left >= 0;
  };
}

export function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value of an own key: `constructor` and the like are not there unless the user wrote them. */
export function own(map: Readonly<Record<string, unknown>>, key: string): unknown {
  const value = map[key];
  return value !== undefined && Object.hasOwn(map, key) ? value : undefined;
}
