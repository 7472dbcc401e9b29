import { ApiError } from '#agent/cluster/client.ts';
import { type KindInfo, pathOf } from '#agent/cluster/kinds.ts';
import type { Application } from '#api/application.ts';
import { closest, listText } from '#api/wording.ts';
import type { Cluster } from './cluster.ts';
import { CommandError, exit } from './exit.ts';

/** Known beforehand, which saves asking the API server for all its kinds. */
export const APPLICATION: KindInfo = {
  group: 'core.oam.dev',
  version: 'v1beta1',
  kind: 'Application',
  plural: 'applications',
  namespaced: true,
  verbs: [],
};

const DEADLINE_MS = 15_000;
const MAX_NAMED = 5;

/** In the order of the API server: by namespace and name. */
export async function listApplications({ client }: Cluster, namespace: string | undefined): Promise<Application[]> {
  const found = await client.list(APPLICATION, { ...(namespace === undefined ? {} : { namespace }), timeoutMs: DEADLINE_MS });
  return found as unknown as Application[];
}

/** Throws a CommandError that names the namespace and what is there, where there is no such Application. */
export async function getApplication(cluster: Cluster, name: string): Promise<Application> {
  return call(cluster, name, { method: 'GET' });
}

/** Sets one annotation. */
export async function annotate(cluster: Cluster, name: string, annotations: Record<string, string>): Promise<Application> {
  return call(cluster, name, { method: 'PATCH', body: { metadata: { annotations } }, contentType: 'application/merge-patch+json' });
}

async function call(
  cluster: Cluster,
  name: string,
  request: { method: 'GET' | 'PATCH'; body?: unknown; contentType?: string },
): Promise<Application> {
  const { client, namespace } = cluster;
  const path = pathOf(APPLICATION, { namespace, name });
  const { status, body } = await client.transport.request({ ...request, path, timeoutMs: DEADLINE_MS });
  if (status === 404) throw await notFound(cluster, name);
  const verb = request.method === 'GET' ? 'get' : 'patch';
  if (status >= 300) throw new ApiError(status, body, { verb, resource: APPLICATION.plural, group: APPLICATION.group, namespace, name });
  return body as Application;
}

/** Lists the namespace for names like the one asked for; where that is refused, it stays a plain sentence. */
async function notFound(cluster: Cluster, name: string): Promise<Error> {
  const { namespace } = cluster;
  const sentence = `there is no Application ${JSON.stringify(name)} in the namespace ${namespace}`;
  let names: string[];
  try {
    names = (await listApplications(cluster, namespace)).map(({ metadata }) => metadata.name);
  } catch (error) {
    if (error instanceof ApiError && error.status === 403) return new CommandError(exit.no, sentence);
    return error as Error;
  }
  const guess = closest(name, names);
  if (guess) return new CommandError(exit.no, sentence, `did you mean ${JSON.stringify(guess)}?`);
  if (names.length === 0) await mustExist(cluster);
  if (names.length === 0)
    return new CommandError(exit.no, `${sentence}, which has none`, 'choose another namespace with -n; lateen ls -A lists all');
  const more = names.length > MAX_NAMED ? ` and ${names.length - MAX_NAMED} more` : '';
  const some = more
    ? names
        .slice(0, MAX_NAMED)
        .map((one) => JSON.stringify(one))
        .join(', ')
    : listText(names);
  return new CommandError(exit.no, sentence, `it has ${some}${more}`);
}

/** Throws a CommandError where the namespace is not there; who may not look is told nothing. */
export async function mustExist({ client, namespace }: Cluster): Promise<void> {
  const { status } = await client.transport.request({
    method: 'GET',
    path: `/api/v1/namespaces/${encodeURIComponent(namespace)}`,
    timeoutMs: DEADLINE_MS,
  });
  if (status === 404)
    throw new CommandError(
      exit.no,
      `there is no namespace ${JSON.stringify(namespace)}`,
      'choose another with -n; lateen ls -A lists all Applications',
    );
}
