import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { exclusionsFrom } from '#agent/image/exclusions.ts';
import type { PolicyProblem, PolicySpec } from '#agent/image/policy.ts';
import { listTags } from '#agent/image/registry.ts';
import { type Selection, selectorFrom } from '#agent/image/selection.ts';
import { Failure } from '#api/failure.ts';
import { parseImage } from '#api/image/reference.ts';
import { reasonCode } from '#api/reasons.ts';
import manifest from '../package.json' with { type: 'json' };
import type { Invocation } from './command.ts';
import { dockerLogin } from './docker-login.ts';
import { CommandError, type Exit, exit } from './exit.ts';
import { selectionJson, selectionLines } from './image-text.ts';
import type { Io } from './io.ts';

const MAX_BYTES = 64 * 1024 * 1024;
const DEADLINE_MS = 60_000;

/** `lateen image latest`: what the agent would choose. */
export async function imageLatest(io: Io, options: Invocation): Promise<Exit> {
  const policy = policyOf(options.policy);
  const { pattern, extract, prereleases } = options;
  const filterTags = { ...(pattern === undefined ? {} : { pattern }), ...(extract === undefined ? {} : { extract }) };
  const made = selectorFrom({ policy, filterTags, ...(prereleases ? { prereleases } : {}) });
  if ('problem' in made) return answer(io, options, { problem: made.problem });
  const exclusions = exclusionsFrom(options.exclude === undefined ? undefined : [options.exclude]);
  if ('problem' in exclusions) return answer(io, options, { problem: exclusions.problem });
  const tags = await tagsOf(io, options);
  if (!Array.isArray(tags)) return answer(io, options, { problem: tags });
  const excluded = tags.filter((tag) => exclusions.excludes(tag));
  const left = new Set(excluded);
  const selection = made.selector.select(tags.filter((tag) => !left.has(tag)));
  for (const tag of left) selection.dropped.push({ tag, reason: 'NoMatch', why: 'the exclusion list names it' });
  return answer(io, options, { ...selection, seen: selection.seen + left.size });
}

/** `numerical:asc`, `alphabetical`, `semver:>=1.0.0`. */
function policyOf(text: string | undefined): PolicySpec {
  const remedy = "write --policy numerical:asc, alphabetical:desc or 'semver:>=1.0.0'";
  if (text === undefined) throw new CommandError(exit.usage, '--policy is missing', remedy);
  const colon = text.indexOf(':');
  const [kind, rest] = colon < 0 ? [text, undefined] : [text.slice(0, colon), text.slice(colon + 1)];
  const order = rest === undefined ? {} : { order: rest };
  if (kind === 'numerical') return { numerical: order };
  if (kind === 'alphabetical') return { alphabetical: order };
  if (kind === 'semver') return { semver: { range: rest ?? '' } };
  throw new CommandError(exit.usage, `--policy: received ${JSON.stringify(text)}`, remedy);
}

async function tagsOf(io: Io, { image, tags: source }: Invocation): Promise<string[] | PolicyProblem> {
  const parsed = image === undefined ? undefined : parseImage(image);
  if (parsed && 'problem' in parsed)
    return {
      reason: 'InvalidImage',
      text: `the image ${JSON.stringify(image)} ${parsed.problem.text}`,
      ...(parsed.problem.remedy ? { remedy: parsed.problem.remedy } : {}),
    };
  if (source !== undefined) return linesOf(source === '-' ? await io.readStdin(MAX_BYTES) : readTags(io, source));
  if (!parsed)
    throw new CommandError(exit.usage, 'there are no tags to choose among', 'name --image REF to ask its registry, or --tags FILE');
  const { image: name } = parsed;
  const login = await dockerLogin(io, name);
  const request = { image: name, config: async () => login, signal: AbortSignal.timeout(DEADLINE_MS) };
  try {
    return await listTags(request, { userAgent: `lateen/${manifest.version}`, insecureRegistries: [], clock: io.clock });
  } catch (error) {
    if (!(error instanceof Failure) || error.reason !== 'RegistryAuthFailed') throw error;
    // What it says of Secrets is for the agent.
    throw new CommandError(exit.couldNotAsk, error.message, `log in with docker login ${name.registry}`);
  }
}

function readTags(io: Io, file: string): string {
  try {
    return readFileSync(resolve(io.cwd, file), 'utf8');
  } catch (error) {
    throw new CommandError(exit.usage, `--tags: ${(error as Error).message}`, 'name a file with one tag per line, or - for standard input');
  }
}

function linesOf(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

/** The tag alone, or the code alone: made for scripts. What it means goes to standard error. */
function answer(io: Io, { output, explain, policy = '' }: Invocation, result: Partial<Selection> & { problem?: PolicyProblem }): Exit {
  const { problem } = result;
  if ((output as string) === 'json') io.stdout.write(`${JSON.stringify(selectionJson(result, explain ?? false), null, 2)}\n`);
  else if (explain && result.kept) io.stdout.write(`${selectionLines(result as Selection, policy).join('\n')}\n`);
  else io.stdout.write(`${problem ? reasonCode(problem.reason) : result.kept?.[0]?.tag}\n`);
  if (!problem) return exit.yes;
  throw new CommandError(exit.no, `${reasonCode(problem.reason)}: ${problem.text}`, problem.remedy);
}
