import { expect } from 'vitest';
import { type Audit, startAudit } from './audit.ts';
import { runKubectl } from './kubectl.ts';
import { kubectl, kubectlApply } from './namespace.ts';
import { configMapYaml, kustomize, type Repositories, startRepositories } from './repositories.ts';
import { startTenant, type Tenant } from './tenant.ts';

/**
 * Two tenants on one API server: whatever stands in a repository of A, nothing of B changes. The agents have the rights of
 * their chart and nothing else. B has an Application `own` that made the ConfigMap `owned`, a ConfigMap `settings` and a Secret `of-b`.
 */
export interface Neighbours {
  repositories: Repositories;
  a: Tenant;
  b: Tenant;
  /** Why A's agent says no. */
  reasonOf(application: string): string | undefined;
  sentenceOf(application: string): string;
  /** Pushes files, lets A's agent follow them, and waits until it says no for this reason; resolves to its words. */
  refused(name: string, files: Record<string, unknown>, reason: string): Promise<string>;
  /** Nothing of B has changed, and A's agent was never let near it, nor wrote what an attack names. */
  expectUnharmed(): Promise<void>;
  close(): Promise<void>;
}

export async function startNeighbours(): Promise<Neighbours> {
  const [repositories, a, b] = await Promise.all([startRepositories(), startTenant(), startTenant()]);
  await kubectlApply([
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'of-b', namespace: b.namespace }, stringData: { username: 'x', password: 'y' } },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings', namespace: b.namespace }, data: { key: 'of b' } },
  ]);
  const owned = await repositories.create('of-b', { 'a.yaml': configMapYaml('owned') });
  await b.apply('own', [kustomize('a', owned.url)]);
  await b.untilRunning('own');
  const audit = await startAudit(a.namespace);
  const before = await everythingOf(b);
  const reasonOf = (application: string): string | undefined => {
    const { conditions = [] } = a.application(application)?.status ?? {};
    const admitted = conditions.find(({ type, status }) => type === 'Admitted' && status === 'False');
    return admitted?.reason ?? conditions.find(({ type, status }) => type === 'Applied' && status === 'False')?.reason;
  };
  const sentenceOf = (application: string): string => a.service(application, 'a')?.message ?? '';
  return {
    repositories,
    a,
    b,
    reasonOf,
    sentenceOf,
    async refused(name, files, reason) {
      const texts = Object.entries(files).map(([path, content]) => [path, typeof content === 'string' ? content : JSON.stringify(content)]);
      const repository = await repositories.create(name, Object.fromEntries(texts) as Record<string, string>);
      await a.apply(name, [kustomize('a', repository.url, { pullInterval: '1h' })]);
      await a.until(name, `refused with ${reason}`, () => reasonOf(name) === reason);
      return sentenceOf(name);
    },
    async expectUnharmed() {
      expect(await everythingOf(b)).toBe(before);
      await expectKeptOut(audit, a, b);
    },
    async close() {
      await Promise.all([a.close(), b.close(), repositories.close()]);
    },
  };
}

/** Every object but what its own agent renews, with its version. */
function everythingOf({ namespace }: Tenant): Promise<string> {
  const kinds = 'configmaps,secrets,serviceaccounts,services,deployments,roles,rolebindings,applications,applicationrevisions';
  const columns = 'custom-columns=:kind,:metadata.name,:metadata.resourceVersion';
  return kubectl('get', kinds, '-n', namespace, '--no-headers', '-o', columns);
}

async function expectKeptOut(audit: Audit, a: Tenant, b: Tenant): Promise<void> {
  const asked = await audit.namespaces();
  expect(asked.get(b.namespace) ?? 0).toBe(0);
  expect([...asked.keys()].filter((namespace) => ![a.namespace, b.namespace, ''].includes(namespace))).toEqual([]);
  expect(await audit.writes()).not.toContainEqual(expect.stringMatching(/attack|lateen-agent/));
}

/** What the attacks put into Git. */
export function attack(apiVersion: string, kind: string, rest: object = {}, metadata: object = {}): object {
  return { apiVersion, kind, metadata: { name: 'attack', ...metadata }, ...rest };
}

export async function expectAbsent(kind: string, namespace?: string): Promise<void> {
  const place = namespace === undefined ? [] : ['-n', namespace];
  const { stdout } = await runKubectl('get', kind, 'attack', ...place, '--ignore-not-found', '-o', 'name');
  expect(stdout).toBe('');
}
