/** Why a text of the image automation cannot be used. Pure data: admission makes a cause of it, the CLI a line. */
export interface TextProblem {
  /** What is wrong, as it follows the name of the thing: `is not a pattern: missing closing ]`. */
  text: string;
  /** What to do, as an imperative without the final stop. */
  remedy?: string;
  /** Offset into the text, from 0, in UTF-16 units, where there is one place. */
  at?: number;
}
