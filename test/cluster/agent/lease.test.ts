import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { agentKubeconfig } from '#dev/agent-access.ts';
import { type AgentProcess, startAgentProcess } from '#test/support/agent-process.ts';
import { configMapYaml, kustomize, type Repositories, startRepositories } from '#test/support/repositories.ts';
import { startTenant, type Tenant } from '#test/support/tenant.ts';

let repositories: Repositories;
let tenant: Tenant;
let folder: string;
let second: AgentProcess;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lateen-'));
  [repositories, tenant] = await Promise.all([startRepositories(), startTenant()]);
  const { namespace } = tenant;
  const { programs } = inject('plane');
  const kubeconfig = await agentKubeconfig(inject('plane'), { namespace, file: join(folder, 'kubeconfig') });
  second = await startAgentProcess({ namespace, kubeconfig, kustomize: programs.kustomize, folder });
});

afterAll(async () => {
  await second?.kill();
  await tenant?.close();
  await repositories?.close();
  await rm(folder, { recursive: true, force: true });
});

const metric = async (agent: AgentProcess, name: string): Promise<string[]> => {
  const page = await (await fetch(`${agent.healthUrl}/metrics`, { signal: AbortSignal.timeout(5_000) })).text();
  return page.split('\n').filter((line) => line.startsWith(name));
};

it('one of two agents acts, the other stands by and takes over at once when the first one stops', async () => {
  const repository = await repositories.create('led', { 'a.yaml': configMapYaml('led') });
  await tenant.apply('led', [kustomize('a', repository.url)]);
  await tenant.untilRunning('led');
  expect(await second.log()).toContain('"message":"standing by"');
  expect(await second.log()).not.toContain('"message":"applied"');
  expect([await metric(tenant.agent, 'lateen_agent_leader '), await metric(second, 'lateen_agent_leader ')]).toEqual([
    ['lateen_agent_leader 1'],
    ['lateen_agent_leader 0'],
  ]);

  await tenant.agent.stop();
  const begun = Date.now();
  await tenant.eventually('taken over', async () => (await second.log()).includes('"message":"ready"'));
  expect(Date.now() - begun).toBeLessThan(4_000);
  await repository.push({ 'a.yaml': configMapYaml('led', 'two') });
  await tenant.eventually('followed', async () => JSON.stringify((await tenant.get('ConfigMap', 'led'))?.['data']) === '{"key":"two"}');
});

it('takes over from one that was killed when its lease is over, and counts what it does', async () => {
  await tenant.startAgent();
  await second.kill();
  const repository = await repositories.create('killed', { 'a.yaml': configMapYaml('killed') });
  await tenant.apply('killed', [kustomize('a', repository.url)]);
  await tenant.untilRunning('killed');
  const page = await metric(tenant.agent, 'lateen_agent_');
  for (const line of [
    /^lateen_agent_runs_total\{state="settled"\} \d+/,
    /^lateen_agent_phase_seconds_count\{phase="resolve"\} \d+/,
    /^lateen_agent_phase_seconds_count\{phase="fetch"\} 2$/,
    /^lateen_agent_phase_seconds_count\{phase="build"\} 2$/,
    /^lateen_agent_phase_seconds_count\{phase="apply"\} 1$/,
    /^lateen_agent_api_requests_total\{method="PATCH",status="20[01]"\} \d+/,
    /^lateen_agent_git_requests_total\{operation="fetch"\} 2$/,
    /^lateen_agent_last_success_timestamp_seconds\{application="killed",component="a"\} \d{10}$/,
    /^lateen_agent_revision_info\{application="killed",component="a",branch="main",commit="[0-9a-f]{40}"\} 1$/,
    /^lateen_agent_held_prune_objects\{application="killed",component="a"\} 0$/,
    /^lateen_agent_build_info\{version="[\d.]+",node="v22[\d.]+"\} 1$/,
  ]) {
    expect(
      page.filter((one) => line.test(one)),
      String(line),
    ).not.toEqual([]);
  }
});
