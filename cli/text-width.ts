/** Columns that a terminal gives to a text: two for emoji and East Asian letters, none for marks that combine. */
export function textWidth(text: string): number {
  let width = 0;
  for (const letter of text) width += letterWidth(letter);
  return width;
}

const NARROW = /^[\u0020-\u007e]$/;
const NONE = /^[\p{Mn}\p{Me}\p{Cf}]$/u;
const WIDE =
  /^[\p{Emoji_Presentation}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\u3000-\u303f\uff01-\uff60\uffe0-\uffe6]$/u;

function letterWidth(letter: string): number {
  if (NARROW.test(letter)) return 1;
  if (NONE.test(letter)) return 0;
  return WIDE.test(letter) ? 2 : 1;
}

// oxlint-disable-next-line no-control-regex -- control characters are what this removes
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/** Without terminal escapes and other control characters, which a commit or a status could hold. Line breaks stay. */
export function visible(text: string): string {
  return text.replace(CONTROL, '');
}
