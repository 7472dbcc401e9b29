// The same requests through our thin client or through @kubernetes/client-node: `clients.ts thin|library FILE`.
// FILE is a ClientInput; prints a ClientResult.
import { readFileSync } from 'node:fs';
import pLimit from 'p-limit';
import type { KubeObject } from '#api/kubernetes.ts';
import { FIELD_MANAGER } from '#api/names.ts';
import { silentLog } from '#core/log.ts';

export interface ClientInput {
  kubeconfig: string;
  concurrency: number;
  objects: KubeObject[];
}

export interface ClientResult {
  ms: number;
  cpuSeconds: number;
}

/** Applies and reads one object. */
type Send = (object: KubeObject) => Promise<void>;

interface Sender {
  send: Send;
  close(): void;
}

async function thin(kubeconfig: string): Promise<Sender> {
  const [{ createClient }, { kubeconfigConnection }] = await Promise.all([
    import('#agent/cluster/client.ts'),
    import('#agent/cluster/connection.ts'),
  ]);
  const client = createClient(await kubeconfigConnection({ path: kubeconfig }), { log: silentLog, userAgent: 'lateen-bench' });
  return {
    async send(object) {
      await client.apply(object);
      const { apiVersion, kind, metadata } = object;
      await client.get({ apiVersion, kind, namespace: metadata.namespace ?? '', name: metadata.name ?? '' });
    },
    close: () => client.transport.close(),
  };
}

async function library(kubeconfig: string): Promise<Sender> {
  const { KubeConfig, KubernetesObjectApi, PatchStrategy } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  const api = KubernetesObjectApi.makeApiClient(config);
  return {
    async send(object) {
      const { apiVersion, kind } = object;
      const { name = '', namespace = '' } = object.metadata;
      // Its type of an object wants dates where JSON has texts.
      const typed = object as unknown as Parameters<typeof api.patch>[0];
      await api.patch(typed, undefined, undefined, FIELD_MANAGER, true, PatchStrategy.ServerSideApply);
      await api.read({ apiVersion, kind, metadata: { name, namespace } });
    },
    close: () => undefined,
  };
}

const [which = '', file = ''] = process.argv.slice(2);
const input = JSON.parse(readFileSync(file, 'utf8')) as ClientInput;
const { send, close } = await (which === 'library' ? library : thin)(input.kubeconfig);
const limit = pLimit(input.concurrency);
const [first, ...rest] = input.objects;
// Discovery is paid for before.
if (first) await send(first);
const [begun, cpu] = [performance.now(), process.cpuUsage()];
await Promise.all(rest.map((object) => limit(send, object)));
const ms = performance.now() - begun;
const { user, system } = process.cpuUsage(cpu);
process.stdout.write(`${JSON.stringify({ ms, cpuSeconds: (user + system) / 1e6 } satisfies ClientResult)}\n`);
close();
