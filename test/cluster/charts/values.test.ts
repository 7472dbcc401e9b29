import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import type { KubeObject } from '#api/kubernetes.ts';
import { CHART_READMES } from '#dev/chart-readme.ts';
import { bareTemplate, objectsOf } from '#test/support/helm.ts';
import { createNamespace, kubectlApply } from '#test/support/namespace.ts';

type Value = [path: string, value: unknown];
/** Another value than the default, and what must be set for it to count. */
type Change = [...Value, context?: Value];

const REQUIRED: Value[] = [
  ['image.repository', 'registry.test/lateen'],
  ['applications', 'all'],
];

const PODS: Change[] = [
  ['image.repository', 'registry.test:5000/other'],
  ['image.tag', 'other'],
  ['image.pullPolicy', 'Always'],
  ['imagePullSecrets', ['login']],
  ['resources', { requests: { cpu: 0.5, memory: '1Gi' }, limits: { cpu: '2', memory: 2_000_000_000 } }],
  ['networkPolicy.enabled', false],
  ['networkPolicy.apiServerPorts', [16_443]],
  ['podLabels', { team: 'a' }],
  ['podAnnotations', { 'example.org/number': '7' }],
  ['nodeSelector', { 'kubernetes.io/os': 'linux' }],
  ['tolerations', [{ key: 'a', operator: 'Exists', effect: 'NoSchedule' }]],
  ['affinity', { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'kubernetes.io/hostname' }] } }],
  ['priorityClassName', 'system-cluster-critical'],
];

const CHANGES: Record<string, Change[]> = {
  lateen: [
    ...PODS,
    ['webhook.enabled', false],
    ['webhook.replicas', 3],
    ['webhook.namespaces', 'opt-in'],
    ['webhook.failurePolicy', 'Fail'],
    ['webhook.timeoutSeconds', 5],
    ['webhook.url', 'https://127.0.0.1:8443'],
    ['webhook.port', 10_250],
    ['webhook.minInterval', '1m30s'],
    ['webhook.certificateLife', '720h'],
    ['webhook.drain', '10s'],
    ['webhook.logLevel', 'debug'],
    ['secretPolicy.enabled', false],
    ['certificates.mode', 'provided'],
    ['certificates.secretName', 'other'],
    ['certificates.issuerRef', { name: 'corp', kind: 'ClusterIssuer' }, ['certificates.mode', 'cert-manager']],
  ],
  'lateen-agent': [
    ...PODS,
    ['applications', 'gitops'],
    ['velaCore.identity', 'trusted'],
    ['velaCore.componentDefinition', true, ['applications', 'gitops']],
    ['minInterval', '1m30s'],
    ['revisionLimit', 0],
    ['gitTimeout', '2m'],
    ['quietWindow', '500ms'],
    ['insecureRegistries', ['registry.dev.svc:5000', 'other']],
    ['leaseDuration', '1m'],
    ['maxRequests', 8],
    ['sharedInventories', 'never'],
    ['logLevel', 'debug'],
    ['healthPort', 9_090],
    ['deployment.enabled', false],
    ['replicas', 2],
    ['cache.volume', 'persistentVolumeClaim'],
    ['cache.size', 5_000_000_000],
    ['cache.storageClassName', 'fast', ['cache.volume', 'persistentVolumeClaim']],
    ['cache.accessMode', 'ReadWriteMany', ['cache.volume', 'persistentVolumeClaim']],
    ['rbac.secrets', 'read'],
    ['rbac.rules', [{ apiGroups: ['example.org'], resources: ['widgets'], verbs: ['get', 'list', 'watch', 'create', 'patch', 'delete'] }]],
    ['networkPolicy.sourcePorts', [22, 3_000]],
  ],
};

/** Of cert-manager and vela-core, which are not here. */
const UNKNOWN_HERE = new Set(['Certificate', 'Issuer', 'ComponentDefinition']);

let namespace: string;

beforeAll(async () => {
  namespace = await createNamespace();
});

describe.each(Object.keys(CHANGES))('the values of the chart %s', (chart) => {
  const changes = CHANGES[chart]!;

  it('are all tried here', async () => {
    const readme = await readFile(CHART_READMES[chart]!, 'utf8');
    const documented = [...readme.matchAll(/^\| `([\w.]+)` \|/gm)].map(([, name]) => name!);
    expect(changes.map(([path]) => path).toSorted()).toEqual(documented.toSorted());
  });

  it.each(changes)('%s counts, and the API server takes what comes of it', async (path, value, context) => {
    const base = [...REQUIRED, ...(context ? [context] : [])];
    const [before, after] = await Promise.all([render(chart, base), render(chart, [...base, [path, value]])]);
    expect(after).not.toBe(before);
    const known = new Set(objectsOf(before).map((object) => JSON.stringify(object)));
    await tried(objectsOf(after).filter((object) => !known.has(JSON.stringify(object)) && !UNKNOWN_HERE.has(object.kind)));
  });

  it('by default are such that the API server takes them', async () => {
    await tried(objectsOf(await render(chart, REQUIRED)));
  });
});

/** What is set later counts. */
function render(chart: string, values: readonly Value[]): Promise<string> {
  const known = values.filter(([path]) => chart === 'lateen-agent' || path !== 'applications');
  return bareTemplate(chart, namespace, ...known.flatMap(([path, value]) => ['--set-json', `${path}=${JSON.stringify(value)}`]));
}

/** Nothing is made: the charts hold what is there once per cluster, and others of this run have their own. */
async function tried(objects: readonly KubeObject[]): Promise<void> {
  if (objects.length > 0) await kubectlApply(objects, '--dry-run=server', '--validate=strict');
}
