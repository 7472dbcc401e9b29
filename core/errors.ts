/** Whatever was thrown, as an Error. */
export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(typeof thrown === 'string' ? thrown : JSON.stringify(thrown));
}

/** The message of whatever was thrown, with the messages of its causes behind colons. */
export function messageOf(thrown: unknown): string {
  const error = toError(thrown);
  return error.cause === undefined ? error.message : `${error.message}: ${messageOf(error.cause)}`;
}

/** Sentences one after the other, with a stop behind each that has no mark of its own; the last keeps its end. */
export function sentences(texts: readonly string[]): string {
  return texts.map((text, index) => (index === texts.length - 1 || /[.?!\u2026]$/.test(text) ? text : `${text}.`)).join(' ');
}

// biome-ignore lint: control characters are what this removes
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u200b-\u200f\u202a-\u202e]/g;

/**
 * One line that is safe to show: no control characters (terminal escapes, forged log lines), line breaks as spaces,
 * at most `maxLength` characters (1 KiB for events, 32 KiB for conditions: spec/sync.md A32).
 */
export function oneLine(text: string, maxLength = 1024): string {
  const line = text
    // One look at each run of space: whoever writes a text of nothing else must not hold up everybody.
    .replace(/\s+/g, (space) => (/[\r\n]/.test(space) ? ' ' : space))
    .replace(CONTROL, '')
    .trim();
  return line.length <= maxLength ? line : `${line.slice(0, maxLength - 1)}…`;
}
