import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import pLimit from 'p-limit';
import { GitError } from './client.ts';
import { gitEnvironment } from './environment.ts';
import { killGroup, startGit } from './process-group.ts';
import { whenFree } from './runner.ts';
import { untilAborted } from './single-flight.ts';

/** `OID TYPE SIZE` and two line breaks, with room to spare. */
const HEADER_BYTES = 128;
const MAX_STDERR_BYTES = 64 * 1024;

export interface ObjectRequest {
  oid: string;
  /** Bytes, from the listing of the tree; of others, the most that they may have. */
  size: number;
}

/** One answer that is being received. */
interface Receiving {
  /** What is not cut yet. */
  chunks: Buffer[];
  bytes: number;
  /** So many bytes make the next object whole, as far as is known. */
  need: number;
  /** What the whole answer may still have. */
  allowance: number;
  /** Objects that are still to come. */
  left: number;
  contents: Map<string, Buffer>;
  done: PromiseWithResolvers<Map<string, Buffer>>;
}

/**
 * Contents of objects by their id, through one `git cat-file --batch` that stays for the reads to come: to start a process
 * takes ten times as long as to read a folder. It is run here and not by simple-git, since it needs standard input. Never
 * takes more memory than the sizes promise. It ends with its standard input, so an agent that dies leaves none behind.
 */
export class ObjectReader {
  readonly #directory: string;
  readonly #home: string;
  readonly #lock = pLimit(1);
  #child: ChildProcessWithoutNullStreams | undefined;
  #receiving: Receiving | undefined;

  /** `directory`: a bare repository. `home`: an existing, empty folder. */
  constructor(directory: string, home: string) {
    this.#directory = directory;
    this.#home = home;
  }

  /** Rejects with GitError or the signal's reason; reads wait for each other no longer than that. */
  async read(objects: readonly ObjectRequest[], signal: AbortSignal): Promise<Map<string, Buffer>> {
    signal.throwIfAborted();
    const wanted = [...new Map(objects.map((object) => [object.oid, object])).values()];
    if (wanted.length === 0) return new Map();
    return whenFree(this.#lock, signal, () => this.#readNow(wanted, signal));
  }

  /** Kills the process, and with it the read under way. */
  end(): void {
    if (this.#child) killGroup(this.#child);
    this.#child = undefined;
  }

  async #readNow(wanted: readonly ObjectRequest[], signal: AbortSignal): Promise<Map<string, Buffer>> {
    const allowance = wanted.reduce((sum, { size }) => sum + size + HEADER_BYTES, 0);
    const done = Promise.withResolvers<Map<string, Buffer>>();
    done.promise.catch(() => undefined);
    this.#receiving = { chunks: [], bytes: 0, need: 1, allowance, left: wanted.length, contents: new Map(), done };
    const aborted = untilAborted(signal);
    try {
      this.#child ??= this.#start();
      this.#child.stdin.write(wanted.map(({ oid }) => `${oid}\n`).join(''));
      return await Promise.race([done.promise, aborted.promise]);
    } catch (error) {
      // What the process still has to say would be taken for the next answer.
      this.end();
      throw error;
    } finally {
      aborted.release();
      this.#receiving = undefined;
    }
  }

  #start(): ChildProcessWithoutNullStreams {
    const environment = gitEnvironment({ home: this.#home, directory: this.#directory });
    const child = startGit(['cat-file', '--batch'], { cwd: this.#home, environment });
    let stderr = '';
    const ended = (why: string): void => {
      if (this.#child !== child) return;
      this.#child = undefined;
      this.#receiving?.done.reject(new GitError('cat-file', stderr || why));
    };
    child.on('error', (error) => ended(error.message));
    child.on('close', (code) => ended(`ended with status ${String(code)}`));
    child.stdin.on('error', () => undefined);
    child.stderr.on('data', (chunk: Buffer) => {
      stderr = (stderr + chunk.toString('utf8')).slice(0, MAX_STDERR_BYTES);
    });
    child.stdout.on('data', (chunk: Buffer) => {
      if (this.#child === child && this.#receiving) take(this.#receiving, chunk);
    });
    return child;
  }
}

/** Cuts out what is complete; rejects what is not what was promised. */
function take(receiving: Receiving, chunk: Buffer): void {
  receiving.chunks.push(chunk);
  receiving.bytes += chunk.length;
  receiving.allowance -= chunk.length;
  try {
    if (receiving.allowance < 0) throw new GitError('cat-file', 'more output than the listing promised');
    if (receiving.bytes < receiving.need) return;
    const rest = cutObjects(receiving, Buffer.concat(receiving.chunks));
    [receiving.chunks, receiving.bytes] = [[rest], rest.length];
    if (receiving.left === 0) receiving.done.resolve(receiving.contents);
  } catch (error) {
    receiving.done.reject(error);
  }
}

/** git-cat-file(1), BATCH OUTPUT: `OID SP TYPE SP SIZE LF CONTENTS LF`, or `OID SP missing LF`. Returns what is left over. */
function cutObjects(receiving: Receiving, output: Buffer): Buffer {
  let at = 0;
  for (; receiving.left > 0; receiving.left--) {
    const lineEnd = output.indexOf(10, at);
    const line = output.subarray(at, lineEnd < 0 ? output.length : lineEnd).toString('latin1');
    receiving.need = line.length + 1;
    if (lineEnd < 0) break;
    const match = /^([0-9a-f]+) (?:blob|commit|tree) (\d+)$/.exec(line);
    if (!match) throw new GitError('cat-file', line);
    const end = lineEnd + 1 + Number(match[2]);
    receiving.need = end + 1 - at;
    if (end >= output.length) break;
    receiving.contents.set(match[1]!, output.subarray(lineEnd + 1, end));
    at = end + 1;
  }
  return output.subarray(at);
}
