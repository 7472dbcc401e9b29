import type { KubeObject } from '#api/kubernetes.ts';
import { API_VERSION, label } from '#api/names.ts';
import type { Log } from '#core/log.ts';
import { ApiError, type Client } from '../cluster/client.ts';
import { fromConfigMap, type InventoryEntry, inventoryName } from '../manifest/inventory.ts';
import { removeEntries } from '../sync/removal.ts';

export interface FarewellContext {
  client: Client;
  namespace: string;
  log: Log;
}

export type Farewell = 'done' | 'came-back' | 'kind-gone' | 'namespace-gone';

/**
 * Removes what a vanished Application had applied, in reverse order, then its inventory. The inventory outlives the
 * Application (no finalizer of ours), so this works as well when the agent was away.
 */
export async function farewell(application: string, context: FarewellContext, signal: AbortSignal): Promise<Farewell> {
  const { client, namespace, log } = context;
  const reference = { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: inventoryName(application) };
  const object = await client.get(reference, { signal });
  if (!object) return 'done';
  const standing = await stillGone(application, context, signal);
  if (standing !== 'gone') return standing;
  const inventory = fromConfigMap(object);
  const kept = inventory.entries.filter((entry) => inventory.keep.includes(entry.component));
  const { gone, failures } = await removeEntries(
    inventory.entries.filter((entry) => !kept.includes(entry)),
    { client, application, signal },
  );
  if (failures[0]) throw failures[0];
  log.info('application deleted', { application, removed: names(gone), kept: names(kept) });
  await client.delete(reference, { ...(object.metadata.uid ? { uid: object.metadata.uid } : {}), signal });
  return 'done';
}

/**
 * Is the Application gone, and the kind still there? When somebody deletes the CRD, all Applications vanish at once, and
 * that must not delete what they run: a dry-run create tells the two apart (measured: 404, or 403 `create not allowed
 * while custom resource definition is terminating`).
 */
async function stillGone(
  name: string,
  { client, namespace }: FarewellContext,
  signal: AbortSignal,
): Promise<'gone' | Exclude<Farewell, 'done'>> {
  if (await client.get({ apiVersion: API_VERSION, kind: 'Application', namespace, name }, { signal })) return 'came-back';
  const probe: KubeObject = { apiVersion: API_VERSION, kind: 'Application', metadata: { name, namespace }, spec: { components: [] } };
  try {
    await client.create(probe, { dryRun: true, signal });
    return 'gone';
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status === 409) return 'came-back';
    if (error.status === 404) return 'kind-gone';
    if (error.status !== 403) return error.status === 400 || error.status === 422 ? 'gone' : Promise.reject(error);
    if (error.message.includes('custom resource definition is terminating')) return 'kind-gone';
    if (error.message.includes('being terminated')) return 'namespace-gone';
    throw error;
  }
}

/** Inventories in the namespace whose Application is not there. */
export function orphans(inventories: readonly KubeObject[], exists: (application: string) => boolean): string[] {
  return inventories.flatMap((object) => {
    const application = object.metadata.labels?.[label.application];
    const ours = application !== undefined && object.metadata.name === inventoryName(application);
    return ours && !exists(application) ? [application] : [];
  });
}

function names(entries: readonly InventoryEntry[]): string {
  return entries.map(({ kind, name }) => `${kind}/${name}`).join(', ');
}
