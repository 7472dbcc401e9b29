import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '#agent/cluster/client.ts';
import { messageOf } from '#core/errors.ts';
import { planContainer } from './container-plan.ts';
import { ContainerRunner } from './container-runner.ts';
import type { ImageConfig } from './image.ts';
import type { Container, Pod } from './pod.ts';
import { type Standing, statusPatch } from './pod-status.ts';
import type { Sandbox } from './sandbox.ts';
import { mountVolumes } from './volumes.ts';

/** What the Pods of one kubelet have in common. */
export interface PodContext {
  client: Client;
  apiServer: { host: string; port: string };
  image: ImageConfig;
  /** Folders of `make rootfs` by the name of the image. */
  images: Readonly<Record<string, string>>;
  sandbox: Sandbox;
  log: (line: string) => void;
}

const RETRY_MS = 500;
/** How soon the files of a mounted Secret follow it, and a token is renewed; a kubelet takes up to a minute. */
const REFRESH_MS = 5_000;
const DEFAULT_GRACE_SECONDS = 30;

/** One Pod, from its volumes to the end of its containers. */
export class PodRunner {
  readonly pod: Pod;
  /** A loopback address of its own. */
  readonly address: string;
  readonly #context: PodContext;
  readonly #folder: string;
  readonly #stopping = new AbortController();
  #runners: ContainerRunner[] = [];
  #waiting: Standing[] = [];
  #writing: Promise<void> = Promise.resolve();

  constructor(context: PodContext, { pod, address, folder }: { pod: Pod; address: string; folder: string }) {
    this.#context = context;
    this.pod = pod;
    this.address = address;
    this.#folder = folder;
  }

  /** Whether all of its containers are ready and it is not about to end. */
  get ready(): boolean {
    return !this.#stopping.signal.aborted && this.#runners.length > 0 && this.#runners.every(({ standing }) => standing.ready);
  }

  logFile(container: string): string {
    return join(this.#folder, `${container}.log`);
  }

  /** Resolves when its containers have been started, or it is stopped. */
  async run(): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    const { signal } = this.#stopping;
    const volumes = await this.#untilMounted();
    if (!volumes) return;
    const { initContainers = [], containers } = this.pod.spec;
    const lost = [...initContainers, ...containers].find(({ image }) => this.#context.images[image] === undefined);
    if (lost) return this.#waitFor(lost);
    this.#runners = [...initContainers, ...containers].map((container) => this.#runner(container, volumes));
    for (const runner of this.#runners.slice(0, initContainers.length)) await this.#startSidecar(runner);
    for (const runner of this.#runners.slice(initContainers.length)) if (!signal.aborted) runner.start();
    void this.#refresh();
  }

  /** Containers first, sidecars after them. */
  async stop(graceMs = (this.pod.spec.terminationGracePeriodSeconds ?? DEFAULT_GRACE_SECONDS) * 1000): Promise<void> {
    this.#stopping.abort();
    const sidecars = this.pod.spec.initContainers?.length ?? 0;
    await Promise.all(this.#runners.slice(sidecars).map((runner) => runner.stop(graceMs)));
    for (const runner of this.#runners.slice(0, sidecars).toReversed()) await runner.stop(graceMs);
  }

  async #untilMounted(): Promise<Record<string, string> | undefined> {
    let told = '';
    while (!this.#stopping.signal.aborted) {
      try {
        return await mountVolumes(this.#context.client, this.pod, this.#folder);
      } catch (error) {
        if (messageOf(error) !== told) this.#context.log(`${this.pod.metadata.name}: ${messageOf(error)}`);
        told = messageOf(error);
      }
      await sleep(RETRY_MS, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
    }
    return undefined;
  }

  async #refresh(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await sleep(REFRESH_MS, undefined, { signal }).catch(() => undefined);
      if (!signal.aborted) await mountVolumes(this.#context.client, this.pod, this.#folder).catch(() => undefined);
    }
  }

  async #startSidecar(runner: ContainerRunner): Promise<void> {
    const { name, restartPolicy } = runner.standing.container;
    if (restartPolicy !== 'Always') throw new Error(`the workbench's kubelet runs no init container but a sidecar: ${name}`);
    runner.start();
    while (!runner.standing.started && !this.#stopping.signal.aborted) await sleep(RETRY_MS / 5);
  }

  /** An image that nobody has: as a registry would say. */
  #waitFor({ name, image }: Container): void {
    this.#context.log(`${this.pod.metadata.name}: the image ${image} of ${name} is not there`);
    const { initContainers = [], containers } = this.pod.spec;
    const waiting = { state: 'waiting', why: 'ImagePullBackOff', started: false, ready: false, restarts: 0 } as const;
    this.#waiting = [...initContainers, ...containers].map((container) => ({ container, ...waiting }));
    this.#writeStatus();
  }

  #runner(container: Container, volumes: Record<string, string>): ContainerRunner {
    const { image, images, sandbox, apiServer, log } = this.#context;
    const { pod, address } = this;
    const folder = join(this.#folder, container.name);
    return new ContainerRunner({
      container,
      address,
      folder,
      logFile: this.logFile(container.name),
      command: () => {
        const plan = planContainer({ pod, container, image, volumes, apiServer, address });
        return sandbox({ plan, image, rootfs: images[container.image]!, folder });
      },
      onChange: () => this.#writeStatus(),
      log: (line) => log(`${pod.metadata.name}/${line}`),
    });
  }

  /** One after another, so that the last one says how things are. */
  #writeStatus(): void {
    const { client, log } = this.#context;
    const { namespace = '', name = '' } = this.pod.metadata;
    this.#writing = this.#writing.then(async () => {
      const standings = this.#runners.length > 0 ? this.#runners.map(({ standing }) => standing) : this.#waiting;
      const body = statusPatch(this.pod, standings, `${new Date().toISOString().slice(0, 19)}Z`);
      const path = `/api/v1/namespaces/${namespace}/pods/${name}/status`;
      const contentType = 'application/strategic-merge-patch+json';
      const { status } = await client.transport.request({ method: 'PATCH', path, body, contentType });
      if (status >= 300 && status !== 404) log(`${name}: its status cannot be written: ${status}`);
    });
    this.#writing = this.#writing.catch((error: unknown) => log(`${name}: ${messageOf(error)}`));
  }
}
