import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePorts } from '#dev/ports.ts';
import { webhookConfigurations } from '#dev/webhook.ts';
import { failOpenCount } from '#test/support/fail-open.ts';
import { runKubectl } from '#test/support/kubectl.ts';
import { createNamespace, kubectl } from '#test/support/namespace.ts';
import { startWebhook, type WebhookProcess } from '#test/support/webhook-process.ts';

let folder: string;
let webhook: WebhookProcess;
let namespace: string;
let system: string;
let bare: string;
let configuration: string;
let domain: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lateen-'));
  namespace = await createNamespace();
  system = await createNamespace();
  bare = await createNamespace();
  await kubectl('label', 'namespace', namespace, 'lateen.dev/applications=gitops');
  const [port] = await freePorts(1);
  configuration = `lateen-${port}`;
  // Other tests of this run have the same API server, and write what this webhook would refuse.
  domain = `${configuration}.test`;
  const options = { url: `https://127.0.0.1:${port}`, name: configuration, domain, namespaces: [namespace, bare] };
  const list = { apiVersion: 'v1', kind: 'List', items: webhookConfigurations(options) };
  await writeFile(join(folder, 'configurations.json'), JSON.stringify(list));
  await kubectl('apply', '--server-side', '-f', join(folder, 'configurations.json'));
  webhook = startWebhook(port!, { namespace: system, configuration });
  await webhook.untilReady();
});

afterAll(async () => {
  await kubectl('delete', 'mutatingwebhookconfiguration,validatingwebhookconfiguration', configuration);
  await webhook.kill();
  await rm(folder, { recursive: true, force: true });
});

function manifest(name: string, properties: string, metadata = ''): string {
  return `apiVersion: core.oam.dev/v1beta1
kind: Application
metadata:
  name: ${name}
${metadata}spec:
  components:
  - name: database-config
    type: kustomize
    properties:
${properties}`;
}

const RIGHT = `      url: https://git.example/infra
      path: ./infrastructure
`;

async function apply(text: string, ...flags: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  const file = join(folder, 'app.yaml');
  await writeFile(file, text);
  return runKubectl('apply', '-f', file, '-n', namespace, ...flags);
}

async function stored(
  name: string,
): Promise<{ metadata: { generation: number; annotations: Record<string, string>; resourceVersion: string }; spec: unknown }> {
  return JSON.parse(await kubectl('get', 'application', name, '-n', namespace, '-o', 'json')) as Awaited<ReturnType<typeof stored>>;
}

describe('kubectl apply', () => {
  it('of a right file stores it with its defaults, and a second time changes nothing', async () => {
    expect(await apply(manifest('right', RIGHT))).toEqual({ status: 0, stdout: 'application.core.oam.dev/right created\n', stderr: '' });
    const first = await stored('right');
    expect(first.spec).toEqual({
      components: [
        {
          name: 'database-config',
          type: 'kustomize',
          properties: {
            url: 'https://git.example/infra',
            path: './infrastructure',
            repoType: 'git',
            pullInterval: '5m',
            prune: true,
            suspend: false,
            force: false,
          },
        },
      ],
    });
    expect(first.metadata.annotations).toMatchObject({
      'app.oam.dev/controller-version-require': 'lateen',
      'lateen.dev/requested-by': 'admin',
    });
    // kubectl sends the list of components as the file has it; what is stored is the same to the last byte.
    expect(await apply(manifest('right', RIGHT))).toMatchObject({ status: 0, stderr: '' });
    expect(await stored('right')).toEqual(first);
    expect(await apply(manifest('right', RIGHT), '--server-side', '--force-conflicts')).toMatchObject({ status: 0 });
    expect((await stored('right')).metadata.generation).toBe(first.metadata.generation);
  });

  it('of a wrong file prints every cause, and stores nothing', async () => {
    const wrong = `${RIGHT.replace('url:', 'urll:')}      pullInterval: 1d\n`;
    const { status, stdout, stderr } = await apply(manifest('wrong', wrong));
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toBe(`The Application "wrong" is invalid: 
* spec.components[0].properties.url: is required; add url: the repository, https:// or http://
* spec.components[0].properties.pullInterval: must be a duration such as 5m or 1h30m, received "1d"; write 24h
* spec.components[0].properties.urll: is not a property of kustomize; did you mean "url"?
`);
    expect((await runKubectl('get', 'application', 'wrong', '-n', namespace)).status).toBe(1);
  });

  it('of a suspicious file prints warnings, and stores it', async () => {
    const suspicious = `${RIGHT}      pullInterval: 48h\n      force: true\n`;
    const { status, stderr } = await apply(manifest('suspicious', suspicious));
    expect({ status, stderr }).toEqual({
      status: 0,
      stderr: `Warning: spec.components[0].properties.force is not implemented in this version; remove it
Warning: spec.components[0].properties.pullInterval is over a day, received "48h"; write 24h or less, unless it is meant
`,
    });
  });

  it('with --dry-run=server says the same and stores nothing', async () => {
    const { status, stderr } = await apply(manifest('dry', RIGHT.replace('path:', 'pth:')), '--dry-run=server');
    expect({ status, first: stderr.split('\n')[0] }).toEqual({ status: 1, first: 'The Application "dry" is invalid: ' });
    expect((await apply(manifest('dry', RIGHT), '--dry-run=server')).status).toBe(0);
    expect((await runKubectl('get', 'application', 'dry', '-n', namespace)).status).toBe(1);
  });

  it('in a namespace without an agent warns', async () => {
    const file = join(folder, 'bare.yaml');
    await writeFile(file, manifest('bare', RIGHT));
    // The watch of namespaces brings the new one within moments, not at once.
    await expect
      .poll(async () => (await runKubectl('apply', '--dry-run=server', '-f', file, '-n', bare)).stderr, { timeout: 10_000 })
      .toBe(`Warning: metadata.namespace "${bare}": no agent is announced for this namespace; see docs/install.md\n`);
  });

  it('renews the publishVersion in the mode auto, and warns of an unchanged one without it', async () => {
    const auto = '  annotations: {lateen.dev/publish-version: auto}\n';
    await apply(manifest('auto', RIGHT, auto));
    const first = (await stored('auto')).metadata.annotations['app.oam.dev/publishVersion'];
    expect(first).toMatch(/^v-[0-9a-f]{10}$/);
    await apply(manifest('auto', `${RIGHT}      prune: false\n`, auto));
    const second = (await stored('auto')).metadata.annotations['app.oam.dev/publishVersion'];
    expect(second).toMatch(/^v-[0-9a-f]{10}$/);
    expect(second).not.toBe(first);
    await apply(manifest('auto', RIGHT, auto));
    expect((await stored('auto')).metadata.annotations['app.oam.dev/publishVersion']).toBe(first);

    const pinned = '  annotations: {app.oam.dev/publishVersion: v1}\n';
    await apply(manifest('pinned', RIGHT, pinned));
    const { stderr } = await apply(manifest('pinned', `${RIGHT}      prune: false\n`, pinned));
    expect(stderr).toContain(
      'is still "v1", and the spec has changed: it takes effect only with a new publishVersion; change it with the spec',
    );
  });

  it('never went past the webhook so far', async () => {
    expect(await failOpenCount(domain)).toBe(0);
  });
});

