import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ObjectReference } from '#api/kubernetes.ts';
import { systemClock } from '#core/clock.ts';
import { agentLogTail } from '../agent-log.ts';
import { branchTip } from '../git-repository.ts';
import { RUN_FOLDER } from '../keeper-state.ts';
import { resetBranch, SEED_BRANCHES, SEED_REPOSITORY, seedRepository } from '../seed.ts';
import type { Bench } from './chapter.ts';

const REMOVAL_DEADLINE_MS = 30_000;
const POLL_MS = 100;

export const DEMO_NAMESPACE = 'default';

/** Where a chapter clones to. */
export function cloneFolder(chapter: string): string {
  return join(RUN_FOLDER, 'demo', chapter);
}

export function applicationNamed(name: string): ObjectReference {
  return { apiVersion: 'core.oam.dev/v1beta1', kind: 'Application', namespace: DEMO_NAMESPACE, name };
}

export function configMapNamed(name: string): ObjectReference {
  return { apiVersion: 'v1', kind: 'ConfigMap', namespace: DEMO_NAMESPACE, name };
}

/** Deletes Applications that an earlier run left, and waits until the agent has removed what they applied. */
export async function removeApplications(bench: Bench, names: readonly string[]): Promise<void> {
  const { client, log, signal, agentLog } = bench;
  // The inventory goes last (docs/reference.md): when it is gone, everything is.
  const references = names.flatMap((name) => [applicationNamed(name), configMapNamed(`lateen-${name}`)]);
  const allGone = async (): Promise<boolean> => {
    const left = await Promise.all(references.map((reference) => client.get(reference, { signal })));
    return left.every((object) => object === undefined);
  };
  if (await allGone()) return;
  log(`removing what an earlier run left: ${names.join(', ')} and what they applied`);
  for (const name of names) await client.delete(applicationNamed(name), { signal });
  const until = Date.now() + REMOVAL_DEADLINE_MS;
  while (Date.now() < until) {
    if (await allGone()) return;
    await systemClock.sleep(POLL_MS, signal);
  }
  throw new Error(
    `${names.join(', ')} of an earlier run are not gone after ${REMOVAL_DEADLINE_MS / 1000} s. ` +
      `Start afresh with: make down && make demo\nThe end of the agent's log ${agentLog}:\n${await agentLogTail(agentLog)}`,
  );
}

/** Puts the branches of the seed's repository back to where they began, and says where they were. */
export async function restoreSeed({ keeper, log }: Bench): Promise<void> {
  const directory = join(keeper.plane.git.directory, `${SEED_REPOSITORY}.git`);
  const before = new Map<string, string>();
  for (const branch of SEED_BRANCHES) {
    const tip = await branchTip(directory, branch);
    if (tip !== undefined) before.set(branch, tip);
    await resetBranch(directory, branch, undefined);
  }
  const seed = await seedRepository(directory);
  for (const [branch, tip] of before) {
    if (tip !== seed[branch as keyof typeof seed]) log(`branch ${branch} is put back to its first commit; it was at ${tip}`);
  }
}

/** Removes the clone that an earlier run of a chapter made. */
export async function removeClone(chapter: string): Promise<void> {
  await rm(cloneFolder(chapter), { recursive: true, force: true });
}
