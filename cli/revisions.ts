import { ApiError } from '#agent/cluster/client.ts';
import { type KindInfo, pathOf } from '#agent/cluster/kinds.ts';
import type { KubeObject } from '#api/kubernetes.ts';
import { label } from '#api/names.ts';
import { APPLICATION } from './applications.ts';
import type { Cluster } from './cluster.ts';
import { recordsOf, type RevisionRecord } from './revision-record.ts';

/** Known beforehand, as the kind Application is. */
const APPLICATION_REVISION: KindInfo = { ...APPLICATION, kind: 'ApplicationRevision', plural: 'applicationrevisions' };

const DEADLINE_MS = 15_000;

/** The revisions of an Application, the oldest first. */
export async function listRevisions({ client, namespace }: Cluster, application: string): Promise<RevisionRecord[]> {
  const labelSelector = `${label.appName}=${application}`;
  return recordsOf(application, await client.list(APPLICATION_REVISION, { namespace, labelSelector, timeoutMs: DEADLINE_MS }));
}

/** The revision of that name; undefined where there is none. */
export async function getRevision({ client, namespace }: Cluster, name: string): Promise<KubeObject | undefined> {
  const path = pathOf(APPLICATION_REVISION, { namespace, name });
  const { status, body } = await client.transport.request({ method: 'GET', path, timeoutMs: DEADLINE_MS });
  if (status === 404) return undefined;
  const { plural: resource, group } = APPLICATION_REVISION;
  if (status >= 300) throw new ApiError(status, body, { verb: 'get', resource, group, namespace, name });
  return body as KubeObject;
}
