import pLimit, { type LimitFunction } from 'p-limit';
import { createLanes, type Lanes } from '#core/lanes.ts';
import type { Log } from '#core/log.ts';
import { runGit } from './client.ts';
import { gitEnvironment } from './environment.ts';
import { feedGit } from './process-group.ts';
import { untilAborted } from './single-flight.ts';
import type { GitLimits, Repository } from './types.ts';
import type { WorkFolder } from './work-folder.ts';

/** A server that takes longer than this to answer waits beside the others, not in front of them. */
export const SLOW_MS = 3_000;
/** So many times as many processes there are when all servers are slow. A waiting git takes 10 MB, most of it shared. */
export const SLOW_SHARE = 8;

/** Git processes that only read the disk; they never wait for a server, so they have places of their own. */
const MAX_LOCAL = 4;

export interface RunnerOptions {
  folder: WorkFolder;
  wrapper: string;
  /** Git processes that talk to servers, side by side. */
  maxConcurrent: number;
  limits: GitLimits;
  log: Log;
}

/** Runs git in its environment, no more at a time than there are places. Rejects with GitError or the signal's reason. */
export class Runner {
  readonly #options: RunnerOptions;
  readonly #wire: Lanes;
  readonly #local = pLimit(MAX_LOCAL);

  constructor(options: RunnerOptions) {
    this.#options = options;
    const { maxConcurrent } = options;
    this.#wire = createLanes({ quick: maxConcurrent, slowAfterMs: SLOW_MS, most: maxConcurrent * SLOW_SHARE });
  }

  /** Talks to the server, with the credentials of the repository; `directory` is where objects go to. */
  onWire(repository: Repository, args: string[], signal: AbortSignal, directory?: string): Promise<string> {
    return this.#wire.run(signal, async () => {
      const { folder, limits, log } = this.#options;
      const { credentials } = repository;
      const home = await folder.folder('home');
      const environment = gitEnvironment({
        home,
        maxFileBytes: limits.packBytes,
        ...(directory ? { directory } : {}),
        ...(credentials ? { credentials } : {}),
        ...(credentials?.caCert ? { caFile: await folder.certificateFile(credentials.caCert) } : {}),
      });
      const begun = performance.now();
      try {
        return await this.#run(args, environment, home, signal);
      } finally {
        log.debug('git', { command: args[0], url: repository.url, ms: Math.round(performance.now() - begun) });
      }
    });
  }

  /** Reads or makes a repository on disk. */
  local(directory: string, args: string[], signal: AbortSignal): Promise<string> {
    return whenFree(this.#local, signal, async () => {
      const home = await this.#options.folder.folder('home');
      return this.#run(args, gitEnvironment({ home, directory }), home, signal);
    });
  }

  /** As `local`, for what reads its standard input and prints nothing that is asked for. */
  feed(directory: string, args: readonly string[], input: Buffer, signal: AbortSignal): Promise<void> {
    return whenFree(this.#local, signal, async () => {
      const home = await this.#options.folder.folder('home');
      return feedGit({ args, environment: gitEnvironment({ home, directory }), cwd: home, input, signal });
    });
  }

  #run(args: string[], environment: Record<string, string>, cwd: string, signal: AbortSignal): Promise<string> {
    const { wrapper, limits } = this.#options;
    return runGit({ args, environment, cwd, wrapper, maxOutputBytes: limits.outputBytes, signal });
  }
}

/** Waits for a place no longer than until `signal`; once the work has begun it watches the signal itself. */
export async function whenFree<Result>(limit: LimitFunction, signal: AbortSignal, work: () => Promise<Result>): Promise<Result> {
  const waiting = untilAborted(signal);
  const run = limit(() => {
    waiting.release();
    signal.throwIfAborted();
    return work();
  });
  return Promise.race([run, waiting.promise]).finally(waiting.release);
}
