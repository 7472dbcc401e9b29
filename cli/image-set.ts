import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { readYaml } from '#agent/manifest/yaml.ts';
import { applyEdits, type Desired, desiredValue, editsOf, mayHoldMarkers, type SetterResult } from '#agent/image/setter.ts';
import { documentVersion } from '#agent/image/document-version.ts';
import { parseReference } from '#api/image/reference.ts';
import { oneLine } from '#core/errors.ts';
import type { Invocation } from './command.ts';
import { CommandError, type Exit, exit } from './exit.ts';
import { diffLines } from './image-diff.ts';
import { filesUnder } from './image-files.ts';
import { type Io, style } from './io.ts';

interface Target {
  namespace: string;
  name: string;
  desired: Desired;
}

/** `lateen image set NS:NAME=IMAGE PATH…`: the edits of the agent, to files on disk. */
export async function imageSet(io: Io, options: Invocation): Promise<Exit> {
  const target = targetOf(options.argument);
  const files = filesUnder(io.cwd, options.more ?? []);
  if (options.stdout && files.length !== 1) throw new CommandError(exit.usage, `--stdout is for one file, received ${files.length}`);
  const results = files.map((file) => setFile(io, file, target, options));
  const seen = results.reduce((sum, { used, refused }) => sum + used + refused, 0);
  if (seen > 0) return results.some(({ refused }) => refused > 0) ? exit.no : exit.yes;
  const policy = `${target.namespace}:${target.name}`;
  throw new CommandError(exit.no, `no marker names ${policy}`, `write it behind a value: image: nginx # {"$imagepolicy": "${policy}"}`);
}

/** How many markers of the policy were used, and how many could not be. */
function setFile(io: Io, file: string, target: Target, { stdout, diff = false }: Invocation): { used: number; refused: number } {
  const text = textOf(io, file);
  const result = text === undefined ? undefined : setIn(file, text, target);
  if (stdout) io.stdout.write(applyEdits(text ?? '', result?.edits ?? []));
  if (!result || text === undefined) return { used: 0, refused: 0 };
  if (!stdout) print(io, { file, text, result, dry: diff });
  return { used: result.edits.length + result.settled.length, refused: report(io, result, target) };
}

function targetOf(argument: string): Target {
  const match = /^([a-z0-9][-a-z0-9.]*):([a-z0-9][-a-z0-9.]*)=(.+)$/.exec(argument);
  const usage = 'write NAMESPACE:NAME=IMAGE[:TAG][@DIGEST]';
  if (!match) throw new CommandError(exit.usage, `received ${JSON.stringify(argument)}`, usage);
  const [, namespace = '', name = '', text = ''] = match;
  const parsed = parseReference(text);
  if ('problem' in parsed)
    throw new CommandError(exit.usage, `the image ${JSON.stringify(text)} ${parsed.problem.text}`, parsed.problem.remedy ?? usage);
  const { reference } = parsed;
  const { tag, digest } = reference;
  return { namespace, name, desired: { image: reference.name.text, ...(tag ? { tag } : {}), ...(digest ? { digest } : {}) } };
}

/** Undefined for what holds no marker, or is no text. */
function textOf(io: Io, file: string): string | undefined {
  const content = readFileSync(resolve(io.cwd, file));
  try {
    // The mark of the byte order stays in the text: what is read is what is written.
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content);
  } catch {
    if (mayHoldMarkers(content)) io.stderr.write(`${oneLine(file)}: the file is not UTF-8 text and is left as it is\n`);
    return undefined;
  }
}

function setIn(file: string, text: string, { namespace, name, desired }: Target): SetterResult | undefined {
  if (!mayHoldMarkers(text)) return undefined;
  return editsOf(file, text, {
    desired: (marker) => (marker.namespace === namespace && marker.name === name ? desiredValue(marker, desired) : undefined),
    versionOf: (after, application) =>
      documentVersion(
        readYaml(after, file).documents.map(({ value }) => value),
        application,
      ),
  });
}

/** Says what cannot be used; resolves to how many of it names our policy. */
function report(io: Io, { problems }: SetterResult, { namespace, name }: Target): number {
  const ours = `${namespace}:${name}`;
  for (const { file, line, text, remedy } of problems) {
    const words = `${oneLine(file)}:${line}: ${style(io, io.stderr, 'yellow', 'MARKER_UNUSABLE')}: ${text}${remedy ? `; ${remedy}` : ''}`;
    io.stderr.write(`${words}\n`);
  }
  return problems.filter(({ marker }) => marker === ours || marker?.startsWith(`${ours}:`)).length;
}

function print(io: Io, { file, text, result, dry }: { file: string; text: string; result: SetterResult; dry: boolean }): void {
  if (result.edits.length === 0) return;
  const after = applyEdits(text, result.edits);
  if (dry)
    return io.stdout.write(
      diffLines(file, text, after)
        .map((line) => `${line}\n`)
        .join(''),
    );
  writeFileSync(resolve(io.cwd, file), after);
  for (const { line, current, desired } of result.edits)
    io.stdout.write(`${oneLine(file)}:${line}: ${oneLine(current, 200) || '(empty)'} -> ${desired}\n`);
}
