import { execFile } from 'node:child_process';
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { messageOf } from '#core/errors.ts';
import { type Downloader, sumIn } from './download.ts';
import { buildProgram } from './go-build.ts';
import { reportedVersion } from './installed-programs.ts';
import type { ProgramCache } from './program-cache.ts';
import { type Platform, type Release, type ReleaseHosts, releaseOf } from './releases.ts';
import { type FoundProgram, fits, PROGRAMS, type ProgramName } from './versions.ts';

const run = promisify(execFile);

const UNPACK_DEADLINE_MS = 120_000;
/** So that nobody thinks that it hangs. */
const PROGRESS_MS = 15_000;

/** One source that did not give the program, for the message at the end. */
export interface Attempt {
  source: 'installed' | 'download' | 'build';
  problem: string;
}

export interface MakeContext {
  cache: ProgramCache;
  downloader: Downloader;
  platform: Platform;
  hosts: ReleaseHosts;
  env: NodeJS.ProcessEnv;
  log: (line: string) => void;
  /** Why nothing can be built; undefined: it can. */
  noBuild: string | undefined;
  signal?: AbortSignal;
}

function seconds(since: number): string {
  const total = Math.round((performance.now() - since) / 1000);
  return total < 60 ? `${total} s` : `${Math.floor(total / 60)} min ${total % 60} s`;
}

/** Says that the work begins, every 15 s that it goes on, and how it ended. */
async function withProgress<T>(
  what: { title: string; doing: string; done: string },
  log: (line: string) => void,
  work: () => Promise<T>,
): Promise<T> {
  const begun = performance.now();
  log(`${what.title}: ${what.doing}`);
  const timer = setInterval(() => log(`${what.title}: ${what.doing}, ${seconds(begun)} so far`), PROGRESS_MS);
  try {
    const result = await work();
    log(`${what.title}: ${what.done} in ${seconds(begun)}`);
    return result;
  } finally {
    clearInterval(timer);
  }
}

/** Downloads into the folder, checks the sum, unpacks. Resolves to the path of the program. */
async function downloadProgram(release: Release, folder: string, context: MakeContext): Promise<string> {
  const { downloader, signal } = context;
  const fileName = release.url.split('/').at(-1)!;
  const wanted = sumIn(await downloader.text(release.sumUrl, signal), fileName);
  if (wanted === undefined) throw new Error(`${release.sumUrl} holds no SHA-256 sum of ${fileName}`);
  const path = join(folder, fileName);
  const sum = await downloader.file(release.url, path, signal);
  if (sum !== wanted) throw new Error(`${release.url} has the SHA-256 sum ${sum}, its publisher says ${wanted}: it is not used`);
  if (release.member === undefined) return path;
  await run('tar', ['-xf', path, '-C', folder, release.member], { timeout: UNPACK_DEADLINE_MS, killSignal: 'SIGKILL' });
  return join(folder, release.member);
}

/** Takes a finished file into the cache when it is the program that it should be. */
async function keep(name: ProgramName, file: string, context: MakeContext): Promise<{ path: string; version: string }> {
  await chmod(file, 0o755);
  const version = await reportedVersion(file, name);
  if (version === undefined) throw new Error(`what came as ${name} does not run here`);
  if (!fits(name, version)) throw new Error(`what came as ${name} ${PROGRAMS[name].version} says that it is ${version}`);
  return { path: await context.cache.put(name, file), version };
}

async function tryDownload(name: ProgramName, context: MakeContext): Promise<FoundProgram | Attempt> {
  const release = releaseOf(name, context.platform, context.hosts);
  if (!release) return { source: 'download', problem: 'its publisher puts no checksum beside it, so it is only built' };
  const failure = context.downloader.failure(release.sumUrl);
  if (failure !== undefined) return { source: 'download', problem: `${release.url}: ${failure}` };
  const title = `${name} ${PROGRAMS[name].version}`;
  const doing = `downloading from ${new URL(release.url).host}`;
  try {
    return await withProgress({ title, doing, done: 'downloaded and checked' }, context.log, () =>
      context.cache.withWorkFolder(async (folder) => {
        const kept = await keep(name, await downloadProgram(release, folder, context), context);
        return { name, source: 'download' as const, ...kept };
      }),
    );
  } catch (error) {
    context.signal?.throwIfAborted();
    context.log(`${title}: no download (${messageOf(error)})`);
    return { source: 'download', problem: messageOf(error) };
  }
}

async function tryBuild(name: ProgramName, context: MakeContext): Promise<FoundProgram | Attempt> {
  if (context.noBuild !== undefined) return { source: 'build', problem: context.noBuild };
  const title = `${name} ${PROGRAMS[name].version}`;
  const { env, signal } = context;
  try {
    return await withProgress({ title, doing: 'building with go (once, can take minutes)', done: 'built' }, context.log, () =>
      context.cache.withWorkFolder(async (directory) => {
        const built = await buildProgram(name, { directory, env, ...(signal ? { signal } : {}) });
        return { name, source: 'build' as const, ...(await keep(name, built, context)) };
      }),
    );
  } catch (error) {
    context.signal?.throwIfAborted();
    context.log(`${title}: no build (${messageOf(error).split('\n', 1)[0]})`);
    return { source: 'build', problem: messageOf(error) };
  }
}

/** Downloads or builds one program into the cache. Resolves to why not where neither worked; rejects only when aborted. */
export async function makeProgram(name: ProgramName, context: MakeContext): Promise<FoundProgram | Attempt[]> {
  const downloaded = await tryDownload(name, context);
  if ('path' in downloaded) return downloaded;
  const built = await tryBuild(name, context);
  return 'path' in built ? built : [downloaded, built];
}
