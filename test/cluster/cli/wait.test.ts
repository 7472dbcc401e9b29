import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Component } from '#api/application.ts';
import { git } from '#dev/git-repository.ts';
import { lateen, type Ran } from '#test/support/lateen.ts';
import { createPerson } from '#test/support/person.ts';
import { configMapYaml, kustomize, type Repositories, startRepositories } from '#test/support/repositories.ts';
import { startTenant, type Tenant } from '#test/support/tenant.ts';

/** `lateen wait`, against an API server and a running agent. */

/** A wait takes as long as the agent does, on a machine that others keep busy. */
const DEADLINE_MS = 50_000;
const TEST_MS = 150_000;

let tenant: Tenant;
let repositories: Repositories;

beforeAll(async () => {
  [tenant, repositories] = await Promise.all([startTenant(), startRepositories()]);
});

afterAll(() => Promise.all([tenant?.close(), repositories?.close()]));

function wait(args: readonly string[], onStderr = (_text: string): void => undefined): Promise<Ran> {
  return lateen(['wait', ...args, '-n', tenant.namespace, '--kubeconfig', tenant.kubeconfig], { onStderr, deadlineMs: DEADLINE_MS });
}

type Ended = [status: number | null, line: string];

/** How it ended, and the last line that it said. */
async function ended(...args: string[]): Promise<Ended> {
  return endOf(await wait(args));
}

function endOf({ status, stdout, stderr }: Ran): Ended {
  return [status, (stdout || stderr).trimEnd().split('\n').at(-1) ?? ''];
}

/** Resolves once it waits; `ended` is how it ends then. */
async function waiting(...args: string[]): Promise<{ ended: Promise<Ended> }> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const ran = wait(args, () => resolve());
  await Promise.race([promise, ran]);
  return { ended: ran.then(endOf) };
}

const short = (commit: string): string => commit.slice(0, 7);

describe('a commit', { timeout: TEST_MS }, () => {
  it('is waited for, and found in its descendants, those of before the first pull included', async () => {
    const repository = await repositories.create('followed', { 'app.yaml': configMapYaml('followed') });
    const first = await repository.push({ 'app.yaml': configMapYaml('followed', 'two') });
    const second = await repository.push({ 'app.yaml': configMapYaml('followed', 'three') });
    await tenant.apply('followed', [kustomize('a', repository.url)]);
    expect(await ended('followed', '--commit', second)).toEqual([0, `${short(second)} is applied and healthy (a)`]);
    expect(await ended('followed', '--commit', short(first))).toEqual([
      0,
      `${short(first)} is applied with ${short(second)} and healthy (a)`,
    ]);
    const third = await repository.push({ 'app.yaml': configMapYaml('followed', 'four') });
    const found = ended('followed', '--commit', third.toUpperCase());
    const last = await repository.push({ 'app.yaml': configMapYaml('followed', 'five') });
    expect((await found)[0]).toBe(0);
    expect(await ended('followed', '--commit', last)).toEqual([0, `${short(last)} is applied and healthy (a)`]);
  });

  it('is late where it is nowhere, and the sentence says where the branch stands', async () => {
    const repository = await repositories.create('late', { 'app.yaml': configMapYaml('late') });
    await tenant.apply('late', [kustomize('a', repository.url)]);
    await tenant.untilRunning('late');
    const [status, line] = await ended('late', '--commit', '1234567', '--timeout', '1s');
    expect(status).toBe(6);
    expect(line).toMatch(/^lateen: 1234567 is not applied: a is at main@[0-9a-f]{7}, and that did not change within 1s; /);
  });

  it('is pulled at once, and told where it changes nothing in the folder', async () => {
    const repository = await repositories.create('beside', { 'in/app.yaml': configMapYaml('beside'), 'out/x.yaml': configMapYaml('x') });
    await tenant.apply('beside', [kustomize('a', repository.url, { path: './in', pullInterval: '1h' })]);
    await tenant.untilRunning('beside');
    const commit = await repository.push({ 'out/x.yaml': configMapYaml('x', 'two') });
    expect(await ended('beside', '--commit', commit)).toEqual([0, `${short(commit)} is applied and healthy (a)`]);
  });

  it('is waited for by people who may only read, who are told that nobody was asked', async () => {
    const repository = await repositories.create('read', { 'app.yaml': configMapYaml('read') });
    await tenant.apply('read', [kustomize('a', repository.url)]);
    await tenant.untilRunning('read');
    const reads = { apiGroups: ['core.oam.dev'], resources: ['applications'], verbs: ['get', 'list', 'watch'] };
    const reader = await createPerson(tenant.namespace, { name: 'reader', rules: [reads] });
    try {
      const args = ['wait', 'read', '--commit', '1234567', '--timeout', '1s', '-n', tenant.namespace, '--kubeconfig', reader.kubeconfig];
      const { status, stderr } = await lateen(args);
      expect(status).toBe(6);
      expect(stderr).toMatch(/The agent was not asked to pull now, and pulls at its interval: .*forbidden/);
    } finally {
      await reader.close();
    }
  });

  it('must be in all components of its branch, where it changes nothing for one of them too', async () => {
    const repository = await repositories.create('two', { 'a/a.yaml': configMapYaml('two-a'), 'b/b.yaml': configMapYaml('two-b') });
    await tenant.apply('two', [kustomize('a', repository.url, { path: './a' }), kustomize('b', repository.url, { path: './b' })]);
    await tenant.untilRunning('two');
    const commit = await repository.push({ 'a/a.yaml': configMapYaml('two-a', 'two') });
    expect(await ended('two', '--commit', commit)).toEqual([0, `${short(commit)} is applied and healthy (a, b)`]);
  });

  it('fails where it cannot be built', async () => {
    const repository = await repositories.create('broken', { 'app.yaml': configMapYaml('broken') });
    await tenant.apply('broken', [kustomize('a', repository.url)]);
    await tenant.untilRunning('broken');
    const commit = await repository.push({ 'app.yaml': 'a: [b' });
    const [status, line] = await ended('broken', '--commit', commit);
    expect([status, line]).toEqual([1, expect.stringMatching(/^lateen: component a: INVALID_YAML: app.yaml/)]);
  });

  it('is held by a suspended component', async () => {
    const repository = await repositories.create('suspended', { 'app.yaml': configMapYaml('suspended') });
    await tenant.apply('suspended', [kustomize('a', repository.url, { suspend: true })]);
    expect((await ended('suspended', '--commit', '1234567'))[0]).toBe(4);
  });

  it('is superseded by a forced push', async () => {
    const repository = await repositories.create('forced', { 'app.yaml': configMapYaml('forced') });
    const base = (await git(repository.directory, ['rev-parse', 'main'])).trim();
    // Never healthy, so that the wait goes on.
    const never = `apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: forced}\nspec:\n  selector: {matchLabels: {app: forced}}\n  template:\n    metadata: {labels: {app: forced}}\n    spec: {containers: [{name: c, image: "c:xxx"}]}\n`;
    const commit = await repository.push({ 'never.yaml': never });
    await tenant.apply('forced', [kustomize('a', repository.url)]);
    await tenant.until('forced', 'applied', ({ status }) => status?.services?.[0]?.details?.['commit'] === commit);
    const seen = await waiting('forced', '--commit', commit);
    await git(repository.directory, ['update-ref', 'refs/heads/main', base]);
    await repository.push({ 'app.yaml': configMapYaml('forced', 'other') });
    const line = new RegExp(`^lateen: main has moved to [0-9a-f]{7}, which does not contain ${short(commit)}$`);
    expect(await seen.ended).toEqual([5, expect.stringMatching(line)]);
  });
});

