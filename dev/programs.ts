import { delimiter } from 'node:path';
import { createDownloader, DOWNLOAD_LIMITS, type DownloadLimits } from './download.ts';
import { GO_REMEDY, goProblem } from './go-build.ts';
import { findInstalled } from './installed-programs.ts';
import { type Attempt, type MakeContext, makeProgram } from './make-program.ts';
import { cacheFolder, createProgramCache } from './program-cache.ts';
import { currentPlatform, RELEASE_HOSTS, type ReleaseHosts } from './releases.ts';
import { type FoundProgram, PROGRAMS, type ProgramName } from './versions.ts';

export type { FoundProgram, ProgramName } from './versions.ts';

/** Absolute paths by name. */
export type Programs<Name extends ProgramName = ProgramName> = Record<Name, string>;

export interface ProgramOptions {
  /** PATH, KUBEBUILDER_ASSETS, XDG_CACHE_HOME, and what go reads. Default: that of this process. */
  env?: NodeJS.ProcessEnv;
  /** Progress, one line at a time. Default: to standard error. */
  log?: (line: string) => void;
  hosts?: ReleaseHosts;
  limits?: DownloadLimits;
  /** False: nothing is built. */
  build?: boolean;
  signal?: AbortSignal;
}

/** What could not be had, why each source failed, and what to install. */
export class ProgramsMissing extends Error {
  readonly names: ProgramName[];

  constructor(failed: Map<ProgramName, Attempt[]>, goIsMissing: boolean) {
    const programs = [...failed].map(([name, attempts]) => {
      const lines = attempts.map(({ source, problem }) => `    ${source}: ${problem.replaceAll('\n', '\n      ')}`);
      return [`  ${name} ${PROGRAMS[name].version}`, ...lines].join('\n');
    });
    const remedy = goIsMissing ? GO_REMEDY : 'repair what go says above';
    super(
      `${failed.size === 1 ? 'This program' : 'These programs'} could not be had:\n${programs.join('\n')}\n` +
        `What to do: ${remedy}, or let this machine reach the download hosts above, or install the programs themselves ` +
        'and put their folder into PATH or KUBEBUILDER_ASSETS. Then run the same command again.',
    );
    this.name = 'ProgramsMissing';
    this.names = [...failed.keys()];
  }
}

function toStandardError(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Folders in the order in which they are searched, with what they are called to people. */
function searchPath(env: NodeJS.ProcessEnv): { folder: string; source: 'KUBEBUILDER_ASSETS' | 'PATH' }[] {
  const assets = env['KUBEBUILDER_ASSETS'] ? [{ folder: env['KUBEBUILDER_ASSETS'], source: 'KUBEBUILDER_ASSETS' as const }] : [];
  const path = (env['PATH'] ?? '').split(delimiter).filter(Boolean);
  return [...assets, ...[...new Set(path)].map((folder) => ({ folder, source: 'PATH' as const }))];
}

/** The programs of Kubernetes share almost all packages, so they are made one after another; the rest beside them. */
function lanes(names: ProgramName[]): ProgramName[][] {
  const ofKubernetes = (name: ProgramName): boolean => name.startsWith('kube');
  return [names.filter(ofKubernetes), names.filter((name) => !ofKubernetes(name))];
}

interface Missing {
  found: Map<ProgramName, FoundProgram>;
  failed: Map<ProgramName, Attempt[]>;
}

async function makeLane(names: ProgramName[], context: MakeContext, result: Missing): Promise<void> {
  for (const name of names) {
    const made = await makeProgram(name, context);
    if (Array.isArray(made)) result.failed.set(name, [...(result.failed.get(name) ?? []), ...made]);
    else {
      result.failed.delete(name);
      result.found.set(name, made);
    }
  }
}

async function lookUp(name: ProgramName, context: MakeContext, folders: ReturnType<typeof searchPath>): Promise<FoundProgram | Attempt> {
  const { found, refused } = await findInstalled(name, folders);
  if (found) return found;
  const path = await context.cache.find(name);
  if (path) return { name, path, version: PROGRAMS[name].version, source: 'cache' };
  const problem = refused.length > 0 ? refused.join('; ') : 'not in PATH or KUBEBUILDER_ASSETS';
  return { source: 'installed', problem };
}

async function lookUpAll(names: readonly ProgramName[], context: MakeContext, env: NodeJS.ProcessEnv): Promise<Missing> {
  const folders = searchPath(env);
  const result: Missing = { found: new Map(), failed: new Map() };
  const looked = await Promise.all(names.map(async (name) => ({ name, one: await lookUp(name, context, folders) })));
  for (const { name, one } of looked) {
    if ('path' in one) result.found.set(name, one);
    else result.failed.set(name, [one]);
  }
  return result;
}

/**
 * Finds each program, or else gets it: installed (KUBEBUILDER_ASSETS, PATH), cache, official download, go build.
 * Throws ProgramsMissing where one cannot be had. In the order of `names`.
 */
export async function findPrograms(names: readonly ProgramName[], options: ProgramOptions = {}): Promise<FoundProgram[]> {
  const { env = process.env, log = toStandardError, hosts = RELEASE_HOSTS, limits = DOWNLOAD_LIMITS, build = true, signal } = options;
  const context: MakeContext = {
    cache: createProgramCache(cacheFolder(env)),
    downloader: createDownloader(limits, env),
    platform: currentPlatform(),
    hosts,
    env,
    log,
    noBuild: build ? undefined : 'switched off',
    ...(signal ? { signal } : {}),
  };
  const result = await lookUpAll(names, context, env);
  if (result.failed.size > 0) {
    const goIsMissing = await goProblem(env);
    context.noBuild ??= goIsMissing;
    await Promise.all(lanes([...result.failed.keys()]).map((lane) => makeLane(lane, context, result)));
    if (result.failed.size > 0) throw new ProgramsMissing(result.failed, goIsMissing !== undefined);
  }
  return names.map((name) => result.found.get(name)!);
}

/** The paths of the programs asked for; see findPrograms. */
export async function programs<Name extends ProgramName>(names: readonly Name[], options: ProgramOptions = {}): Promise<Programs<Name>> {
  const found = await findPrograms(names, options);
  return Object.fromEntries(found.map(({ name, path }) => [name, path])) as Programs<Name>;
}
