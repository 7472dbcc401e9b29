import type { Value } from './template-value.ts';

/** The parsed template; `at` is an offset into its text, for messages. */
export type Node =
  | { kind: 'text'; text: string }
  | { kind: 'action'; pipe: Pipe; at: number }
  | { kind: 'if' | 'with'; pipe: Pipe; body: Node[]; otherwise: Node[]; at: number }
  | { kind: 'range'; pipe: Pipe; body: Node[]; otherwise: Node[]; at: number }
  | { kind: 'break'; at: number }
  | { kind: 'continue'; at: number };

/** Commands joined by `|`, and the variables that take the result. */
export interface Pipe {
  /** One, or two for `range $index, $value :=`. */
  variables: string[];
  /** `=` instead of `:=`. */
  assigns: boolean;
  commands: Expression[][];
  at: number;
}

export type Expression = { at: number } & (
  | { kind: 'literal'; value: Value }
  | { kind: 'nil' }
  | { kind: 'function'; name: string }
  /** `.A.B`: fields of the dot; none for the dot itself. */
  | { kind: 'field'; fields: string[] }
  | { kind: 'variable'; name: string; fields: string[] }
  | { kind: 'group'; pipe: Pipe; fields: string[] }
);

/** What ended the reading or the running of a template. */
export class TemplateError extends Error {
  /** Offset into the template. */
  readonly at: number;

  constructor(message: string, at: number) {
    super(message);
    this.name = 'TemplateError';
    this.at = at;
  }
}