describe('a version', { timeout: TEST_MS }, () => {
  const web = (name: string, image: string): Component => ({ name, type: 'webservice', properties: { image: `web:${image}` } });
  const runs = (name: string, version: string) =>
    tenant.until(name, `at ${version}`, ({ status }) => status?.workflow?.appRevision === version);
  const apply = (name: string, image: string, version: string) =>
    tenant.apply(name, [web(name, image)], { annotations: { 'app.oam.dev/publishVersion': version } });

  it('is done when it runs and is healthy, late while it is not', async () => {
    await apply('well', 'a', 'v1');
    expect(await ended('well', '--version', 'v1')).toEqual([0, 'well runs v1 and is healthy']);
    await apply('well', 'xxx', 'v2');
    await runs('well', 'v2');
    const [status, line] = await ended('well', '--version', 'v2', '--timeout', '2s');
    expect([status, line]).toEqual([
      6,
      expect.stringMatching(/^lateen: component well is not healthy yet: Ready:.*within 2s; lateen status well shows more$/),
    ]);
  });

  it('is superseded by another that takes its place before it was healthy; one that was healthy stays done', async () => {
    await apply('passed', 'a', 'v1');
    await tenant.untilRunning('passed');
    await apply('passed', 'xxx', 'v2');
    await runs('passed', 'v2');
    const seen = await waiting('passed', '--version', 'v2');
    await apply('passed', 'b', 'v3');
    expect(await seen.ended).toEqual([5, 'lateen: v2 was replaced by v3 before it was healthy']);
    await tenant.untilRunning('passed');
    expect(await ended('passed', '--version', 'v2')).toEqual([5, 'lateen: passed-v2 (v2) was replaced by passed-v3 before it was healthy']);
    expect(await ended('passed', '--version', 'v1')).toEqual([0, 'passed-v1 (v1) succeeded; passed-v3 has taken its place since']);
  });
});
