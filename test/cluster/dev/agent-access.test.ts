import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { agentKubeconfig } from '#dev/agent-access.ts';
import { createNamespace, kubectl } from '#test/support/namespace.ts';

const run = promisify(execFile);

let folder: string;
let namespace: string;
let file: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lateen-'));
  namespace = await createNamespace();
  file = await agentKubeconfig(inject('plane'), { namespace, file: join(folder, 'agent.kubeconfig') });
});

afterAll(() => rm(folder, { recursive: true, force: true }));

async function asAgent(...args: string[]): Promise<string> {
  const { stdout } = await run(inject('plane').programs.kubectl, ['--kubeconfig', file, ...args]);
  return stdout;
}

it('is the ServiceAccount of the chart, in its namespace', async () => {
  expect(await asAgent('auth', 'whoami', '-o', 'jsonpath={.status.userInfo.username}')).toBe(
    `system:serviceaccount:${namespace}:lateen-agent`,
  );
  expect(await asAgent('config', 'view', '--minify', '-o', 'jsonpath={..namespace}')).toBe(namespace);
});

it('holds a token and nothing else', async () => {
  const { users, clusters } = JSON.parse(await readFile(file, 'utf8'));
  expect(users).toEqual([{ name: 'lateen-agent', user: { token: expect.stringMatching(/^ey/) } }]);
  expect(Object.keys(clusters[0].cluster)).toEqual(['server', 'certificate-authority-data']);
});

it('reads the Applications of its namespace and nothing of another', async () => {
  expect(await asAgent('get', 'applications.core.oam.dev')).toBe('');
  const elsewhere = asAgent('get', 'applications.core.oam.dev', '-n', 'default');
  await expect(elsewhere).rejects.toThrow('Forbidden');
});

it('does not start what the chart starts', async () => {
  expect(await kubectl('get', 'deployments', '-n', namespace, '-o', 'name')).toBe('');
});
