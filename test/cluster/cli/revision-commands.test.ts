import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ApplicationSpec } from '#api/application.ts';
import type { Ran } from '#test/support/lateen.ts';
import { ROLLOUTS_MS, type Rollouts, rolloutsOf, rowsOf, web } from '#test/support/rollouts.ts';
import { startTenant, type Tenant } from '#test/support/tenant.ts';

/** The commands about revisions, against an API server and a running agent. */

const VERSION = 'app.oam.dev/publishVersion';

let tenant: Tenant;
let rollouts: Rollouts;

beforeAll(async () => {
  tenant = await startTenant();
  rollouts = rolloutsOf(tenant);
});

afterAll(() => tenant?.close());

const ask = (...args: string[]): Promise<Ran> => rollouts.ask(...args);
const apply = (name: string, image: string, version: string) => rollouts.apply(name, image, version);
const succeeded = (name: string, token: string) => rollouts.succeeded(name, token);
const imageOf = (name: string) => rollouts.imageOf(name);

describe('the story of the manual', { timeout: ROLLOUTS_MS }, () => {
  it('publishes, edits, fails, returns and publishes again', async () => {
    await apply('podinfo', '6.0.1', 'alpha1');
    await succeeded('podinfo', 'alpha1');
    expect(rowsOf((await ask('revision', 'list', 'podinfo')).stdout)).toEqual(['podinfo-v1 alpha1 true Succeeded']);
    expect(await ask('diff', 'podinfo')).toEqual({
      status: 0,
      stdout: '--- podinfo-v1 (alpha1)\n+++ live (alpha1)\n* Application (podinfo) has no change\n',
      stderr: '',
    });

    await apply('podinfo', '6.0.xxx', 'alpha1');
    await tenant.until('podinfo', 'inert', ({ status }) =>
      Boolean(status?.conditions?.some(({ reason }) => reason === 'PublishVersionUnchanged')),
    );
    expect((await ask('status', 'podinfo')).stdout).toContain('  Revision: True (PUBLISH_VERSION_UNCHANGED)\n');
    const inert = await ask('diff', 'podinfo');
    expect(inert.status).toBe(1);
    expect(inert.stdout).toContain('-       image: web:6.0.1\n+       image: web:6.0.xxx\n');
    expect(inert.stdout).toContain('Deployment/podinfo (component podinfo) changed, without effect because pinned\n');

    const published = await ask('publish', 'podinfo', '--version', 'alpha2');
    expect(published).toEqual({
      status: 0,
      stdout: 'Published: podinfo as alpha2. lateen wait podinfo --version alpha2 tells how it goes.\n',
      stderr: '',
    });
    await tenant.until('podinfo', 'run', ({ status }) => status?.workflow?.appRevision === 'alpha2');
    await tenant.eventually('applied', async () => (await imageOf('podinfo')) === '6.0.xxx');
    expect(rowsOf((await ask('revision', 'list', 'podinfo')).stdout)).toEqual([
      'podinfo-v1 alpha1 true Succeeded',
      'podinfo-v2 alpha2 false NotStart',
    ]);

    expect(await ask('rollback', 'podinfo')).toEqual({
      status: 0,
      stdout: 'Rolled back: podinfo runs podinfo-v1 (alpha1) now. lateen status podinfo tells how it goes.\n',
      stderr: '',
    });
    await succeeded('podinfo', 'alpha1');
    expect(await imageOf('podinfo')).toBe('6.0.1');
    expect((await ask('diff', 'podinfo')).status).toBe(0);
    expect(rowsOf((await ask('revision', 'list', 'podinfo')).stdout)).toEqual([
      'podinfo-v1 alpha1 true Succeeded',
      'podinfo-v2 alpha2 false Failed',
    ]);

    const again = await ask('publish', 'podinfo', '--version', 'beta1', '--revision', 'v1');
    expect(again.stdout).toBe(
      'Published: podinfo as beta1, from podinfo-v1 (alpha1). lateen wait podinfo --version beta1 tells how it goes.\n',
    );
    await succeeded('podinfo', 'beta1');
    const list = await ask('revision', 'list', 'podinfo');
    expect(rowsOf(list.stdout)).toEqual([
      'podinfo-v1 alpha1 true Succeeded',
      'podinfo-v2 alpha2 false Failed',
      'podinfo-v3 beta1 true Succeeded',
    ]);
    const [first, , third] = list.stdout
      .split('\n')
      .slice(1)
      .map((line) => line.split('\t')[3]);
    expect(third).toBe(first);
    const differs = await ask('diff', 'podinfo', 'v2', 'beta1');
    expect([differs.status, differs.stdout.split('\n').slice(0, 2)]).toEqual([1, ['--- podinfo-v2 (alpha2)', '+++ podinfo-v3 (beta1)']]);
  });

  it('shows what a revision holds', async () => {
    const { stdout, status } = await ask('revision', 'get', 'podinfo-v2');
    expect(status).toBe(0);
    expect(stdout).toMatch(/Publish version:\s+alpha2 /);
    expect(stdout).toMatch(/podinfo\s+webservice/);
    const object = JSON.parse((await ask('revision', 'get', 'podinfo-v2', '-o', 'json')).stdout) as { kind: string; metadata: object };
    expect([object.kind, Object.keys(object.metadata)]).toEqual(['ApplicationRevision', expect.not.arrayContaining(['managedFields'])]);
    const list = JSON.parse((await ask('revision', 'list', 'podinfo', '-o', 'json')).stdout) as { kind: string; items: unknown[] };
    expect([list.kind, list.items.length]).toEqual(['List', 3]);
  });

  it('asks where to, once what runs has succeeded', async () => {
    const asked = await ask('rollback', 'podinfo');
    expect(asked.status).toBe(1);
    expect(rowsOf(asked.stdout)).toEqual(['podinfo-v1 alpha1 true Succeeded']);
    expect(asked.stderr).toBe(
      'lateen: podinfo-v3 (beta1) runs and has succeeded: nothing was changed; say where to: lateen rollback podinfo --to podinfo-v1\n',
    );
    expect(tenant.application('podinfo')?.metadata.annotations?.[VERSION]).toBe('beta1');
    expect(await ask('rollback', 'podinfo', '--to', 'beta1')).toEqual({
      status: 0,
      stdout: 'Nothing to do: podinfo is at podinfo-v3 (beta1).\n',
      stderr: '',
    });
  });
});

