import { Execution } from './template-eval.ts';
import type { Host } from './template-functions.ts';
import { TemplateError } from './template-nodes.ts';
import { parseNodes } from './template-parser.ts';
import type { Value } from './template-value.ts';

export type { Host } from './template-functions.ts';
export { Struct, StructMap, type Value, valueOfJson } from './template-value.ts';

/** A mistake of a template, with its place from 1; columns count UTF-16 units. */
export interface TemplateProblem {
  /** `there is no function foo`. */
  text: string;
  line: number;
  column: number;
}

/**
 * A commit message in the syntax of Go's text/template (spec/image-automation.md §5): text, fields, range, if, with,
 * variables, pipelines, comparison, print and text functions. No templates within templates, no calls into the program;
 * output, steps and nesting are bounded.
 */
export interface Template {
  text: string;
  /** The same data gives the same text. */
  render(data: Value, host: Host): { text: string } | { problem: TemplateProblem };
}

const MAX_TEMPLATE = 16_384;

/** Reads a template. Nothing that a user writes makes this throw. */
export function parseTemplate(text: string): { template: Template } | { problem: TemplateProblem } {
  if (text.length > MAX_TEMPLATE)
    return { problem: { text: `the template has ${text.length} characters, at most ${MAX_TEMPLATE} are allowed`, line: 1, column: 1 } };
  const parsed = placed(text, () => ({ nodes: parseNodes(text) }));
  if ('problem' in parsed) return parsed;
  const { nodes } = parsed;
  return { template: { text, render: (data, host) => placed(text, () => ({ text: new Execution(data, host).run(nodes) })) } };
}

function placed<Result>(source: string, work: () => Result): Result | { problem: TemplateProblem } {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    const before = source.slice(0, error.at).split('\n');
    return { problem: { text: error.message, line: before.length, column: (before.at(-1)?.length ?? 0) + 1 } };
  }
}
