import { type Externals, externalsOf, mayNameExternals, NO_EXTERNALS } from '#agent/revision/externals.ts';
import type { Application, PolicyObject, WorkflowObject } from '#api/application.ts';
import type { KubeObject } from '#api/kubernetes.ts';
import { EXTERNAL_VERSION } from '#api/names.ts';
import type { Cluster } from './cluster.ts';

const DEADLINE_MS = 15_000;

/** The Policy and Workflow objects that an Application names, as they are now. */
export async function liveExternals(cluster: Cluster, { spec }: Application): Promise<Externals> {
  if (!mayNameExternals(spec)) return NO_EXTERNALS;
  const [policies, workflows] = await Promise.all([listed(cluster, 'Policy'), listed(cluster, 'Workflow')]);
  const named = (objects: readonly KubeObject[], name: string): KubeObject | undefined =>
    objects.find(({ metadata }) => metadata.name === name);
  const { externals } = externalsOf(spec, {
    policy: (name) => named(policies, name) as PolicyObject | undefined,
    workflow: (name) => named(workflows, name) as WorkflowObject | undefined,
  });
  return externals;
}

async function listed({ client, namespace }: Cluster, kind: string): Promise<KubeObject[]> {
  const info = await client.kinds.find(EXTERNAL_VERSION, kind);
  return info ? client.list(info, { namespace, timeoutMs: DEADLINE_MS }) : [];
}
