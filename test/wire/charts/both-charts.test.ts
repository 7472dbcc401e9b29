import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { VERSION } from '#agent/version.ts';
import { CHART_READMES, withValuesTable } from '#dev/chart-readme.ts';
import { KUBERNETES_VERSION } from '#dev/versions.ts';
import { bareTemplate, CHARTS, helm, objectsOf, REQUIRED, template } from '#test/support/helm.ts';

const CHART_NAMES = ['lateen', 'lateen-agent'];
/** Each is a way in which somebody may install the chart; the file has what he gets. */
const WAYS: [chart: string, way: string, values: string[]][] = [
  ['lateen', 'default', []],
  ['lateen', 'cert-manager', ['--set=certificates.mode=cert-manager']],
  ['lateen', 'outside', ['--set=webhook.url=https://webhook.test:8443,webhook.replicas=0,webhook.namespaces=opt-in']],
  ['lateen', 'no-webhook', ['--set=webhook.enabled=false']],
  ['lateen-agent', 'default', []],
  ['lateen-agent', 'volume', ['--set=cache.volume=persistentVolumeClaim,cache.storageClassName=fast,rbac.secrets=read']],
  ['lateen-agent', 'beside-vela-core', ['--set=applications=gitops,velaCore.identity=trusted,velaCore.componentDefinition=true']],
  ['lateen-agent', 'rights-only', ['--set=deployment.enabled=false']],
];

const golden = (chart: string, way: string): string =>
  fileURLToPath(new URL(`../../fixtures/charts/golden/${chart}-${way}.yaml`, import.meta.url));

describe.each(CHART_NAMES)('the chart %s', (name) => {
  it('passes lint and has the version of the package', async () => {
    const printed = await helm('lint', '--strict', `${CHARTS}${name}`, '--kube-version', KUBERNETES_VERSION, ...REQUIRED[name]!);
    expect(printed).toContain('1 chart(s) linted, 0 chart(s) failed');
    const chart = await helm('show', 'chart', `${CHARTS}${name}`);
    expect(chart).toContain(`appVersion: ${VERSION}\n`);
    expect(chart).toContain(`\nversion: ${VERSION}\n`);
  });

  it('refuses a key that it does not know, wherever it stands', async () => {
    const values = objectsOf(await helm('show', 'values', `${CHARTS}${name}`))[0]!;
    for (const path of ['nope', ...mapsIn(values as unknown as Record<string, unknown>).map((map) => `${map}.nope`)]) {
      const refusal = /additional properties 'nope' not allowed|Additional property nope/;
      await expect(template(name, 'tenant', `--set=${path}=1`), path).rejects.toThrow(refusal);
    }
  });

  it('refuses a Kubernetes that is too old', async () => {
    await expect(template(name, 'tenant', '--kube-version', '1.29.0')).rejects.toThrow('chart requires kubeVersion: >=1.30.0');
  });

  it('says what to do where no image is named', async () => {
    const words = /image\.repository is not set[^]*Build one with `docker build -t IMAGE \.`[^]*--set image\.repository=IMAGE/;
    await expect(bareTemplate(name, 'tenant')).rejects.toThrow(words);
  });

  it('holds no hooks and looks nothing up, so that GitOps tools can install it', async () => {
    const rendered = await template(name, 'tenant');
    expect(rendered).not.toContain('helm.sh/hook');
    expect(rendered).not.toContain('caBundle:');
    const templates = await helm('show', 'all', `${CHARTS}${name}`);
    expect(templates).not.toMatch(/\b(lookup|genCA|genSelfSignedCert|randAlpha)/);
  });

  it('has a README that lists each value', async () => {
    const readme = await readFile(CHART_READMES[name]!, 'utf8');
    expect(await withValuesTable(name, readme)).toBe(readme);
  });
});

describe('a rendered chart', () => {
  it.each(WAYS)('%s, %s, is what it was, twice the same', async (chart, way, values) => {
    const rendered = await template(chart, 'team-a', ...values);
    expect(await template(chart, 'team-a', ...values)).toBe(rendered);
    await expect(rendered).toMatchFileSnapshot(golden(chart, way));
  });

  it.each(CHART_NAMES)('%s takes a namespace that is a number', async (name) => {
    const namespaces = objectsOf(await template(name, '7')).flatMap(({ metadata }) => metadata.namespace ?? []);
    expect(new Set(namespaces)).toEqual(new Set(['7']));
  });
});

/** Paths of the maps in values whose keys the chart knows: those that are empty are free. */
function mapsIn(values: Record<string, unknown>, prefix = ''): string[] {
  return Object.entries(values).flatMap(([key, value]) => {
    const isMap = typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length > 0;
    if (!isMap || ['requests', 'limits'].includes(key)) return [];
    return [`${prefix}${key}`, ...mapsIn(value as Record<string, unknown>, `${prefix}${key}.`)];
  });
}
