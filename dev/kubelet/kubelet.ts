import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import type { Client } from '#agent/cluster/client.ts';
import { type KindWatch, watchKind } from '#agent/cluster/watch.ts';
import { systemClock } from '#core/clock.ts';
import { messageOf } from '#core/errors.ts';
import { silentLog } from '#core/log.ts';
import { type Front, openFront } from './front.ts';
import { imageConfig } from './image.ts';
import { joinNode } from './node.ts';
import type { Pod } from './pod.ts';
import { type PodContext, PodRunner } from './pod-runner.ts';
import { findSandbox } from './sandbox.ts';

export interface KubeletOptions {
  /** With all rights; closed by who made it. */
  client: Client;
  /** `https://127.0.0.1:PORT`. */
  server: string;
  /** Of its Pods: their volumes and logs. */
  directory: string;
  node: string;
  /** Folders of `make rootfs` by the whole name of the image. At least one. */
  images: Record<string, string>;
  /** What happens to Pods, one line at a time. */
  log: (line: string) => void;
}

/**
 * Runs the Pods of one node as processes of this machine, from the files of the image: what kwok only claims. It knows what the
 * charts use (volumes, probes, sidecars, the order of an end) and refuses the rest.
 */
export interface Kubelet {
  node: string;
  /** Whether each container has a file tree of its own (sandbox.ts). */
  confined: boolean;
  /** The Pods that run now: of a namespace, or all. */
  pods(namespace?: string): PodRunner[];
  /** Stands in for a Service: what is connected to it is passed on to a Pod that is ready. */
  front(options: PodFront): Promise<Front>;
  /** From now on Pods of this image can be started. */
  addImage(name: string, rootfs: string): void;
  stop(): Promise<void>;
}

export interface PodFront {
  /** Of 127.0.0.1; 0: any free one. */
  port: number;
  /** Of the Pods that have all of these labels. */
  targetPort: number;
  namespace: string;
  labels: Record<string, string>;
}

export async function startKubelet(options: KubeletOptions): Promise<Kubelet> {
  const { client, server, node, images, log } = options;
  const image = await imageConfig();
  const { sandbox, confined } = await findSandbox(image, Object.values(images)[0]!);
  const { hostname, port } = new URL(server);
  const pods = new Pods({ client, image, images, sandbox, log, apiServer: { host: hostname, port } }, options.directory);
  const over = new AbortController();
  await joinNode(client, node, over.signal);
  const watch = await pods.follow(node);
  const fronts: Front[] = [];
  return {
    node,
    confined,
    pods: (namespace) => pods.all().filter(({ pod }) => namespace === undefined || pod.metadata.namespace === namespace),
    async front({ namespace, labels, port, targetPort }) {
      const isOurs = ({ pod, ready }: PodRunner): boolean =>
        ready &&
        pod.metadata.namespace === namespace &&
        Object.entries(labels).every(([key, value]) => pod.metadata.labels?.[key] === value);
      const front = await openFront({
        port,
        targets: () =>
          pods
            .all()
            .filter(isOurs)
            .map(({ address }) => ({ host: address, port: targetPort })),
      });
      fronts.push(front);
      return front;
    },
    addImage: (name, rootfs) => void (images[name] = rootfs),
    async stop() {
      over.abort();
      watch.stop();
      await Promise.all([pods.kill(), ...fronts.map((front) => front.close())]);
    },
  };
}

class Pods {
  readonly #context: PodContext;
  readonly #directory: string;
  readonly #runners = new Map<string, PodRunner>();
  /** A net of 127.0.0.0/8: other kubelets of this machine have others. */
  readonly #net = `127.${randomInt(64, 120)}.${randomInt(1, 255)}`;
  #hosts = 0;

  constructor(context: PodContext, directory: string) {
    this.#context = context;
    this.#directory = directory;
  }

  all(): PodRunner[] {
    return [...this.#runners.values()];
  }

  async follow(node: string): Promise<KindWatch> {
    const { client } = this.#context;
    const kind = (await client.kinds.find('v1', 'Pod'))!;
    const watch = watchKind(client, {
      kind,
      fieldSelector: `spec.nodeName=${node}`,
      onEvent: ({ type, object }) => this.#onPod(object as unknown as Pod, type === 'deleted'),
      clock: systemClock,
      random: Math.random,
      log: silentLog,
    });
    await watch.synced;
    return watch;
  }

  async kill(): Promise<void> {
    await Promise.all(this.all().map((runner) => runner.stop(0)));
  }

  #onPod(pod: Pod, deleted: boolean): void {
    const uid = pod.metadata.uid ?? '';
    const known = this.#runners.get(uid);
    if (deleted) void this.#end(uid, 0);
    else if (pod.metadata.deletionTimestamp) void this.#end(uid, undefined, pod);
    else if (!known) this.#begin(uid, pod);
  }

  #begin(uid: string, pod: Pod): void {
    const address = `${this.#net}.${1 + ((this.#hosts += 1) % 250)}`;
    const runner = new PodRunner(this.#context, { pod, address, folder: join(this.#directory, uid) });
    this.#runners.set(uid, runner);
    this.#context.log(`${pod.metadata.namespace}/${pod.metadata.name}: starts at ${address}`);
    runner.run().catch((error: unknown) => this.#context.log(`${pod.metadata.name}: ${messageOf(error)}`));
  }

  /** Removes the object once the containers have ended, as a kubelet does. */
  async #end(uid: string, graceMs: number | undefined, pod?: Pod): Promise<void> {
    const { client, log } = this.#context;
    await this.#runners.get(uid)?.stop(graceMs);
    this.#runners.delete(uid);
    if (!pod) return;
    const { namespace = '', name = '' } = pod.metadata;
    const body = { apiVersion: 'v1', kind: 'DeleteOptions', gracePeriodSeconds: 0, preconditions: { uid } };
    await client.transport
      .request({ method: 'DELETE', path: `/api/v1/namespaces/${namespace}/pods/${name}`, body })
      .catch((error: unknown) => log(`${name}: ${messageOf(error)}`));
    log(`${namespace}/${name}: has ended`);
  }
}
