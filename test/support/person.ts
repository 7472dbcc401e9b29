import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject } from 'vitest';
import { kubeconfigText } from '#dev/control-plane-files.ts';
import { kubectl, kubectlApply } from './namespace.ts';
import type { Printed } from './kubectl.ts';

const DEADLINE_MS = 30_000;

/** Somebody with a token of their own and the rights of a role in one namespace. */
export interface Person {
  kubeconfig: string;
  /** Runs kubectl as this person, whatever its status. */
  kubectl(args: readonly string[], input?: string | object): Promise<Printed>;
  close(): Promise<void>;
}

export interface PersonOptions {
  name?: string;
  /** A ClusterRole, such as admin; none: no right at all. */
  clusterRole?: string;
  /** More rules of a Role in the namespace. */
  rules?: readonly object[];
}

/** What the chart lateen adds to the role admin. */
export const APPLICATION_RULES = [
  { apiGroups: ['core.oam.dev'], resources: ['applications', 'applicationrevisions', 'policies', 'workflows'], verbs: ['*'] },
  { apiGroups: ['core.oam.dev'], resources: ['applications/status', 'applicationrevisions/status'], verbs: ['get', 'update', 'patch'] },
];

export async function createPerson(namespace: string, { name = 'person', clusterRole, rules = [] }: PersonOptions = {}): Promise<Person> {
  const subjects = [{ kind: 'ServiceAccount', name, namespace }];
  const api = { apiVersion: 'rbac.authorization.k8s.io/v1' };
  const binding = (to: string, kind: string, role: string): object => ({
    ...api,
    kind: 'RoleBinding',
    metadata: { name: `${name}-${to}`, namespace },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name: role },
    subjects,
  });
  await kubectlApply([
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } },
    { ...api, kind: 'Role', metadata: { name, namespace }, rules },
    binding('rules', 'Role', name),
    ...(clusterRole ? [binding('role', 'ClusterRole', clusterRole)] : []),
  ]);
  const folder = await mkdtemp(join(tmpdir(), 'lateen-'));
  const token = (await kubectl('create', 'token', name, '-n', namespace)).trim();
  const { server, caFile, programs } = inject('plane');
  const kubeconfig = join(folder, 'kubeconfig');
  await writeFile(kubeconfig, kubeconfigText({ server, ca: await readFile(caFile, 'utf8'), token, user: name, namespace }));
  return {
    kubeconfig,
    kubectl: (args, input) =>
      new Promise((resolve) => {
        const child = execFile(
          programs.kubectl,
          ['--kubeconfig', kubeconfig, ...args],
          { timeout: DEADLINE_MS },
          (error, stdout, stderr) => {
            const code = error ? (error as { code?: unknown }).code : 0;
            resolve({ status: typeof code === 'number' ? code : 1, stdout, stderr });
          },
        );
        child.stdin?.on('error', () => undefined);
        child.stdin?.end(typeof input === 'object' ? JSON.stringify(input) : input);
      }),
    close: () => rm(folder, { recursive: true, force: true }),
  };
}
