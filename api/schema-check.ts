import * as v from 'valibot';
import type { Cause } from './failure.ts';
import { NOT_YET, boundedEffort, isMap, own, partOf } from './schema.ts';
import type { CheckContext, Finding, Part, SchemaNode, Site } from './schema.ts';
import { boundedGuess, closest, listText, pathText, quote, received, scalarText } from './wording.ts';
import type { Path } from './wording.ts';

/**
 * Every mistake of `value` against a declaration, in the order of the declaration (so that the order does not hang on how
 * the file was written). Keys of which the declaration knows nothing come last, by name. Never throws.
 */
export function checkValue(declaration: v.GenericSchema, value: unknown, site: Site): Cause[] {
  return foundIn(declaration, value, site).map(({ at, finding }) => toCause(at, finding));
}

/** The same for a rule that hands a part of its value on to another declaration. */
export function findingsOf(declaration: v.GenericSchema, value: unknown, site: Site): Finding[] {
  return foundIn(declaration, value, site).map(({ at, finding }) => ({ path: at, ...finding }));
}

function foundIn(declaration: v.GenericSchema, value: unknown, site: Site): Found[] {
  const found: Found[] = [];
  checkPart(partOf(declaration), value, site, found);
  return found;
}

interface Found {
  at: Path;
  finding: Finding;
}

function toCause(at: Path, finding: Finding): Cause {
  const path = pathText(finding.path ?? at);
  const cause: Cause = { path, code: finding.code, message: `${path === '' ? 'the Application' : path} ${finding.text}` };
  if (finding.value !== undefined) cause.value = finding.value;
  if (finding.remedy !== undefined) cause.remedy = finding.remedy;
  return cause;
}

/** A place inside another one. A review walks thousands, and says something of few: a path is made when it is asked for. */
class Below implements Site {
  readonly #above: Site;
  readonly #key: string | number;
  readonly parent: Site['parent'];
  readonly context: CheckContext;

  constructor(above: Site, key: string | number, parent: Site['parent']) {
    this.#above = above;
    this.#key = key;
    this.parent = parent;
    this.context = above.context;
  }

