import type { KubeObject } from '#api/kubernetes.ts';
import { displayName } from '#api/kubernetes.ts';
import { API_VERSION, GROUP } from '#api/names.ts';
import type { Log } from '#core/log.ts';
import { isUnservedResource } from '../cluster/caller.ts';
import { ApiError, type Client } from '../cluster/client.ts';
import type { LiveObjects } from '../cluster/live-objects.ts';
import type { InventoryEntry } from '../manifest/inventory.ts';
import type { Claims } from '../sync/claims.ts';
import type { Inventories } from '../sync/inventories.ts';
import type { InventoryStore } from '../sync/inventory-store.ts';
import { endingText } from '../sync/endings.ts';
import { recordRemoval, removeEntries } from '../sync/removal.ts';
import { type Sorted, sortStale } from '../sync/stale.ts';

export interface FarewellContext {
  client: Client;
  namespace: string;
  inventories: Inventories;
  claims: Claims;
  live: Pick<LiveObjects, 'get'>;
  log: Log;
}

/**
 * `waiting`: other components are about to take objects over. `ending`: objects are being deleted and still there.
 * `came-back`: the API server has the Application, whatever the watch has told so far. `stranded`: it went with its kind.
 */
export type Farewell = 'done' | 'waiting' | 'ending' | 'came-back' | 'stranded' | 'namespace-gone';

/**
 * Removes what a vanished Application had applied, in reverse order, then its inventory. The inventory outlives the
 * Application (no finalizer of ours), so this works as well when the agent was away.
 */
export async function farewell(application: string, context: FarewellContext, signal: AbortSignal): Promise<Farewell> {
  const { client, log, inventories } = context;
  const store = inventories.find(application);
  if (!store?.stored) return 'done';
  if (store.inventory.stranded) return 'stranded';
  // While all that there is waits for others, nobody is asked anything.
  if (onlyWaits(await sortAll(application, store, context), store)) return 'waiting';
  const standing = await stillGone(application, context, signal);
  if (standing === 'stranded') await store.strand();
  if (standing !== 'gone') return standing;
  const sorted = await sortAll(application, store, context);
  const open = await store.lettingGo(store.endings.open(sorted.stale));
  const removal = await removeEntries(open, { client, application, signal });
  const begun = await recordRemoval(removal, store, { others: sorted.handedOver });
  const { gone, left, failures } = removal;
  if (failures[0]) throw failures[0];
  if (begun.length > 0) log.info('being deleted', { application, objects: endingText(begun) });
  if (sorted.waiting.length > 0) return 'waiting';
  if (gone.length + left.length < sorted.stale.length) return 'ending';
  log.info('application deleted', { application, removed: names(gone), kept: names(sorted.spared) });
  for (const { entry, why } of left) log.info('left in the cluster', { application, object: displayName(entry), why });
  await store.remove(signal);
  return 'done';
}

function onlyWaits({ waiting, handedOver, stale }: Sorted, store: InventoryStore): boolean {
  return waiting.length > 0 && handedOver.length === 0 && store.endings.open(stale).length === 0;
}

/** All entries of the Application, in the order of its components. */
async function sortAll(application: string, store: InventoryStore, { inventories, claims, live }: FarewellContext): Promise<Sorted> {
  const { entries, keep } = store.inventory;
  const all: Sorted = { handedOver: [], waiting: [], spared: [], stale: [] };
  for (const [component, own] of Map.groupBy(entries, (entry) => entry.component)) {
    const sorted = await sortStale(own, {
      owner: { application, component },
      claims,
      inventories,
      spare: () => keep.includes(component),
      live,
      at: undefined,
      mentions: () => Promise.resolve(false),
    });
    for (const key of ['handedOver', 'waiting', 'spared', 'stale'] as const) all[key].push(...sorted[key]);
  }
  return all;
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
  const standing = await standingOf(name, { client, namespace }, signal);
  if (standing) return standing;
  const probe: KubeObject = { apiVersion: API_VERSION, kind: 'Application', metadata: { name, namespace }, spec: { components: [] } };
  try {
    await client.create(probe, { dryRun: true, signal });
    return 'gone';
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    // Other conflicts, as of a ResourceQuota, say nothing of it.
    if (error.reason === 'AlreadyExists') return 'came-back';
    if (error.status === 404) return 'stranded';
    if (error.status !== 403) return error.status === 400 || error.status === 422 ? 'gone' : Promise.reject(error);
    if (error.message.includes('custom resource definition is terminating')) return 'stranded';
    if (error.message.includes('being terminated')) return 'namespace-gone';
    throw error;
  }
}

/** Undefined where there is none. Not by way of discovery: what that says of a kind may be old, or partial. */
async function standingOf(
  name: string,
  { client, namespace }: Pick<FarewellContext, 'client' | 'namespace'>,
  signal: AbortSignal,
): Promise<'came-back' | 'stranded' | undefined> {
  const path = `/apis/${API_VERSION}/namespaces/${namespace}/applications/${encodeURIComponent(name)}`;
  const { status, body } = await client.transport.request({ method: 'GET', path, signal });
  if (status === 404) return isUnservedResource(status, body) ? 'stranded' : undefined;
  if (status >= 300) throw new ApiError(status, body, { verb: 'get', resource: 'applications', group: GROUP, namespace, name });
  return 'came-back';
}

function names(entries: readonly InventoryEntry[]): string {
  return entries.map(({ kind, name }) => `${kind}/${name}`).join(', ');
}
