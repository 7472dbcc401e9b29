import pLimit from 'p-limit';
import type { Application } from '#api/application.ts';
import { handedBackStatus, isClaimed, isHeld, isOurStatus, released, withoutClaim } from '#api/handback.ts';
import { displayName, type KubeObject, type ObjectReference } from '#api/kubernetes.ts';
import { ApiError } from './api-error.ts';
import type { CallOptions, Client } from './client.ts';
import { apiVersionOf } from './kinds.ts';

/** An object that an inventory lists. */
export type HeldObject = ObjectReference & { component: string; uid?: string };

/** What Lateen holds of an Application. */
export interface Holding {
  objects: readonly HeldObject[];
  /** Notes that none of them is to be removed, whatever happens from now on. */
  keep(): Promise<void>;
  /** Takes the inventory out of the cluster. */
  forget(): Promise<void>;
}

export interface LettingGo {
  client: Client;
  /** RFC 3339, to the second. */
  now: string;
  signal?: AbortSignal;
}

export interface LetGo {
  objects: ObjectReference[];
  /** What still carries our labels or fields, which harm nobody. */
  left: { object: ObjectReference; why: string }[];
}

/** Requests side by side; the client has room for more, which others need. */
const CONCURRENCY = 8;
/** Controllers write to their objects all the time. */
const TRIES = 10;
/** What discovery said may be of yesterday: a 404 that says so makes the next look ask anew. */
const LOOKS = 2;

/**
 * Lets go of everything that was applied for an Application, and removes nothing: a mark on the inventory that all of it
 * stays, then labels and fields, then the inventory, then the status. Ended at any point, it is done again from the start.
 * The claim stays, so that vela-core begins when all is done.
 */
export async function letGo(application: Application, holding: Holding | undefined, to: LettingGo): Promise<LetGo> {
  const { client, now, signal } = to;
  const result: LetGo = { objects: [], left: [] };
  if (holding) {
    await holding.keep();
    const limit = pLimit(CONCURRENCY);
    await Promise.all(holding.objects.map((held) => limit(() => releaseOne(application.metadata.name, held, to, result))));
    signal?.throwIfAborted();
    await holding.forget();
  }
  // Without the claim, vela-core may have begun with what the agent had left there: then it would believe that its work is done.
  const patch = isClaimed(application) || isOurStatus(application) ? handedBackStatus(application, now) : undefined;
  const { apiVersion, kind, metadata } = application;
  const reference = { apiVersion, kind, namespace: metadata.namespace, name: metadata.name };
  if (patch) await client.mergePatch(reference, patch, { subresource: 'status', ...(signal ? { signal } : {}) });
  return result;
}

/** The last step: from here on vela-core may begin. `onlyIf` judges the Application as it is now. */
export async function takeClaimOff(
  reference: ObjectReference,
  { client, signal, onlyIf }: Omit<LettingGo, 'now'> & { onlyIf?: (application: Application) => boolean },
): Promise<void> {
  const calls = signal ? { signal } : {};
  for (let tries = 1; ; tries++) {
    const application = (await client.get(reference, calls)) as unknown as Application | undefined;
    if (!application || onlyIf?.(application) === false) return;
    try {
      await client.mergePatch(reference, withoutClaim(application), calls);
      return;
    } catch (error) {
      // Its status has been written meanwhile.
      if (!(error instanceof ApiError && error.status === 409) || tries === TRIES) throw error;
    }
  }
}

async function releaseOne(application: string, held: HeldObject, { client, signal }: LettingGo, result: LetGo): Promise<void> {
  const { component, uid, apiVersion, kind, namespace, name } = held;
  const object: ObjectReference = { apiVersion, kind, name, ...(namespace ? { namespace } : {}) };
  try {
    const outcome = await release(object, { application, component, uid }, client, signal);
    if (outcome === 'released') result.objects.push(object);
    else if (outcome === 'foreign') result.left.push({ object, why: 'it is not the one that was applied' });
  } catch (error) {
    signal?.throwIfAborted();
    if (!(error instanceof ApiError) || !REFUSED.has(error.status)) throw error;
    result.left.push({ object, why: `${displayName(object)} cannot be changed: ${error.message}` });
  }
}

/** No use in trying again. */
const REFUSED: ReadonlySet<number> = new Set([400, 403, 405, 422]);

async function release(
  object: ObjectReference,
  held: { application: string; component: string; uid: string | undefined },
  client: Client,
  signal: AbortSignal | undefined,
): Promise<'released' | 'gone' | 'foreign'> {
  const calls = signal ? { signal } : {};
  for (let tries = 1; ; tries++) {
    const live = await find(object, client, calls);
    if (!live) return 'gone';
    if (!isHeld(live, held)) return 'foreign';
    const patch = released(live, held);
    if (patch === undefined) return 'released';
    try {
      await client.mergePatch({ ...object, apiVersion: live.apiVersion }, patch, calls);
      return 'released';
    } catch (error) {
      const moved = error instanceof ApiError && (error.status === 409 || error.status === 404);
      if (!moved || tries === TRIES) throw error;
    }
  }
}

/** The object in whichever version is served: they are all the same object. */
async function find(object: ObjectReference, client: Client, calls: CallOptions): Promise<KubeObject | undefined> {
  for (let look = 1; look <= LOOKS; look++) {
    const kind = await client.kinds.served(object.apiVersion, object.kind);
    const live = kind && (await client.get({ ...object, apiVersion: apiVersionOf(kind) }, calls));
    if (live || !kind) return live;
  }
  return undefined;
}
