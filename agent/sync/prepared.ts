import type { Cause } from '#api/failure.ts';
import { objectId, referenceOf } from '#api/kubernetes.ts';
import type { Client } from '../cluster/client.ts';
import { ApiDown } from '../cluster/kinds.ts';
import { kindKey } from '../cluster/live-objects.ts';
import { type BuiltObject, checkObjects, type Scope } from '../manifest/check.ts';
import { type Autoscalers, isAutoscaler } from './autoscalers.ts';
import type { Claims } from './claims.ts';
import { type Desired, desiredOf } from './desired.ts';
import { asApplied, type NestedContext } from './nested-applications.ts';
import type { Owner } from './owner-key.ts';

/** The objects of one build, checked. */
export interface Prepared {
  objects: readonly BuiltObject[];
  desired: Desired[];
  /** What the checks refuse, which is not among the desired. */
  causes: Cause[];
  /** Everything that Git has, what the checks refuse included. */
  ids: ReadonlySet<string>;
  /** By kindKey. */
  plurals: ReadonlyMap<string, string>;
}

/** Whether there is a kind of which the API server may say more by now. */
export function mayBeKnownNow({ causes }: Prepared): boolean {
  return causes.some(({ code }) => code === 'UnknownKind' || code === 'ClusterUnavailable');
}

/** Checks the objects of a build (step 7 of spec/sync.md §6A). */
export async function prepare(
  objects: readonly BuiltObject[],
  owner: Owner,
  context: NestedContext & { client: Client; namespace: string; autoscalers: Autoscalers; claims: Claims },
): Promise<Prepared> {
  const { namespace, client } = context;
  const plurals = new Map<string, string>();
  const scope = async (apiVersion: string, kind: string): Promise<Scope> => {
    const info = await client.kinds.find(apiVersion, kind).catch((error: unknown) => {
      if (error instanceof ApiDown) return error;
      throw error;
    });
    if (info instanceof ApiDown) return info;
    if (info) plurals.set(kindKey({ apiVersion, kind }), info.plural);
    return info;
  };
  const checked = await checkObjects(objects, { namespace, scope });
  const built = await asApplied(checked.objects, context);
  const desired = desiredOf(built.objects, owner);
  // An object of a build is parsed anew at each look.
  const autoscalers = desired.filter(({ reference }) => isAutoscaler(reference)).map(({ object }) => object);
  context.autoscalers.render(owner, autoscalers, context.claims);
  const ids = new Set(objects.map(({ object }) => objectId({ ...referenceOf(object), namespace })));
  return { objects, desired, causes: [...checked.causes, ...built.causes], ids, plurals };
}
