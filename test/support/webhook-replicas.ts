import type { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:tls';
import { createClient } from '#agent/cluster/client.ts';
import { silentLog } from '#core/log.ts';
import { openFront } from '#dev/kubelet/front.ts';
import { freePorts } from '#dev/ports.ts';
import { webhookConfigurations } from '#dev/webhook.ts';
import { adminConnection } from './api-client.ts';
import { createNamespace, kubectl, kubectlApply } from './namespace.ts';
import { startWebhook, type WebhookProcess } from './webhook-process.ts';

const HANDSHAKE_MS = 5_000;
/** What asks while something happens. */
export interface Traffic {
  /** Side by side (default: 1). */
  workers?: number;
  /** Between two requests of one (default: 20). */
  pauseMs?: number;
}

/** Two webhooks behind what stands in for their Service, registered with `failurePolicy: Fail` for one namespace. */
export interface WebhookReplicas {
  replicas: WebhookProcess[];
  /** Of their Secret and Events. */
  system: string;
  /** Name of both configurations. */
  configuration: string;
  /** PEM of the bundle that the validating configuration holds. */
  liveBundle(): Promise<string>;
  /** Creates an Application as a dry run; rejects where the API server does. */
  admit(name: string): Promise<void>;
  /** Admits Applications one after the other until `work` is done. Resolves to what failed. */
  underTraffic(work: () => Promise<void>, traffic?: Traffic): Promise<string[]>;
  close(): Promise<void>;
}

/** `flagsOf` may prepare what a replica finds at its start. */
export async function startReplicas(flagsOf: (index: number, system: string) => Promise<Record<string, string>>): Promise<WebhookReplicas> {
  const [namespace, system] = await Promise.all([createNamespace(), createNamespace()]);
  const ports = await freePorts(2);
  const front = await openFront({ port: 0, targets: () => ports.map((port) => ({ host: '127.0.0.1', port })) });
  const configuration = `lateen-${front.port}`;
  const url = `https://127.0.0.1:${front.port}`;
  await kubectlApply(webhookConfigurations({ url, name: configuration, namespaces: [namespace], failurePolicy: 'Fail' }));
  const flags = await Promise.all(ports.map((_, index) => flagsOf(index, system)));
  // All at once: replicas race for the first certificate.
  const replicas = ports.map((port, index) => startWebhook(port, { namespace: system, configuration, ...flags[index] }));
  await Promise.all(replicas.map((one) => one.untilReady()));
  const client = createClient(await adminConnection(), { log: silentLog, userAgent: 'lateen-test' });
  const admit = async (name: string): Promise<void> => {
    const component = { name: 'a', type: 'kustomize', properties: { url: 'https://git.example/x', path: '.' } };
    const object = { apiVersion: 'core.oam.dev/v1beta1', kind: 'Application', metadata: { name, namespace } };
    await client.create({ ...object, spec: { components: [component] } }, { dryRun: true });
  };
  return {
    replicas,
    system,
    configuration,
    admit,
    async liveBundle() {
      const path = '{.webhooks[0].clientConfig.caBundle}';
      const text = await kubectl('get', 'validatingwebhookconfiguration', configuration, '-o', `jsonpath=${path}`);
      return Buffer.from(text, 'base64').toString();
    },
    underTraffic: (work, traffic) => underTraffic(admit, work, traffic),
    async close() {
      await kubectl('delete', 'mutatingwebhookconfiguration,validatingwebhookconfiguration', configuration);
      await Promise.all(replicas.map((one) => one.kill()));
      await front.close();
      client.transport.close();
    },
  };
}

async function underTraffic(
  admit: WebhookReplicas['admit'],
  work: () => Promise<void>,
  { workers = 1, pauseMs = 20 }: Traffic = {},
): Promise<string[]> {
  const failures: string[] = [];
  let over = false;
  const ask = async (worker: number): Promise<void> => {
    for (let index = 0; !over; index += 1) {
      await admit(`app-${worker}-${index}`).catch((error: Error) => failures.push(error.message));
      await sleep(pauseMs);
    }
  };
  const asking = Promise.all(Array.from({ length: workers }, (_, worker) => ask(worker)));
  await work().finally(() => {
    over = true;
  });
  await asking;
  return failures;
}

/** The certificate that a replica serves, verified with a bundle where one is given; rejects where it cannot be. */
export async function served(port: number, ca?: string): Promise<X509Certificate> {
  const socket = connect({ host: '127.0.0.1', port, ...(ca === undefined ? { rejectUnauthorized: false } : { ca }) });
  try {
    await once(socket, 'secureConnect', { signal: AbortSignal.timeout(HANDSHAKE_MS) });
    return socket.getPeerX509Certificate()!;
  } finally {
    socket.destroy();
  }
}
