import pLimit from 'p-limit';
import { Failure } from '#api/failure.ts';
import { displayName, groupOf, type KubeObject } from '#api/kubernetes.ts';
import { rfc3339 } from '#core/clock.ts';
import { asking, isUnservedResource } from '../cluster/caller.ts';
import { ApiError, type Client } from '../cluster/client.ts';
import { type KindInfo, pathOf } from '../cluster/kinds.ts';
import type { InventoryEntry } from '../manifest/inventory.ts';
import type { InventoryStore } from './inventory-store.ts';
import { reverseWaves } from '../manifest/order.ts';
import { type Ending, isEnding } from './endings.ts';
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
  /** Deleted and still there: these stay in the inventory. */
  ending: Ending[];
  failures: Failure[];
}

/** Requests of one removal side by side; the client has room for more, which others need. */
const CONCURRENCY = 8;
/** What discovery said may be of yesterday: once more with what it says today. */
const LOOKS = 2;

/**
 * Deletes what an inventory lists, in reverse order of apply. An object is deleted only when it carries our owner
 * labels and the recorded UID, with the UID as precondition (invariant I3 of spec/sync.md).
 */
export async function removeEntries(entries: readonly InventoryEntry[], context: RemovalContext): Promise<Removal> {
  const result: Removal = { gone: [], left: [], ending: [], failures: [] };
  const limit = pLimit(CONCURRENCY);
  for (const wave of reverseWaves(entries)) {
    await Promise.all(wave.map((entry) => limit(() => removeOne(entry, context, result))));
    context.signal.throwIfAborted();
  }
  return result;
}

/** Whether the API server has the objects; nothing of those of which it does not say: that is told when they are removed. */
export async function existence(entries: readonly InventoryEntry[], context: RemovalContext): Promise<Map<InventoryEntry, boolean>> {
  const limit = pLimit(CONCURRENCY);
  const found = new Map<InventoryEntry, boolean>();
  const ask = async (entry: InventoryEntry): Promise<void> => {
    const live = await liveObject(entry, context);
    found.set(entry, live !== undefined);
  };
  await Promise.allSettled(entries.map((entry) => limit(() => ask(entry))));
  context.signal.throwIfAborted();
  return found;
}

/**
 * What came of it, in the inventory; `others` leave it too, and those that are `settled` stand for themselves from now on.
 * Resolves to those that are being deleted since just now.
 */
export async function recordRemoval(
  removal: Removal,
  store: InventoryStore,
  { others, settled = [] }: { others: readonly InventoryEntry[]; settled?: readonly InventoryEntry[] },
): Promise<Ending[]> {
  const { gone, left, ending } = removal;
  for (const one of ending) store.endings.stands(one);
  const marked = new Map([
    ...settled.map((entry) => [entry, withoutJoined(entry)] as const),
    ...ending.map(({ was, entry }) => [was, entry] as const),
  ]);
  await store.forget(new Set([...gone, ...left.map(({ entry }) => entry), ...others]), marked);
  return ending.filter(({ was }) => !isEnding(was));
}

function withoutJoined({ joined: _, ...entry }: InventoryEntry): InventoryEntry {
  return entry;
}

async function removeOne(entry: InventoryEntry, context: RemovalContext, result: Removal): Promise<void> {
  const { signal } = context;
  try {
    const live = await liveObject(entry, context);
    const foreign = live && !isEnding(entry) && whyForeign(live, entry, context.application);
    if (foreign) result.left.push({ entry, why: foreign });
    else if (!live || (isEnding(entry) && live.metadata.uid !== entry.uid)) result.gone.push(entry);
    else if (await lingers(live, entry, context)) result.ending.push(endingOf(entry, live, context));
    else result.gone.push(entry);
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

/** Deletes the object, once. True where it is still there after that: no request more where nothing can hold it. */
async function lingers(live: KubeObject, entry: InventoryEntry, context: RemovalContext): Promise<boolean> {
  const { apiVersion } = live;
  const { uid, deletionTimestamp, finalizers = [] } = live.metadata;
  if (deletionTimestamp) return true;
  const done = await context.client.delete({ ...entry, apiVersion }, { ...(uid ? { uid } : {}), signal: context.signal });
  // A Pod is given the time to stop. And what is not found may be served in another version by now.
  if (done === 'deleted' && finalizers.length === 0 && entry.kind !== 'Pod') return false;
  return (await liveObject(entry, context))?.metadata.uid === uid;
}

/** With the UID that is going, which an intention does not know. */
function endingOf(was: InventoryEntry, { metadata: { uid, finalizers = [] } }: KubeObject, { client }: RemovalContext): Ending {
  if (isEnding(was)) return { was, entry: was, finalizers };
  const { since: _, ...known } = was;
  return { was, entry: { ...known, ...(uid ? { uid } : {}), ending: rfc3339(client.transport.serverNow()) }, finalizers };
}

/**
 * The object as it is, in the version that it was applied in or, where that is served no longer, in another one. Undefined
 * where there is none, or where the API server itself says that the kind is gone: discovery that fails or is partial says
 * nothing, so a kind that it does not list is asked for by its recorded resource.
 */
async function liveObject(entry: InventoryEntry, context: RemovalContext): Promise<KubeObject | undefined> {
  for (let look = 1; look <= LOOKS; look++) {
    const kind = await context.client.kinds.served(entry.apiVersion, entry.kind);
    if (!kind) return atRecorded(entry, context);
    const found = await ask(kind, entry, context);
    if (found !== 'unserved') return found;
    context.client.kinds.doubt();
  }
  throw new Failure('UnknownKind', `the API server lists ${entry.kind} of ${entry.apiVersion} and does not serve it`);
}

async function atRecorded(entry: InventoryEntry, context: RemovalContext): Promise<undefined> {
  const { apiVersion, kind, resource: plural } = entry;
  if (!plural) throw new Failure('UnknownKind', `the API server does not list ${kind} of ${apiVersion}`);
  const group = groupOf(apiVersion);
  const version = apiVersion.slice(apiVersion.indexOf('/') + 1);
  const recorded = { group, version, kind, plural, namespaced: true, verbs: [] };
  const found = await ask(recorded, entry, context);
  if (found === undefined || found === 'unserved') return undefined;
  throw new Failure('UnknownKind', `the API server has ${displayName(entry)} and does not list its kind`);
}

/** Undefined: it is not there. `unserved`: nobody knows, since the server does not serve such objects in this version. */
async function ask(
  kind: KindInfo,
  entry: InventoryEntry,
  { client, signal }: RemovalContext,
): Promise<KubeObject | 'unserved' | undefined> {
  const { status, body } = await client.transport.request({ method: 'GET', path: pathOf(kind, entry), signal });
  if (isUnservedResource(status, body)) return 'unserved';
  if (status === 404) return undefined;
  if (status >= 300) throw new ApiError(status, body, asking('get', kind, entry));
  return body as KubeObject;
}

function whyForeign(live: KubeObject, entry: InventoryEntry, application: string): string | undefined {
  const owner = { application, component: entry.component };
  if (entry.uid !== live.metadata.uid && isFromIntention(entry, owner, live)) return undefined;
  if (entry.uid === undefined) return 'it was there before';
  if (entry.uid !== live.metadata.uid) return `it is another object of that name (UID ${live.metadata.uid ?? ''})`;
  return carriesLabels(live, owner) ? undefined : 'it no longer carries our labels';
}
