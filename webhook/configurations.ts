import type { KubeObject } from '#api/kubernetes.ts';
import { certificatesIn } from '#certs/bundle.ts';
import type { Cluster } from './cluster.ts';

/** The two webhook configurations: ours is nothing in them but caBundle. */

export interface Configuration {
  path: string;
  /** Undefined: it is not there. */
  object: (KubeObject & { webhooks?: { name: string; clientConfig: { caBundle?: string } }[] }) | undefined;
}

const KINDS = ['mutatingwebhookconfigurations', 'validatingwebhookconfigurations'] as const;

/** Both, as the API server has them now. */
export function readConfigurations(cluster: Cluster, name: string): Promise<Configuration[]> {
  return Promise.all(
    KINDS.map(async (kind) => {
      const path = `/apis/admissionregistration.k8s.io/v1/${kind}/${name}`;
      const { status, object } = await cluster.call('GET', path);
      if (status !== 200 && status !== 404) throw new Error(`GET ${path}: ${status} ${String(object['message'])}`);
      return { path, object: status === 200 ? (object as NonNullable<Configuration['object']>) : undefined };
    }),
  );
}

/** The bundles that the API server trusts now, as PEM texts, one for each webhook. */
export function bundlesIn(configurations: readonly Configuration[]): string[] {
  return configurations.flatMap(({ object }) =>
    (object?.webhooks ?? []).map(({ clientConfig }) => Buffer.from(clientConfig.caBundle ?? '', 'base64').toString('utf8')),
  );
}

/** Whether both are there and every webhook of theirs trusts all of the bundle. */
export function haveBundle(configurations: readonly Configuration[], bundle: string): boolean {
  const wanted = certificatesIn(bundle);
  return (
    configurations.every(({ object }) => (object?.webhooks ?? []).length > 0) &&
    bundlesIn(configurations).every((live) => wanted.every((pem) => certificatesIn(live).includes(pem)))
  );
}

/**
 * Writes the bundle where another one stands. The resourceVersion is that of the configuration as it was read before the
 * state of the certificates, so an older bundle never replaces a newer one. Resolves to how many were written.
 */
export async function writeBundle(cluster: Cluster, configurations: readonly Configuration[], bundle: string): Promise<number> {
  const caBundle = Buffer.from(bundle).toString('base64');
  const written = configurations.map(async ({ path, object }) => {
    const stale = (object?.webhooks ?? []).flatMap(({ clientConfig }, index) => (clientConfig.caBundle === caBundle ? [] : [index]));
    if (!object || stale.length === 0) return 0;
    const version = { op: 'test', path: '/metadata/resourceVersion', value: object.metadata.resourceVersion };
    const patch = [version, ...stale.map((index) => ({ op: 'add', path: `/webhooks/${index}/clientConfig/caBundle`, value: caBundle }))];
    const { status, object: answer } = await cluster.call('PATCH', path, patch);
    // Somebody was faster: the next look will tell.
    if (status === 409 || status === 422) return 0;
    if (status !== 200) throw new Error(`PATCH ${path}: ${status} ${String(answer['message'])}`);
    return 1;
  });
  return (await Promise.all(written)).filter((count) => count > 0).length;
}
