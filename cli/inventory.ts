import { fromConfigMap, type Inventory, INVENTORY_SELECTOR, inventoryName } from '#agent/manifest/inventory.ts';
import { fromSharedConfigMap, isShared } from '#agent/manifest/shared-inventory.ts';
import type { Cluster } from './cluster.ts';

const DEADLINE_MS = 15_000;

/** What the agent has recorded for an Application; undefined where it has applied nothing yet. */
export async function readInventory(cluster: Cluster, application: string): Promise<Inventory | undefined> {
  const { client, namespace } = cluster;
  const reference = { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: inventoryName(application) };
  const object = await client.get(reference, { timeoutMs: DEADLINE_MS });
  return object ? fromConfigMap(object) : readShared(cluster, application);
}

/** Applications that were applied together with many others have theirs in a ConfigMap that they share. */
async function readShared({ client, namespace }: Cluster, application: string): Promise<Inventory | undefined> {
  const kind = await client.kinds.find('v1', 'ConfigMap');
  const objects = kind ? await client.list(kind, { namespace, labelSelector: INVENTORY_SELECTOR, timeoutMs: DEADLINE_MS }) : [];
  for (const content of objects.filter(isShared).map(fromSharedConfigMap)) {
    const damaged = content.damaged.get(application);
    if (damaged) throw damaged;
    const inventory = content.inventories.get(application);
    if (inventory) return inventory;
  }
  return undefined;
}
