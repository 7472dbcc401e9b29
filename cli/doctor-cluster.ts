import { ApiError } from '#agent/cluster/client.ts';
import { type AllowList, allowListsOf } from '#api/allow-lists.ts';
import type { KubeObject } from '#api/kubernetes.ts';
import { annotation, API_VERSION, label } from '#api/names.ts';
import { type Checked, type Check, DEADLINE_MS, failed, guarded, ok, type Seat, skipped } from './doctor-check.ts';

/** The API server, the kinds of Lateen, and the namespace. */

const OLDEST = { major: 1, minor: 30 };

export const apiServer: Check = async ({ cluster: { client, server } }) => {
  const { status, body } = await client.transport.request({ method: 'GET', path: '/version', timeoutMs: DEADLINE_MS });
  const { gitVersion = '', major = '', minor = '' } = (status === 200 ? body : {}) as Record<string, string | undefined>;
  const name = 'API server';
  if (gitVersion === '') return [skipped(name, `${server} answers, and does not say its version (${status})`)];
  const [one, two] = [Number.parseInt(major, 10), Number.parseInt(minor, 10)];
  const message = `${server} answers, Kubernetes ${gitVersion}`;
  if (one > OLDEST.major || two >= OLDEST.minor) return [ok(name, message)];
  return [failed(name, message, `Lateen needs Kubernetes ${OLDEST.major}.${OLDEST.minor} or newer`)];
};

const KINDS = ['Application', 'ApplicationRevision'];
const CRD = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', name: 'applications.core.oam.dev' };

export const kinds: Check = async ({ cluster: { client } }) => {
  const found = await Promise.all(KINDS.map((kind) => client.kinds.find(API_VERSION, kind)));
  const missing = KINDS.filter((_, index) => !found[index]);
  if (missing.length > 0) {
    const message = `the API server does not know ${missing.join(' and ')} of ${API_VERSION}`;
    return [failed('CRDs', message, 'an administrator installs the chart lateen: kubectl apply --server-side -f charts/lateen/crds')];
  }
  const there = `${KINDS.join(' and ')} are there`;
  return guarded('CRDs', async () => {
    const crd = await client.get(CRD, { timeoutMs: DEADLINE_MS }).catch((error: unknown) => {
      if (error instanceof ApiError && error.status === 403) return undefined;
      throw error;
    });
    return [ok('CRDs', crd ? `${there}, ${ownerOf(crd)}` : `${there}; whose they are only those can see who may read CRDs`)];
  });
};

/** Both projects ship structurally equal CRDs; KubeVela's are generated, and a chart's template carries its release. */
function ownerOf({ metadata: { annotations = {}, managedFields = [] } }: KubeObject): string {
  const release = annotations['meta.helm.sh/release-name'];
  const by = release === undefined ? (managedFields[0]?.manager ?? 'somebody') : `the helm release ${release}`;
  const whose =
    annotations['controller-gen.kubebuilder.io/version'] === undefined ? "the chart lateen's" : "KubeVela's, which Lateen uses as they are";
  return `${whose}, applied by ${by}`;
}

/** The namespace, and whether there is one to look at. */
export async function namespace({ cluster: { client, namespace: name } }: Seat): Promise<{ checks: Checked[]; there: boolean }> {
  let there = true;
  const checks = await guarded('namespace', async () => {
    const object = await client.get({ apiVersion: 'v1', kind: 'Namespace', name }, { timeoutMs: DEADLINE_MS });
    there = object !== undefined;
    if (!object) return [failed('namespace', `there is no namespace ${name}`, 'choose another with -n, or make it: lateen init')];
    const { labels = {}, annotations = {}, deletionTimestamp } = object.metadata;
    if (deletionTimestamp) return [failed('namespace', `${name} is being deleted`, 'choose another namespace with -n')];
    const lists = allowListsOf(annotations);
    return [
      announced(name, labels),
      ...limits(annotation.allowedRepositories, lists.repositories),
      ...limits(annotation.allowedRegistries, lists.registries),
    ];
  });
  return { checks, there };
}

function announced(name: string, labels: Record<string, string>): Checked {
  const mode = labels[label.applications];
  if (mode === 'all' || mode === 'gitops')
    return ok('namespace', `${name} is there, and announces an agent (${label.applications}=${mode})`);
  const remedy = `an administrator runs kubectl label namespace ${name} ${label.applications}=all (or gitops, beside vela-core)`;
  return failed('namespace', `${name} announces no agent, so the webhook warns of each Application in it`, remedy);
}

function limits(name: string, list: AllowList | undefined): Checked[] {
  if (!list) return [];
  if ('problem' in list)
    return [
      failed('allow-list', `${name}: ${list.problem}, so it allows nothing`, 'an administrator corrects the annotation (docs/tenants.md)'),
    ];
  return [ok('allow-list', `${name} has ${list.patterns.length === 1 ? 'one pattern' : `${list.patterns.length} patterns`}`)];
}
