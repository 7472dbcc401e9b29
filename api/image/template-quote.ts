/** A text as Go's %q writes it: in double quotes, control characters as escapes. */
export function quoted(text: string): string {
  const escaped = text.replace(/[\u0000-\u001f"\\\u007f-\u009f\u2028\u2029]/g, (letter) => SHORT[letter] ?? escapeOf(letter));
  return `"${escaped}"`;
}

const SHORT: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\n': '\\n',
  '\t': '\\t',
  '\r': '\\r',
  '\u0007': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\v': '\\v',
};

function escapeOf(letter: string): string {
  const code = letter.charCodeAt(0);
  return code < 0x80 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
}
