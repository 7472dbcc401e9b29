import pLimit from 'p-limit';
import { Failure } from '#api/failure.ts';
import { displayName, type KubeObject } from '#api/kubernetes.ts';
import { ApiError, type Client } from '../cluster/client.ts';
import type { InventoryEntry } from '../manifest/inventory.ts';
import { reverseWaves } from '../manifest/order.ts';
import { failureOf } from './failures.ts';
import { carriesLabels, isFromIntention } from './verdict.ts';

export interface RemovalContext {
  client: Client;
  application: string;
  signal: AbortSignal;
}

export interface Removal {
  /** Confirmed gone: these leave the inventory. */
  gone: InventoryEntry[];
  /** Not the object that was applied, or no longer labelled as ours: left in the cluster, and out of the inventory. */
  left: { entry: InventoryEntry; why: string }[];
  failures: Failure[];
}

/** Requests of one removal side by side; the client has room for more, which others need. */
const CONCURRENCY = 8;

/**
 * Deletes what an inventory lists, in reverse order of apply. An object is deleted only when it carries our owner
 * labels and the recorded UID, with the UID as precondition (invariant I3 of spec/sync.md).
 */
export async function removeEntries(entries: readonly InventoryEntry[], context: RemovalContext): Promise<Removal> {
  const result: Removal = { gone: [], left: [], failures: [] };
  const limit = pLimit(CONCURRENCY);
  for (const wave of reverseWaves(entries)) {
    await Promise.all(wave.map((entry) => limit(() => removeOne(entry, context, result))));
    context.signal.throwIfAborted();
  }
  return result;
}

async function removeOne(entry: InventoryEntry, context: RemovalContext, result: Removal): Promise<void> {
  const { client, signal } = context;
  try {
    const live = await liveObject(entry, context);
    const foreign = live && whyForeign(live, entry, context.application);
    if (live && foreign) {
      result.left.push({ entry, why: foreign });
      return;
    }
    if (live) await client.delete(entry, { ...(live.metadata.uid ? { uid: live.metadata.uid } : {}), signal });
    result.gone.push(entry);
  } catch (error) {
    signal.throwIfAborted();
    const failure = failureOf(error, `remove ${displayName(entry)}`);
    result.failures.push(
      new Failure('PruneFailed', `${displayName(entry)} could not be removed: ${failure.message}`, {
        kind: failure.kind,
        cause: error,
        ...(failure.remedy ? { remedy: failure.remedy } : {}),
      }),
    );
  }
}

/**
 * The object as it is. Undefined where there is none, or where the API server itself says that the kind is gone: discovery
 * that fails or is partial says nothing, so a kind that it does not list is asked for by its recorded resource.
 */
async function liveObject(entry: InventoryEntry, { client, signal }: RemovalContext): Promise<KubeObject | undefined> {
  if (await client.kinds.find(entry.apiVersion, entry.kind)) return client.get(entry, { signal });
  if (!entry.resource) throw new Failure('UnknownKind', `the API server does not list ${entry.kind} of ${entry.apiVersion}`);
  const root = entry.apiVersion.includes('/') ? `/apis/${entry.apiVersion}` : `/api/${entry.apiVersion}`;
  const path = `${root}/namespaces/${entry.namespace ?? ''}/${entry.resource}/${encodeURIComponent(entry.name)}`;
  const { status, body } = await client.transport.request({ method: 'GET', path, signal });
  if (status === 404) return undefined;
  if (status >= 300) throw new ApiError(status, body, { verb: 'get', resource: entry.resource, group: '', namespace: entry.namespace });
  throw new Failure('UnknownKind', `the API server has ${displayName(entry)} and does not list its kind`);
}

function whyForeign(live: KubeObject, entry: InventoryEntry, application: string): string | undefined {
  const owner = { application, component: entry.component };
  if (entry.uid !== live.metadata.uid && isFromIntention(entry, owner, live)) return undefined;
  if (entry.uid === undefined) return 'it was there before';
  if (entry.uid !== live.metadata.uid) return `it is another object of that name (UID ${live.metadata.uid ?? ''})`;
  return carriesLabels(live, owner) ? undefined : 'it no longer carries our labels';
}
