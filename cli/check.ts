import { type Dirent, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Cause } from '#api/failure.ts';
import { type Review, reviewApplication } from '#api/review.ts';
import { applicationsOf, type FiledApplication } from './applications-file.ts';
import type { Invocation } from './command.ts';
import { CommandError, type Exit, exit } from './exit.ts';
import { filedNamespace, type FiledNamespace } from './namespace-file.ts';
import type { Io } from './io.ts';
import { markerWarnings } from './marker-warnings.ts';
import { printCauses, printWarnings } from './problem.ts';

/** Far over what etcd would take. */
const MAX_BYTES = 16 * 1024 * 1024;
const MAX_FILES = 10_000;
const MANIFEST = /\.(ya?ml|json)$/i;
/** The default of the agent's and the webhook's setting min-interval. */
const MIN_INTERVAL_MS = 10_000;

/** What is said of one file, or of standard input. */
interface Checked {
  applications: number;
  denials: Cause[];
  warnings: Cause[];
}

/**
 * `lateen check FILE|DIR|-`: what the admission webhook would say, without a cluster. Of a folder all manifests are read,
 * and objects that are no Applications are left out; so they are of a file, with a word.
 */
export async function check(io: Io, options: Invocation): Promise<Exit> {
  const { argument, namespace, output, namespaceFile } = options;
  const filed = namespaceFile === undefined ? undefined : filedNamespace(io, namespaceFile);
  const checked: Checked[] = [];
  const files = await sources(io, argument);
  for (const { file, text, ofFolder } of files) checked.push(judge(applicationsOf(text, file), { namespace, ofFolder, filed }));
  const all: Checked = {
    applications: checked.reduce((sum, one) => sum + one.applications, 0),
    denials: checked.flatMap((one) => one.denials),
    warnings: [...checked.flatMap((one) => one.warnings), ...(argument === '-' ? [] : markerWarnings(io, files))],
  };
  if (output === 'json') io.stdout.write(`${JSON.stringify(all, null, 2)}\n`);
  else print(io, argument, all);
  return all.denials.length > 0 ? exit.no : exit.yes;
}

function print(io: Io, argument: string, { applications, denials, warnings }: Checked): void {
  printWarnings(io, warnings);
  printCauses(io, denials);
  if (denials.length > 0) return;
  const where = argument === '-' ? 'standard input' : argument;
  const count = `${applications} Application${applications === 1 ? '' : 's'}`;
  const warned = warnings.length > 0 ? `, ${warnings.length} warning${warnings.length === 1 ? '' : 's'}` : '';
  io.stdout.write(`${where}: ${count} checked, nothing is wrong${warned}\n`);
}

interface JudgeOptions {
  namespace: string | undefined;
  ofFolder: boolean;
  /** Of --namespace-file. */
  filed: FiledNamespace | undefined;
}

function judge(found: ReturnType<typeof applicationsOf>, options: JudgeOptions): Checked {
  const reviews = found.applications.map((filed) => located(filed, options));
  return {
    applications: found.applications.length,
    denials: inOrder([...found.causes, ...(options.ofFolder ? [] : found.shapeless), ...reviews.flatMap((one) => one.denials)]),
    warnings: inOrder([...(options.ofFolder ? [] : found.others), ...found.warnings, ...reviews.flatMap((one) => one.warnings)]),
  };
}

/** The review of one Application, each cause with its file and line. */
function located({ value, file, lineOf }: FiledApplication, { namespace: given, filed }: JudgeOptions): Review {
  const place = (cause: Cause): Cause => ({ ...cause, file, line: lineOf(cause.path) });
  const written = (value['metadata'] as { namespace?: unknown } | undefined)?.namespace;
  const namespace = typeof written === 'string' ? written : (given ?? filed?.name ?? 'default');
  const { denials, warnings } = reviewApplication(
    { object: value, namespace },
    {
      minIntervalMs: MIN_INTERVAL_MS,
      // What one Namespace allows says nothing about another one.
      namespace: namespace === filed?.name ? filed.facts : undefined,
    },
  );
  return { denials: denials.map(place), warnings: warnings.map(place) };
}

/** By line; causes of one line stay in the order of the fields. */
function inOrder(causes: readonly Cause[]): Cause[] {
  return causes.toSorted((left, right) => (left.line ?? 0) - (right.line ?? 0));
}

interface Source {
  file: string;
  text: string;
  ofFolder: boolean;
}

async function sources(io: Io, argument: string): Promise<Source[]> {
  if (argument === '-') return [{ file: 'stdin', text: await io.readStdin(MAX_BYTES), ofFolder: false }];
  const found = statSync(resolve(io.cwd, argument), { throwIfNoEntry: false });
  if (!found) throw new CommandError(exit.usage, `there is no file or folder ${argument}`, 'name one, or - for standard input');
  if (!found.isDirectory()) return [{ file: argument, text: textOf(io, argument), ofFolder: false }];
  const files = manifestsIn(io, argument);
  return files.map((file) => ({ file, text: textOf(io, file), ofFolder: true }));
}

/** Every manifest under a folder, by name. Links are not followed, and hidden folders such as .git are left out. */
function manifestsIn(io: Io, folder: string): string[] {
  const found: string[] = [];
  const open = [folder];
  for (let next = open.shift(); next !== undefined; next = open.shift()) {
    const entries: Dirent[] = readdirSync(resolve(io.cwd, next), { withFileTypes: true });
    for (const entry of entries.toSorted((left, right) => (left.name < right.name ? -1 : 1))) {
      const path = join(next, entry.name);
      if (entry.isDirectory() && !entry.name.startsWith('.')) open.push(path);
      else if (entry.isFile() && MANIFEST.test(entry.name)) found.push(path);
    }
    if (found.length > MAX_FILES)
      throw new CommandError(exit.no, `${folder} holds more than ${MAX_FILES} manifests`, 'name a folder in it');
  }
  return found.toSorted();
}

function textOf(io: Io, file: string): string {
  const path = resolve(io.cwd, file);
  if (statSync(path).size > MAX_BYTES) throw new CommandError(exit.no, `${file} is larger than ${MAX_BYTES} bytes`, 'name a manifest');
  return readFileSync(path, 'utf8');
}
