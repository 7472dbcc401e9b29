import { expect } from 'vitest';
import type { Application, ServiceStatus } from '#api/application.ts';
import { type Reason, reasonCode } from '#api/reasons.ts';
import type { FileChange } from '#dev/git-repository.ts';
import { configMapYaml, kustomize, type Repositories, type TestRepository } from './repositories.ts';
import type { Tenant } from './tenant.ts';

/** An Application with a component that goes wrong, `bad`, and one that must not notice, `good`. */
export interface Setting {
  tenant: Tenant;
  repositories: Repositories;
  name: string;
  /** Of the component `bad`: `kept.yaml` holds the ConfigMap `NAME-bad`. */
  repository: TestRepository;
  /** Changes properties of the component `bad`. */
  configure(properties: Record<string, unknown>): Promise<void>;
  /** Pushes into the repository of `bad`. */
  push(files: Record<string, FileChange>): Promise<string>;
}

export interface Scenario {
  name: string;
  /** Of `bad`, beyond URL, branch and path. */
  properties?: Record<string, unknown>;
  /** Where `bad` lives; absent: with the others. */
  repositories?: () => Repositories;
  breaks: (setting: Setting) => Promise<unknown>;
  reason: Reason;
  /** The whole sentence, without the commit; URL stands for that of the repository. */
  sentence: (setting: Setting) => string;
  /** True: tried again with backoff. False: built again only when something changes. */
  retried: boolean;
  /** More to see while it is broken. */
  meanwhile?: (setting: Setting) => Promise<unknown>;
  mends: (setting: Setting) => Promise<unknown>;
}

export interface ScenarioContext {
  tenant: Tenant;
  repositories: Repositories;
  properties?: Record<string, unknown>;
}

/** From running to broken and back; every promise of docs/errors.md on the way. */
export async function playScenario(scenario: Scenario, context: ScenarioContext): Promise<void> {
  const { tenant } = context;
  const { name, reason } = scenario;
  const { setting, pushGood } = await begin(scenario, context);
  const before = await tenant.get('ConfigMap', `${name}-bad`);
  await scenario.breaks(setting);
  const broken = await tenant.until(name, `failing with ${reason}`, () => detailOf(setting, 'reason') === reasonCode(reason));
  expectSentence(scenario, setting, broken);
  expectNextTry(scenario, setting);
  await tenant.eventually('told', async () =>
    (await tenant.events(name)).some((line) => line.startsWith(`Warning ${reason} component bad: `)),
  );
  await scenario.meanwhile?.(setting);

  // The other component goes on pulling and applying, and stays healthy.
  const commit = await pushGood('two');
  await tenant.until(name, `good at ${commit}`, () => tenant.service(name, 'good')?.details?.['commit'] === commit);
  expect(tenant.service(name, 'good')).toMatchObject({ healthy: true });
  expect((await tenant.get('ConfigMap', `${name}-good`))?.['data']).toEqual({ key: 'two' });

  // Nothing was pruned or changed meanwhile.
  const kept = await tenant.get('ConfigMap', `${name}-bad`);
  expect([kept?.metadata.uid, kept?.['data'], kept?.metadata.deletionTimestamp]).toEqual([before?.metadata.uid, { key: 'one' }, undefined]);
  expect((await tenant.events(name)).filter((line) => line.includes('Pruned'))).toEqual([]);

  await scenario.mends(setting);
  const healed = await tenant.untilRunning(name);
  expect(healed.status?.conditions?.filter(({ status, type }) => status === 'False' || type === 'Stalled')).toEqual([]);
  expect(detailOf(setting, 'reason')).toBeUndefined();
  expect(detailOf(setting, 'nextTry')).toBeUndefined();
  expect((await tenant.get('ConfigMap', `${name}-bad`))?.metadata.uid).toBe(before?.metadata.uid);
}

async function begin(
  scenario: Scenario,
  context: ScenarioContext,
): Promise<{ setting: Setting; pushGood: (value: string) => Promise<string> }> {
  const { tenant, repositories } = context;
  const { name } = scenario;
  const home = scenario.repositories?.() ?? repositories;
  const [good, bad] = await Promise.all([
    repositories.create(`${name}-good`, { 'good.yaml': configMapYaml(`${name}-good`) }),
    home.create(`${name}-bad`, { 'kept.yaml': configMapYaml(`${name}-bad`) }),
  ]);
  const configure = async (properties: Record<string, unknown>): Promise<void> => {
    const components = [
      kustomize('bad', bad.url, { ...context.properties, ...scenario.properties, ...properties }),
      kustomize('good', good.url, context.properties),
    ];
    await tenant.apply(name, components);
  };
  await configure({});
  await tenant.untilRunning(name);
  const push = (files: Record<string, FileChange>): Promise<string> => bad.push(files);
  const setting = { tenant, repositories: home, name, repository: bad, configure, push };
  return { setting, pushGood: (value) => good.push({ 'good.yaml': configMapYaml(`${name}-good`, value) }) };
}

function bad({ tenant, name }: Setting): ServiceStatus | undefined {
  return tenant.service(name, 'bad');
}

function detailOf(setting: Setting, key: string): string | undefined {
  return bad(setting)?.details?.[key];
}

function expectSentence({ reason, sentence }: Scenario, setting: Setting, { status }: Application): void {
  const masked = (text = ''): string => text.replaceAll(/ \(commit [0-9a-f]{7}\)/g, '').replaceAll(setting.repository.url, 'URL');
  const wanted = sentence(setting);
  const { message, ...rest } = bad(setting)!;
  expect(masked(message)).toBe(wanted);
  expect(rest).toMatchObject({ healthy: false, workloadHealthy: false });
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  expect(ready).toMatchObject({ status: 'False', reason });
  expect(masked(ready?.message)).toBe(wanted);
}

function expectNextTry({ retried }: Scenario, setting: Setting): void {
  const nextTry = detailOf(setting, 'nextTry');
  if (!retried) return expect(nextTry).toBeUndefined();
  const inMs = Date.parse(nextTry ?? '') - Date.now();
  expect(inMs).toBeGreaterThan(-2_000);
  expect(inMs).toBeLessThan(70_000);
}
