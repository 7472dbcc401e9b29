import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { API_VERSION } from '#api/names.ts';
import { filesOf } from '#dev/faults/wanted.ts';
import { GIT_SECRET } from '#dev/faults/world.ts';
import { commitFiles } from '#dev/git-repository.ts';
import { faultWorld } from '#test/support/fault-world.ts';

/** A clock of the wall that jumps: how long something is waited for is no matter of what it says. */

const world = faultWorld();

/** So long a parent may take to put a nested Application back. */
const RETURN_MS = 60_000;
/** On a busy machine. */
const LATE_MS = 15_000;

const reference = (apiVersion: string, kind: string, name: string) => ({ apiVersion, kind, namespace: world.namespace, name });
const deployment = (name: string) => world.client.get(reference('apps/v1', 'Deployment', name));

/** Nested Applications that are not put back where a person deletes them: `drift: off`. */
async function nested(names: readonly string[]): Promise<void> {
  const objects = Object.fromEntries(names.map((name) => [`Application/${name}`, 'one']));
  await commitFiles(await world.git.createRepository('parent'), 'main', filesOf({ apps: objects }, false), { message: 'Begin' });
  const git = { url: `${world.git.url}/parent`, git: { branch: 'main' }, secretRef: GIT_SECRET };
  const component = { name: 'a', type: 'kustomize', properties: { ...git, path: './apps', drift: 'off' } };
  const { apiVersion, kind, ...metadata } = reference(API_VERSION, 'Application', 'parent');
  await world.client.apply({ apiVersion, kind, metadata, spec: { components: [component] } }, { fieldManager: 'person' });
  for (const name of names) await expect.poll(() => deployment(name), { timeout: 20_000 }).toBeDefined();
}

/** A signal that comes while another one waits is none. */
async function jump(): Promise<void> {
  await world.agent.jumpClock();
  await sleep(300);
}

/** Resolves to when the agent knows of it. */
async function deleted(name: string): Promise<number> {
  await world.client.delete(reference(API_VERSION, 'Application', name));
  await sleep(1_000);
  return performance.now();
}

it('a clock that jumps neither ends nor prolongs the wait for a nested Application to be put back', { timeout: 180_000 }, async () => {
  await nested(['ahead', 'behind']);
  const ahead = await deleted('ahead');
  await jump();
  await jump();
  // By the wall it has been gone for an hour.
  await sleep(4_000);
  expect(await deployment('ahead')).toBeDefined();
  // By the wall this one will be deleted in an hour.
  const behind = await deleted('behind');
  await jump();
  for (const [name, atMs] of [
    ['ahead', ahead],
    ['behind', behind],
  ] as const) {
    await expect.poll(() => deployment(name), { timeout: RETURN_MS + LATE_MS }).toBeUndefined();
    const waitedMs = performance.now() - atMs;
    expect(waitedMs).toBeGreaterThan(RETURN_MS - 3_000);
    expect(waitedMs).toBeLessThan(RETURN_MS + LATE_MS);
  }
});