describe('what is refused', { timeout: ROLLOUTS_MS }, () => {
  it('is said in one line', async () => {
    await apply('refused', 'a', 'one');
    await succeeded('refused', 'one');
    await apply('refused', 'b', 'two');
    await succeeded('refused', 'two');
    const stderr = async (...args: string[]): Promise<[number | null, string]> => {
      const ran = await ask(...args);
      return [ran.status, ran.stderr.trimEnd()];
    };
    expect(await stderr('publish', 'refused', '--version', 'two')).toEqual([
      1,
      'lateen: the publishVersion of refused is "two" already; choose another version',
    ]);
    expect(await stderr('publish', 'refused', '--version', 'one')).toEqual([
      1,
      'lateen: VERSION_REUSED: "one" is the publishVersion of refused-v1, which holds another spec; choose a version that was not used yet',
    ]);
    expect(await stderr('publish', 'refused', '--version', 'Three')).toEqual([
      1,
      expect.stringMatching(/^INVALID_VERSION: metadata.annotations.*; write three$/),
    ]);
    expect(await stderr('publish', 'refused')).toEqual([
      2,
      'lateen: --version is missing; write the new publishVersion: lateen publish refused --version VERSION',
    ]);
    const there = 'the Application refused has no revision "v9"; it has refused-v2 (two), refused-v1 (one)';
    expect(await stderr('rollback', 'refused', '--to', 'v9')).toEqual([1, `lateen: ${there}`]);
    // 1 would say that they differ.
    expect(await stderr('diff', 'refused', 'v9')).toEqual([3, `lateen: ${there}`]);
    expect((await stderr('diff', 'nothing'))[0]).toBe(3);
    expect(await stderr('revision', 'get', 'refused-v9')).toEqual([
      1,
      'lateen: the Application refused has no revision "refused-v9"; it has refused-v2 (two), refused-v1 (one)',
    ]);
    expect(await stderr('revision', 'get', 'refused')).toEqual([
      1,
      `lateen: there is no revision "refused" in the namespace ${tenant.namespace}; name one of its revisions: lateen revision list refused`,
    ]);
    expect((await stderr('diff', 'refused', 'v1', 'v2', 'v3'))[0]).toBe(2);
  });
});

describe('two people at once', { timeout: ROLLOUTS_MS }, () => {
  it('get one publication; the other is told, and leaves nothing behind', async () => {
    await apply('raced', 'a', 'one');
    await succeeded('raced', 'one');
    await apply('raced', 'b', 'two');
    await succeeded('raced', 'two');
    const versions = ['x', 'y', 'z'];
    const ran = await Promise.all(versions.map((version) => ask('publish', 'raced', '--version', version, '--revision', 'v1')));
    const won = versions.filter((_, index) => ran[index]?.status === 0);
    // The API server orders them; whoever has read after another's write may win as well.
    expect(won.length).toBeGreaterThan(0);
    for (const { status, stderr } of ran.filter((one) => one.status !== 0)) {
      expect([status, stderr]).toEqual([
        1,
        'lateen: somebody else changed the Application raced at the same time: nothing was changed; look and try again\n',
      ]);
    }
    const version = tenant.application('raced')?.metadata.annotations?.[VERSION] ?? '';
    await succeeded('raced', version);
    const revisions = rowsOf((await ask('revision', 'list', 'raced')).stdout).map((row) => row.split(' ')[1]);
    expect(revisions.toSorted()).toEqual(['one', 'two', ...won].toSorted());
    expect(await imageOf('raced')).toBe('a');
  });
});

describe('a suspended workflow', { timeout: ROLLOUTS_MS }, () => {
  it('goes on after lateen resume, and can be left by a rollback', async () => {
    const spec = (image: string): ApplicationSpec => ({
      components: [web('gated', image)],
      workflow: {
        steps: [
          { type: 'suspend', name: 'gate' },
          { type: 'apply-component', name: 'deploy', properties: { component: 'gated' } },
        ],
      },
    });
    await tenant.apply('gated', spec('a'), { annotations: { [VERSION]: 'one' } });
    const suspended = (token: string) =>
      tenant.until('gated', 'suspended', ({ status }) => status?.workflow?.appRevision === token && status.workflow.suspend);
    await suspended('one');
    expect(await ask('resume', 'gated')).toEqual({ status: 0, stdout: 'Resumed: the workflow goes on (gate).\n', stderr: '' });
    await succeeded('gated', 'one');
    expect(await ask('resume', 'gated')).toEqual({ status: 0, stdout: 'Nothing of gated is held.\n', stderr: '' });

    await tenant.apply('gated', spec('b'), { annotations: { [VERSION]: 'two' } });
    await suspended('two');
    expect((await ask('rollback', 'gated')).status).toBe(0);
    await suspended('one');
    await ask('resume', 'gated');
    await succeeded('gated', 'one');
    expect(await imageOf('gated')).toBe('a');
  });
});
