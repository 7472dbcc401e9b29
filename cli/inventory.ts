import { fromConfigMap, type Inventory, inventoryName } from '#agent/manifest/inventory.ts';
import type { Cluster } from './cluster.ts';

const DEADLINE_MS = 15_000;

/** What the agent has recorded for an Application; undefined where it has applied nothing yet. */
export async function readInventory({ client, namespace }: Cluster, application: string): Promise<Inventory | undefined> {
  const reference = { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: inventoryName(application) };
  const object = await client.get(reference, { timeoutMs: DEADLINE_MS });
  return object && fromConfigMap(object);
}
