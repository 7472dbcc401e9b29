import { randomBytes } from 'node:crypto';
import { inject, onTestFinished } from 'vitest';
import { type Client, createClient } from '#agent/cluster/client.ts';
import { type Connection, kubeconfigConnection } from '#agent/cluster/connection.ts';
import type { KubeObject } from '#api/kubernetes.ts';
import { silentLog } from '#core/log.ts';
import { kubectl } from './namespace.ts';

/** The connection with all rights to the control plane of this run. */
export function adminConnection(): Promise<Connection> {
  return kubeconfigConnection({ path: inject('plane').kubeconfig });
}

/** A client that is closed at the end of the test. */
export function testClient(connection: Connection, options: { maxInFlight?: number; now?: () => number } = {}): Client {
  const client = createClient(connection, { log: silentLog, userAgent: 'lateen-test', ...options });
  onTestFinished(() => client.transport.close());
  return client;
}

/** The connection of a ServiceAccount that has no right beyond those of everyone. */
export async function powerlessConnection(namespace: string): Promise<Connection> {
  const token = (await kubectl('create', 'token', 'default', '-n', namespace)).trim();
  const { server, ca } = await adminConnection();
  return { server, ...(ca ? { ca } : {}), token: () => Promise.resolve(token) };
}

export function configMap(namespace: string, data: Record<string, string> = {}, name = `cm-${randomBytes(4).toString('hex')}`): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data };
}
