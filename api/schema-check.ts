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
  const found = foundIn(declaration, value, site);
  return found.length === 0 ? [] : found.map(({ at, finding }) => ({ path: at, ...finding }));
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

/**
 * A place inside another one. A review walks thousands, and says something of few: a path is made when it is asked for, and
 * what stands beside each other in a map or a list has one place, whose key moves on. No rule keeps it.
 */
class Below implements Site {
  readonly #above: Site;
  readonly parent: Site['parent'];
  readonly context: CheckContext;
  key: string | number = '';

  constructor(above: Site, parent: Site['parent']) {
    this.#above = above;
    this.parent = parent;
    this.context = above.context;
  }

  get path(): Path {
    return [...this.#above.path, this.key];
  }

  get index(): number | undefined {
    return typeof this.key === 'number' ? this.key : this.#above.index;
  }
}

function indexIn(path: Path): number | undefined {
  return path.findLast((step) => typeof step === 'number');
}

// One list for all, and no path before there is something to say of it: a review walks thousands of right values.
function checkPart(part: Part, value: unknown, site: Site, found: Found[]): void {
  const wrong = typeFinding(part, value);
  if (wrong) {
    found.push({ at: site.path, finding: wrong });
    return;
  }
  const unsupported = part.limited ? unsupportedFinding(part, value) : undefined;
  if (unsupported) found.push({ at: site.path, finding: unsupported });
  if (part.rule) for (const finding of part.rule(value as never, site)) found.push({ at: site.path, finding });
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
    const place = new Below(site, site.parent);
    for (let index = 0; index < value.length; index++) {
      place.key = index;
      checkPart(item, value[index], place, found);
    }
  } else if (part.type === 'record' && schema.value && isMap(value)) {
    const entry = partOf(schema.value);
    const place = new Below(site, value);
    for (const key of Object.keys(value).toSorted()) {
      place.key = key;
      if (!isPlainlyRight(entry, value[key])) checkPart(entry, value[key], place, found);
    }
  }
}

// Walks the keys that are there, not those that could be: most are absent. Bits by position, so that what is wrong is told in
// the order of the declaration all the same.
function checkFields(part: Part, value: Record<string, unknown>, site: Site, found: Found[]): void {
  let there = 0;
  let due = 0;
  let unknown: string[] | undefined;
  for (const key in value) {
    const held = value[key];
    if (held === undefined) continue;
    const position = part.positions.get(key);
    if (position === undefined) {
      (unknown ??= []).push(key);
      continue;
    }
    there |= 1 << position;
    if (!isPlainlyRight(part.fields[position]![1], held)) due |= 1 << position;
  }
  due |= part.needed & ~there;
  if (due !== 0) checkDue(part, due, { value, place: new Below(site, value) }, found);
  const crowd = part.facts?.oneOf?.filter((key) => own(value, key) !== undefined);
  if (crowd && crowd.length > 1) {
    const text = `has ${listText(crowd)}, which exclude each other`;
    found.push({ at: site.path, finding: { code: 'InvalidValue', text, remedy: 'keep one of them' } });
  }
  if (unknown && part.type !== 'loose_object') tellUnknown(part, unknown, site, found);
}

/** The fields at these positions: those that need a look, and those that are missing. */
function checkDue(part: Part, due: number, { value, place }: { value: Record<string, unknown>; place: Below }, found: Found[]): void {
  for (let left = due; left !== 0; left &= left - 1) {
    const entry = part.fields[31 - Math.clz32(left & -left)]!;
    const held = value[entry[0]];
    place.key = entry[0];
    if (held === undefined) found.push({ at: place.path, finding: missing(entry[0], entry[1]) });
    else checkPart(entry[1], held, place, found);
  }
}

function tellUnknown(part: Part, unknown: readonly string[], site: Site, found: Found[]): void {
  const entries = part.schema.entries ?? {};
  for (const key of unknown.toSorted()) found.push({ at: [...site.path, key], finding: unknownField(key, part, entries, site) });
}

/** A scalar of the right type that no rule and no version has anything to say of. */
function isPlainlyRight(part: Part, value: unknown): boolean {
  // typeof says "object" of a map, as its schema does.
  return typeof value === part.type && typeof value !== 'object' && part.rule === undefined && !part.limited;
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
  if (hasType(part, value)) return undefined;
  const { schema } = part;
  if (schema.type === 'picklist' && typeof value === 'string') return wordFinding(schema.options ?? [], value);
  const secret = part.facts?.secret ?? false;
  return {
    code: 'InvalidType',
    text: `must be ${typeWords(schema)}, received ${received(value, secret)}`,
    value: secret ? undefined : scalarText(value),
    remedy: typeRemedy(schema, value, secret),
  };
}

function hasType({ type, schema }: Part, value: unknown): boolean {
  if (type === 'string' || type === 'boolean') return typeof value === type;
  if (MAPS.has(type)) return isMap(value);
  if (type === 'array') return Array.isArray(value);
  if (type === 'picklist') return typeof value === 'string' && schema.options!.includes(value);
  return type === 'unknown' || v.is(schema, value);
}

function wordFinding(options: readonly string[], value: string): Finding {
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