  get path(): Path {
    return [...this.#above.path, this.#key];
  }

  get index(): number | undefined {
    return typeof this.#key === 'number' ? this.#key : this.#above.index;
  }
}

function indexIn(path: Path): number | undefined {
  return path.findLast((step) => typeof step === 'number');
}

const NONE: readonly Finding[] = [];

// One list for all, and no path before there is something to say of it: a review walks thousands of right values.
function checkPart(part: Part, value: unknown, site: Site, found: Found[]): void {
  const wrong = typeFinding(part, value);
  if (wrong) {
    found.push({ at: site.path, finding: wrong });
    return;
  }
  const unsupported = unsupportedFinding(part, value);
  if (unsupported) found.push({ at: site.path, finding: unsupported });
  const rule = part.facts?.rule;
  const findings = rule ? rule(value as never, site) : NONE;
  if (findings.length > 0) for (const finding of findings) found.push({ at: site.path, finding });
  if (!unsupported) return checkInside(part, value, site, found);
  // One sentence for the whole: not one more for each of its parts.
  const inside: Found[] = [];
  checkInside(part, value, site, inside);
  for (const one of inside) if (one.finding.code !== 'Unsupported') found.push(one);
}

function checkInside(part: Part, value: unknown, site: Site, found: Found[]): void {
  const { schema, fields, item } = part;
  if (fields.length > 0 && isMap(value)) return checkFields(part, value, site, found);
  if (item && Array.isArray(value)) {
    value.forEach((entry: unknown, index) => checkPart(item, entry, new Below(site, index, site.parent), found));
  } else if (schema.type === 'record' && schema.value && isMap(value)) {
    const entry = partOf(schema.value);
    for (const key of Object.keys(value).toSorted()) {
      if (!isPlainlyRight(entry, value[key])) checkPart(entry, value[key], new Below(site, key, value), found);
    }
  }
}

function checkFields(part: Part, value: Record<string, unknown>, site: Site, found: Found[]): void {
  // Not taken apart in the head of the loop: that goes through an iterator for each of them.
  for (const entry of part.fields) {
    const key = entry[0];
    const field = entry[1];
    const held = own(value, key);
    if (held === undefined) {
      if (field.required) found.push({ at: [...site.path, key], finding: missing(key, field) });
    } else if (!isPlainlyRight(field, held)) {
      checkPart(field, held, new Below(site, key, value), found);
    }
  }
  const crowd = part.facts?.oneOf?.filter((key) => own(value, key) !== undefined);
  if (crowd && crowd.length > 1) {
    const text = `has ${listText(crowd)}, which exclude each other`;
    found.push({ at: site.path, finding: { code: 'InvalidValue', text, remedy: 'keep one of them' } });
  }
  if (part.schema.type !== 'loose_object') checkKeys(part, value, site, found);
}

function checkKeys(part: Part, value: Record<string, unknown>, site: Site, found: Found[]): void {
  const entries = part.schema.entries ?? {};
  let unknown: string[] | undefined;
  for (const key of Object.keys(value)) if (!Object.hasOwn(entries, key) && value[key] !== undefined) (unknown ??= []).push(key);
  if (unknown)
    for (const key of unknown.toSorted()) found.push({ at: [...site.path, key], finding: unknownField(key, part, entries, site) });
}

/** A scalar of the right type that no rule and no version has anything to say of. */
function isPlainlyRight({ facts, schema }: Part, value: unknown): boolean {
  // typeof says "object" of a map, as its schema does.
  if (typeof value !== schema.type || typeof value === 'object') return false;
  return facts?.rule === undefined && facts?.works === undefined && facts?.since !== NOT_YET;
}

function missing(key: string, part: Part): Finding {
  const about = part.facts?.about;
  return { code: 'Required', text: 'is required', remedy: about ? `add ${key}: ${about}` : `add ${key}` };
}

function unknownField(key: string, part: Part, entries: Record<string, SchemaNode>, site: Site): Finding {
  const last = site.path.findLast((step) => typeof step === 'string') ?? 'the Application';
  const keys = part.facts?.keys ?? `a property of ${last}`;
  const guess = key.length <= 64 ? (site.context.guess(key, Object.keys(entries)) ?? nested(key, entries)) : undefined;
  return { code: 'UnknownField', text: `is not ${keys}`, remedy: guess ? `did you mean "${guess}"?` : 'remove it' };
}

/** `branch` -> `git.branch`: a key that was written one level too high. */
function nested(key: string, entries: Record<string, SchemaNode>): string | undefined {
  const outer = Object.entries(entries).find(([, schema]) => Object.hasOwn(partOf(schema).schema.entries ?? {}, key));
  return outer && `${outer[0]}.${key}`;
}

/** The wrong type or, for a list of words, none of them. */
function typeFinding(part: Part, value: unknown): Finding | undefined {
  const { schema } = part;
  if (schema.type === 'picklist' && typeof value === 'string') return wordFinding(schema.options ?? [], value);
  if (hasType(schema, value)) return undefined;
  const secret = part.facts?.secret ?? false;
  return {
    code: 'InvalidType',
    text: `must be ${typeWords(schema)}, received ${received(value, secret)}`,
    value: secret ? undefined : scalarText(value),
    remedy: typeRemedy(schema, value, secret),
  };
}

function hasType(schema: SchemaNode, value: unknown): boolean {
  if (MAPS.has(schema.type)) return isMap(value);
  if (schema.type === 'array') return Array.isArray(value);
  if (schema.type === 'picklist') return typeof value === 'string';
  if (schema.type === 'string' || schema.type === 'boolean') return typeof value === schema.type;
  return v.is(schema, value);
}

function wordFinding(options: readonly string[], value: string): Finding | undefined {
  if (options.includes(value)) return undefined;
  const guess = closest(value, options);
  return {
    code: 'InvalidValue',
    text: `must be one of ${listText(options)}, received ${quote(value)}`,
    value: scalarText(value),
    remedy: guess === undefined ? 'use one of them' : `did you mean ${quote(guess)}?`,
  };
}

const MAPS: ReadonlySet<string> = new Set(['object', 'loose_object', 'record']);
const TYPE_WORDS: Record<string, string> = { boolean: 'true or false', number: 'a number', array: 'a list' };

function typeWords(schema: SchemaNode): string {
  return MAPS.has(schema.type) ? 'a map' : (TYPE_WORDS[schema.type] ?? 'a string');
}

function typeRemedy(schema: SchemaNode, value: unknown, secret: boolean): string {
  if (value === null) return 'give it a value or remove it';
  if (schema.type === 'boolean') return value === 'true' || value === 'false' ? `write ${value} without quotes` : 'write true or false';
  if (schema.type === 'number')
    return typeof value === 'string' && /^\d{1,15}$/.test(value) ? `write ${value} without quotes` : 'write a number';
  if (schema.type === 'array') return 'write it as a list';
  if (MAPS.has(schema.type)) return 'write it as a map';
  if (isMap(value)) return typeof own(value, 'name') === 'string' ? 'write the name alone' : 'write a string';
  if (Array.isArray(value)) return 'write one string';
  return secret ? 'put it in quotes' : `put it in quotes: "${scalarText(value)}"`;
}

function unsupportedFinding(part: Part, value: unknown): Finding | undefined {
  const { facts } = part;
  if (!facts) return undefined;
  if (facts.works && typeof value === 'string' && !facts.works.includes(value)) {
    const text = `${quote(value)} is not implemented in this version`;
    return { code: 'Unsupported', text, value: scalarText(value), remedy: `use ${listText(facts.works)}` };
  }
  if (facts.since !== NOT_YET || value === part.default) return undefined;
  const text = 'is not implemented in this version';
  return { code: 'Unsupported', text, value: facts.secret ? undefined : scalarText(value), remedy: 'remove it' };
}

/** A site for what has no Application around it, such as one component's properties in a test or in the renderer. */
export function bareSite(path: Path, context: Partial<CheckContext> = {}): Site {
  const none: CheckContext = {
    namespace: undefined,
    minIntervalMs: undefined,
    allowed: undefined,
    componentNames: [],
    componentNeeds: [],
    stepNames: [],
    stepNeeds: [],
    guess: boundedGuess(),
    afford: boundedEffort(),
  };
  return { path, index: indexIn(path), parent: {}, context: { ...none, ...context } };
}
