import type { Application } from '#api/application.ts';
import { type Claim, isPlaceholder } from '#api/claim.ts';
import { displayName, type ObjectReference, objectId, referenceOf } from '#api/kubernetes.ts';
import { annotation, CLAIM, label } from '#api/names.ts';
import type { Log } from '#core/log.ts';
import { ApiError, type Client } from '../cluster/client.ts';
import { failureFields, failureOf } from '../sync/failures.ts';
import type { Inventories } from '../sync/inventories.ts';

export interface ClaimingContext {
  client: Client;
  judge: (application: Application) => Claim;
}

/** No use in trying again: a policy keeps it, perhaps. */
const REFUSED: ReadonlySet<number> = new Set([400, 403, 405, 422]);
/** vela-core writes several times a second to an Application that it has just seen. */
const TRIES = 10;

/**
 * Claims an Application as it was judged: where it has changed meanwhile, vela-core may have applied something by now, and it
 * is judged anew. Resolves to the Application as it is then; undefined where it is gone.
 */
export async function claim(
  application: Application,
  { client, judge }: ClaimingContext,
  signal: AbortSignal,
): Promise<Application | undefined> {
  const reference = referenceOf({ ...application });
  let current: Application | undefined = application;
  for (let tries = 1; current && judge(current).verdict === 'claim'; tries++) {
    const { resourceVersion } = current.metadata;
    const patch = { metadata: { resourceVersion, annotations: { [annotation.controllerVersionRequire]: CLAIM } } };
    try {
      return (await client.mergePatch(reference, patch, { signal })) as unknown as Application;
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 409) || tries === TRIES) throw error;
    }
    current = (await client.get(reference, { signal })) as unknown as Application | undefined;
  }
  return current;
}

/**
 * What our ComponentDefinition made vela-core apply while the Application waited. Not before it is claimed, or vela-core would
 * make it anew; from then on as long as the status tells of it, and nothing that Git has is called so. One that the API server
 * does not let go stays: it is in nobody's way.
 */
export async function removePlaceholders(
  { metadata, status }: Application,
  { client, inventories, log }: { client: Client; inventories: Inventories; log: Log },
  signal: AbortSignal,
): Promise<void> {
  for (const { apiVersion, kind, name } of (status?.appliedResources ?? []).filter(isPlaceholder)) {
    const reference: ObjectReference = { apiVersion, kind, namespace: metadata.namespace, name };
    if (inventories.index.holdings(objectId(reference)).length > 0) continue;
    try {
      const live = await client.get(reference, { signal });
      if (live?.metadata.labels?.[label.appName] !== metadata.name) continue;
      await client.delete(reference, { ...(live.metadata.uid ? { uid: live.metadata.uid } : {}), signal });
    } catch (error) {
      if (!(error instanceof ApiError && REFUSED.has(error.status))) throw error;
      log.warn('placeholder not removed', failureFields(failureOf(error, `remove ${displayName(reference)}`)));
    }
  }
}
