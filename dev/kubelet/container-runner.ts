import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '#core/errors.ts';
import { type ManagedProcess, startProcess } from '../lifeline.ts';
import { probe } from './probes.ts';
import type { Container } from './pod.ts';
import type { Standing } from './pod-status.ts';
import type { Command } from './sandbox.ts';

export interface ContainerOptions {
  container: Container;
  /** The loopback address of its Pod. */
  address: string;
  folder: string;
  logFile: string;
  /** Made anew for each start. */
  command: () => Promise<Command>;
  onChange: () => void;
  log: (line: string) => void;
}

const FIRST_RESTART_MS = 1_000;
const LONGEST_RESTART_MS = 10_000;

/** One container: its process, its probes, and starting it again when it ends. */
export class ContainerRunner {
  readonly #options: ContainerOptions;
  readonly standing: Standing;
  readonly #stopping = new AbortController();
  #process: ManagedProcess | undefined;
  #over: Promise<void> = Promise.resolve();

  constructor(options: ContainerOptions) {
    this.#options = options;
    this.standing = { container: options.container, state: 'waiting', started: false, ready: false, restarts: 0 };
  }

  /** Runs it until stop. */
  start(): void {
    this.#over = this.#run();
  }

  /** SIGTERM, and SIGKILL after the time. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping.abort();
    await this.#process?.stop(graceMs);
    await this.#over;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        await this.#once();
      } catch (error) {
        this.#options.log(`${this.#options.container.name}: ${messageOf(error)}`);
      }
      if (signal.aborted) return;
      this.#tell({ state: 'waiting', why: 'CrashLoopBackOff', started: false, ready: false, restarts: this.standing.restarts + 1 });
      const pauseMs = Math.min(LONGEST_RESTART_MS, FIRST_RESTART_MS * 2 ** (this.standing.restarts - 1));
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Resolves when its process has ended. */
  async #once(): Promise<void> {
    const { container, address, folder, logFile, log } = this.#options;
    await mkdir(folder, { recursive: true });
    const { argv, env } = await this.#options.command();
    if (this.#stopping.signal.aborted) return;
    const child = await startProcess({ name: container.name, command: argv[0]!, args: argv.slice(1), env, cwd: join(folder), logFile });
    this.#process = child;
    const ended = new AbortController();
    void child.exited.then(() => ended.abort());
    const since = `${new Date().toISOString().slice(0, 19)}Z`;
    this.#tell({ state: 'running', since, started: !container.startupProbe });
    const onDead = (why: string): void => {
      log(`${container.name}: ${why}`);
      void child.stop();
    };
    const onReady = (ready: boolean): void => this.#tell({ started: true, ready });
    const signal = AbortSignal.any([ended.signal, this.#stopping.signal]);
    await Promise.all([child.exited, probe({ container, address, signal, onReady, onDead })]);
  }

  #tell(changes: Partial<Standing>): void {
    const before = JSON.stringify(this.standing);
    Object.assign(this.standing, changes);
    if (JSON.stringify(this.standing) !== before) this.#options.onChange();
  }
}
