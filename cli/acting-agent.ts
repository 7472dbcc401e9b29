import { ApiError } from '#agent/cluster/client.ts';
import { isLeaseOver, type Lease } from '#agent/cluster/lease.ts';
import { AGENT_NAME } from '#api/names.ts';
import type { Cluster } from './cluster.ts';

const DEADLINE_MS = 15_000;

/** Whether an agent holds the Lease of the namespace. `unknown`: whoever asks may not read Leases. */
export async function actingAgent({ client, namespace }: Cluster): Promise<'acts' | 'none' | 'unknown'> {
  const path = `/apis/coordination.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/leases/${AGENT_NAME}`;
  const { status, body } = await client.transport.request({ method: 'GET', path, timeoutMs: DEADLINE_MS });
  if (status === 403) return 'unknown';
  if (status === 404) return 'none';
  if (status >= 300) {
    const asked = { verb: 'get', resource: 'leases', group: 'coordination.k8s.io', namespace, name: AGENT_NAME };
    throw new ApiError(status, body, asked);
  }
  const lease = body as Lease;
  return lease.spec?.holderIdentity && !isLeaseOver(lease, client.transport.serverNow()) ? 'acts' : 'none';
}
