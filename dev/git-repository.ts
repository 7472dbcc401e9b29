import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { gitEnvironment } from './git-environment.ts';

/** What a commit puts at a path; null removes it. */
export type FileChange = string | Buffer | null | { executable: string } | { symlink: string } | { submodule: string };

export interface Person {
  name: string;
  email: string;
}

export interface CommitOptions {
  message: string;
  author?: Person;
  /** Date of author and committer; absent: now. */
  date?: Date;
}

const SEED_AUTHOR: Person = { name: 'Fog Dong', email: 'fog@example.com' };

/** Runs git in a bare repository and returns its standard output without the last line break. */
export async function git(directory: string, args: string[], input: string | Buffer = ''): Promise<string> {
  const child = spawn('git', args, { env: gitEnvironment({ GIT_DIR: directory }), stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  if (code !== 0) throw new Error(`git ${args.join(' ')} in ${directory}: ${stderr.trim() || `exit status ${String(code)}`}`);
  return stdout.replace(/\n$/, '');
}

/** Makes a bare repository to which anybody may push whom the server lets in. HEAD names `branch`. */
export async function initRepository(directory: string, branch = 'main'): Promise<void> {
  await mkdir(directory, { recursive: true });
  await git(directory, ['init', '--quiet', '--bare', '--template=']);
  await git(directory, ['symbolic-ref', 'HEAD', `refs/heads/${branch}`]);
  await git(directory, ['config', 'http.receivepack', 'true']);
}

/** Commit id of a branch, or undefined where there is no such branch. */
export async function branchTip(directory: string, branch: string): Promise<string | undefined> {
  const line = await git(directory, ['for-each-ref', '--format=%(objectname)', '--', `refs/heads/${branch}`]);
  return line || undefined;
}

/** Commits to a branch, made where it is not there yet, without a work tree. Returns the commit id. */
export async function commitFiles(
  directory: string,
  branch: string,
  files: Record<string, FileChange>,
  options: CommitOptions,
): Promise<string> {
  const { message, author = SEED_AUTHOR, date = new Date() } = options;
  const parent = await branchTip(directory, branch);
  const person = `${author.name} <${author.email}> ${Math.floor(date.getTime() / 1000)} +0000`;
  const parts: (string | Buffer)[] = [
    `commit refs/heads/${branch}\nmark :1\nauthor ${person}\ncommitter ${person}\n`,
    ...data(message),
    parent ? `from ${parent}\n` : '',
    ...Object.entries(files).flatMap(([path, change]) => fileCommands(path, change)),
    'get-mark :1\ndone\n',
  ];
  return git(directory, ['fast-import', '--quiet', '--done'], Buffer.concat(parts.map((part) => Buffer.from(part))));
}

/** Points a branch at a commit, whatever it held before (a force-push); undefined removes the branch. */
export async function resetBranch(directory: string, branch: string, commit: string | undefined): Promise<void> {
  const ref = `refs/heads/${branch}`;
  await git(directory, commit ? ['update-ref', ref, commit] : ['update-ref', '-d', ref]);
}

function fileCommands(path: string, change: FileChange): (string | Buffer)[] {
  if (/[\n"]/.test(path)) throw new Error(`a path of a fixture must not hold a line break or a quote: ${JSON.stringify(path)}`);
  if (change === null) return [`D ${path}\n`];
  if (typeof change === 'string' || Buffer.isBuffer(change)) return [`M 100644 inline ${path}\n`, ...data(change)];
  if ('executable' in change) return [`M 100755 inline ${path}\n`, ...data(change.executable)];
  if ('symlink' in change) return [`M 120000 inline ${path}\n`, ...data(change.symlink)];
  return [`M 160000 ${change.submodule} ${path}\n`];
}

function data(content: string | Buffer): (string | Buffer)[] {
  return [`data ${Buffer.byteLength(content)}\n`, content, '\n'];
}
