import { createHash } from 'node:crypto';
import { parseTemplate, type TemplateProblem, valueOfJson } from '#api/image/template.ts';
import type { Invocation } from './command.ts';
import { CommandError, type Exit, exit } from './exit.ts';
import type { Io } from './io.ts';

/** `lateen image message --template T --data JSON`: the rendered text and nothing else, or the mistake with its place. */
export async function imageMessage(io: Io, { template, data = '{}' }: Invocation): Promise<Exit> {
  if (template === undefined) throw new CommandError(exit.usage, '--template is missing', "write --template '{{range .Updated.Images}}…'");
  const parsed = parseTemplate(template);
  if ('problem' in parsed) throw mistake(parsed.problem);
  const rendered = parsed.template.render(valueOfJson(jsonOf(data)), { sha256 });
  if ('problem' in rendered) throw mistake(rendered.problem);
  io.stdout.write(rendered.text);
  return exit.yes;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new CommandError(
      exit.usage,
      `--data is not JSON: ${(error as Error).message}`,
      `write an object such as {"Updated": {"Images": ["app:v2"]}}`,
    );
  }
}

function mistake({ text, line, column }: TemplateProblem): CommandError {
  return new CommandError(exit.no, `INVALID_TEMPLATE: line ${line}, column ${column}: ${text}`);
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
