/** What a reader of YAML 1.1 or 1.2 makes of a scalar without quotes. */
export type PlainKind = 'text' | 'number' | 'boolean' | 'null';

const NULLS: ReadonlySet<string> = new Set(['', '~', 'null', 'Null', 'NULL']);
const BOOLEANS: ReadonlySet<string> = new Set(['true', 'True', 'TRUE', 'false', 'False', 'FALSE']);
/** YAML 1.1 alone: go-yaml v3 reads them as texts, kubectl (go-yaml v2) as booleans. */
const OLD_BOOLEANS: ReadonlySet<string> = new Set(
  ['y', 'yes', 'on', 'n', 'no', 'off'].flatMap((word) => [word, word.toUpperCase(), word[0]!.toUpperCase() + word.slice(1)]),
);
const NUMBER =
  /^[-+]?(?:0[xX][0-9a-fA-F_]+|0[oO]?[0-7_]+|0[bB][01_]+|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][-+]?\d+)?|\.(?:inf|Inf|INF))$|^\.(?:nan|NaN|NAN)$/;
const TIMESTAMP = /^\d{4}-\d{1,2}-\d{1,2}(?:$|[Tt ])/;
/** Base 60, which YAML 1.1 has: an image `12` with the tag `30`. */
const SEXAGESIMAL = /^[-+]?\d[\d_]*(?::[0-5]?\d)+(?:\.[\d_]*)?$/;

/** As go-yaml v3 and YAML 1.2 have it: what stands in the file now. */
export function plainKind(text: string): PlainKind {
  if (NULLS.has(text)) return 'null';
  if (BOOLEANS.has(text)) return 'boolean';
  return NUMBER.test(text) ? 'number' : 'text';
}

/** Whether a new value needs quotes, so that every reader takes it for a text (spec/image-automation.md §4.3). */
export function needsQuotes(text: string): boolean {
  if (plainKind(text) !== 'text' || OLD_BOOLEANS.has(text)) return true;
  if (TIMESTAMP.test(text) || SEXAGESIMAL.test(text)) return true;
  // What could not stand without quotes in any place of a file; images and tags never hold it.
  return !/^[A-Za-z0-9_./][A-Za-z0-9_./:@+-]*$/.test(text) || text.endsWith(':');
}
