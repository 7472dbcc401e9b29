import type { Holding } from '#agent/cluster/handback.ts';
import { type Inventory, INVENTORY_SELECTOR, inventoryName, toConfigMap } from '#agent/manifest/inventory.ts';
import { isShared } from '#agent/manifest/shared-inventory.ts';
import type { KubeObject } from '#api/kubernetes.ts';
import type { Cluster } from './cluster.ts';

const DEADLINE_MS = 15_000;

/** What an inventory holds, for a command that does the agent's work where no agent runs. */
export function holdingOf(inventory: Inventory, { client, namespace }: Cluster): Holding {
  const { application, entries } = inventory;
  const calls = { timeoutMs: DEADLINE_MS };
  const own = { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: inventoryName(application) };
  return {
    objects: entries,
    // In a ConfigMap of its own: where there is an older one that it shares with others, this one goes before it.
    async keep() {
      const keep = [...new Set(entries.map(({ component }) => component))].sort();
      // Without the digests: an agent that comes back before it is all done makes good what was let go of (verdict.ts).
      const going = entries.map(({ manifest: _, ...entry }) => entry);
      await client.apply(toConfigMap({ ...inventory, keep, entries: going }, namespace), calls);
    },
    async forget() {
      const kind = await client.kinds.find('v1', 'ConfigMap');
      const all = kind ? await client.list(kind, { namespace, labelSelector: INVENTORY_SELECTOR, ...calls }) : [];
      for (const { metadata } of all.filter((object) => isShared(object) && holds(object, application)))
        await client.mergePatch({ ...own, name: metadata.name ?? '' }, { data: { [application]: null } }, calls);
      await client.delete(own, calls);
    },
  };
}

function holds(shared: KubeObject, application: string): boolean {
  return Object.hasOwn((shared['data'] ?? {}) as object, application);
}
