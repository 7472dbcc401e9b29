import type { Application } from '#api/application.ts';
import { claimOf, isHandedBack } from '#api/claim.ts';
import { isClaimed } from '#api/handback.ts';
import { label } from '#api/names.ts';
import { listApplications } from './applications.ts';
import { type Check, type Checked, DEADLINE_MS, failed, guarded, ok, type Seat } from './doctor-check.ts';
import { readInventory } from './inventory.ts';

/**
 * Whose the Applications of the namespace are, where that is not plain: those that vela-core has begun, and those whose
 * handing back was broken off.
 */
export const owners: Check = (seat) =>
  guarded('owners', async () => {
    const { cluster } = seat;
    const [mode, all] = await Promise.all([modeOf(seat), listApplications(cluster, cluster.namespace)]);
    const checked = await Promise.all(all.map((application) => ofOne(application, mode, seat)));
    return checked.flat();
  });

/** By the label that announces the agent. */
async function modeOf({ cluster: { client, namespace } }: Seat): Promise<'all' | 'gitops'> {
  const found = await client.get({ apiVersion: 'v1', kind: 'Namespace', name: namespace }, { timeoutMs: DEADLINE_MS });
  return found?.metadata.labels?.[label.applications] === 'gitops' ? 'gitops' : 'all';
}

async function ofOne(application: Application, mode: 'all' | 'gitops', { cluster }: Seat): Promise<Checked[]> {
  const { name } = application.metadata;
  const claimed = isClaimed(application);
  const holds = !claimed && (await readInventory(cluster, name)) !== undefined;
  const claim = claimOf(application, { mode, holds });
  if (claim.verdict === 'hands-off' && claim.told) return [ok('owners', `${name}: ${claim.told.message}`)];
  if (claim.verdict === 'hands-off' && isHandedBack(application.metadata.annotations ?? {}))
    return [ok('owners', `${name}: ${claim.why}; vela-core runs it, where there is one`)];
  if (claim.verdict !== 'hand-back') return [];
  const message = `${name}: ${claim.why}, and Lateen still holds ${claimed ? 'its claim' : 'its inventory'}: nobody reconciles it`;
  return [failed('owners', message, `lateen handback ${name} -n ${cluster.namespace} ends it`)];
}
