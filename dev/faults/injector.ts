import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiFault, ApiRequest } from './api-proxy.ts';
import type { Random } from './random.ts';
import type { World } from './world.ts';

/** A fault that waits for its request. */
interface Armed {
  name: string;
  /** Requests that fit and are let through first. */
  skip: number;
  fits: (request: ApiRequest) => boolean;
  fault: ApiFault;
  /** Kills the agent there. */
  kill?: 'before' | 'after';
}

const STATUSES = [409, 410, 429, 500] as const;
/** Beyond the lease of six seconds, now and then. */
const PAUSES_MS = [300, 1_000, 2_500, 7_000] as const;

/** Lets things go wrong in one world, and counts what did. */
export class Injector {
  readonly counts = new Map<string, number>();
  readonly #world: World;
  readonly #repository: string;
  readonly #random: Random;
  readonly #armed = new Set<Armed>();
  readonly #under: Promise<unknown>[] = [];
  #slow = 0;
  #killed = false;

  constructor(world: World, repository: string, random: Random) {
    this.#world = world;
    this.#repository = repository;
    this.#random = random;
    world.proxy.hooks = { before: (request) => this.#before(request), after: (request) => this.#after(request) };
  }

  /** One more thing that goes wrong, now or soon. Killed, the agent stays so until revive(). */
  inject(): void {
    const faults = [
      () => this.#arm('status', (status) => ({ status, retryAfterSeconds: this.#random.between(0, 1) })),
      () => this.#arm('status', (status) => ({ status })),
      () => this.#arm('cut before', () => ({ cut: 'before' })),
      () => this.#arm('cut after', () => ({ cut: 'after' })),
      () => this.#arm('cut after', () => ({ cut: 'after' })),
      () => this.#arm('kill before', () => ({}), 'before'),
      () => this.#arm('kill after', () => ({}), 'after'),
      () => this.#arm('kill after', () => ({}), 'after'),
      () => this.#slowDown(),
      () => this.#watches(),
      () => this.#git(),
      () => this.#git(),
      () => this.#pause(),
      () => this.#later('kill', () => this.#kill()),
      () => this.#later('clock jumps', () => this.#world.agent.jumpClock()),
      () => this.#later('connections cut', () => this.#world.proxy.cut()),
      () => this.#later('kustomize killed', () => this.#world.killKustomize()),
      () => this.#disk(),
    ];
    this.#random.pick(faults)();
  }

  /** Nothing goes wrong any more; a dead agent is started again. */
  async end(): Promise<void> {
    await this.revive();
    this.#armed.clear();
    this.#slow = 0;
    this.#world.proxy.hooks = {};
    this.#world.proxy.endWatches('reset');
    this.#world.git.setFault(this.#repository, undefined);
    await this.#world.agent.fillDisk(false);
  }

  /** Waits for what is under way; starts the agent where it was killed. */
  async revive(): Promise<void> {
    await Promise.all(this.#under.splice(0));
    // It may be killed again before it is ready.
    while (this.#killed) {
      this.#killed = false;
      await this.#world.startAgent();
    }
  }

  #count(name: string): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
  }

  #arm(name: string, fault: (status: (typeof STATUSES)[number]) => ApiFault, kill?: 'before' | 'after'): void {
    const status = this.#random.pick(STATUSES);
    const writes = kill !== undefined || this.#random.chance(0.75);
    const fits = writes ? ({ write }: ApiRequest) => write : ({ watch, path }: ApiRequest) => !watch && !path.includes('/leases');
    const armed = { name: name === 'status' ? `answered ${status}` : name, skip: this.#random.between(0, 7), fits, fault: fault(status) };
    this.#armed.add(kill ? { ...armed, kill } : armed);
  }

  async #before(request: ApiRequest): Promise<ApiFault | undefined> {
    const slow = this.#slow > 0 ? { delayMs: this.#slow } : {};
    for (const armed of this.#armed) {
      if (!armed.fits(request) || armed.kill === 'after') continue;
      if (armed.skip-- > 0) continue;
      this.#armed.delete(armed);
      this.#count(armed.name);
      if (!armed.kill) return { ...slow, ...armed.fault };
      await this.#kill();
      return { cut: 'before' };
    }
    return slow;
  }

  async #after(request: ApiRequest): Promise<boolean> {
    for (const armed of this.#armed) {
      if (armed.kill !== 'after' || !armed.fits(request) || armed.skip-- > 0) continue;
      this.#armed.delete(armed);
      this.#count(armed.name);
      await this.#kill();
      return true;
    }
    return false;
  }

  async #kill(): Promise<void> {
    this.#killed = true;
    await this.#world.agent.kill();
  }

  #slowDown(): void {
    this.#count('slow API server');
    this.#slow = this.#random.between(20, 300);
  }

  #watches(): void {
    const end = this.#random.pick(['end', 'reset', 'silence'] as const);
    this.#later(`watches: ${end}`, () => this.#world.proxy.endWatches(end));
  }

  #git(): void {
    const fault = this.#random.pick([
      { hang: true },
      { status: 500 },
      { status: 503 },
      { cutAfterBytes: 40 },
      { delayMs: 700 },
      { status: 401 },
    ]);
    this.#count(`git: ${JSON.stringify(fault).replaceAll(/[{}"]/g, '')}`);
    this.#world.git.setFault(this.#repository, fault);
    this.#under.push(sleep(this.#random.between(300, 2_500)).then(() => this.#world.git.setFault(this.#repository, undefined)));
  }

  #pause(): void {
    const ms = this.#random.pick(PAUSES_MS);
    const { agent } = this.#world;
    this.#count('paused');
    agent.freeze();
    this.#under.push(sleep(ms).then(() => agent.thaw()));
  }

  #disk(): void {
    const { agent } = this.#world;
    const work = async (): Promise<void> => {
      if (!(await agent.fillDisk(true).catch(() => false))) return;
      this.#count('disk full');
      await sleep(this.#random.between(500, 2_500));
      await agent.fillDisk(false).catch(() => false);
    };
    this.#under.push(work());
  }

  #later(name: string, work: () => unknown): void {
    const run = async (): Promise<void> => {
      await sleep(this.#random.between(0, 1_000));
      this.#count(name);
      await work();
    };
    this.#under.push(run());
  }
}