describe('an object that was stored before the webhook came', () => {
  it('can be labelled, annotated, released and deleted; a change of its spec is judged', async () => {
    // Past the webhook: its namespaceSelector excludes nothing here, so the configurations are away for a moment.
    const configurations = join(folder, 'configurations.json');
    await kubectl('delete', '-f', configurations);
    await apply(manifest('old', `      urll: x\n`));
    await kubectl('apply', '--server-side', '-f', configurations);
    // The bundle comes back by itself, and so does readiness.
    const judged = (): Promise<{ status: number }> => apply(manifest('again', RIGHT.replace('url:', 'urll:')), '--dry-run=server');
    await expect.poll(async () => (await judged()).status, { timeout: 30_000 }).toBe(1);
    for (const args of [
      ['label', 'application', 'old', 'a=b'],
      ['annotate', 'application', 'old', 'a=b', 'lateen.dev/reconcile-at=now'],
      ['patch', 'application', 'old', '--type=merge', '-p', '{"metadata":{"finalizers":["example.com/x"]}}'],
      ['patch', 'application', 'old', '--subresource=status', '--type=merge', '-p', '{"status":{"status":"running"}}'],
    ]) {
      expect(await runKubectl(...args, '-n', namespace)).toMatchObject({ status: 0, stderr: '' });
    }
    const change = await runKubectl(
      'patch',
      'application',
      'old',
      '--type=json',
      '-n',
      namespace,
      '-p',
      '[{"op":"add","path":"/spec/components/0/properties/path","value":"."}]',
    );
    expect(change.stderr).toContain('spec.components[0].properties.urll: is not a property of kustomize');
    expect((await runKubectl('delete', 'application', 'old', '-n', namespace, '--wait=false')).status).toBe(0);
    expect(
      await runKubectl('patch', 'application', 'old', '--type=merge', '-p', '{"metadata":{"finalizers":null}}', '-n', namespace),
    ).toMatchObject({ status: 0 });
  });
});

describe('a webhook that is killed', () => {
  it('blocks nobody', async () => {
    await webhook.kill();
    const begun = performance.now();
    expect(await apply(manifest('unjudged', RIGHT.replace('url:', 'urll:')))).toMatchObject({ status: 0 });
    expect(performance.now() - begun).toBeLessThan(10_000);
    expect(await failOpenCount(domain)).toBeGreaterThan(0);
    webhook = startWebhook(webhook.port, { namespace: system, configuration });
    await webhook.untilReady();
    expect((await apply(manifest('judged', RIGHT.replace('url:', 'urll:')))).status).toBe(1);
  });
});
