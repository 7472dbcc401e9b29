import { ApiError } from '#agent/cluster/client.ts';
import { pathOf } from '#agent/cluster/kinds.ts';
import type { Application, ApplicationSpec } from '#api/application.ts';
import type { ManagedFieldsEntry } from '#api/kubernetes.ts';
import { annotation } from '#api/names.ts';
import { APPLICATION, getApplication } from './applications.ts';
import type { Cluster } from './cluster.ts';
import { CommandError, exit } from './exit.ts';

/** What is to be written into an Application. */
export interface ApplicationChange {
  /** Replaces the spec as a whole. */
  spec?: ApplicationSpec;
  /** Undefined: the annotation goes. */
  annotations: Readonly<Record<string, string | undefined>>;
  /** Replaces who owns which field. */
  managedFields?: ManagedFieldsEntry[];
}

type Operation = { op: 'replace' | 'add' | 'remove'; path: string; value?: unknown };

/**
 * The change as a JSON patch, since a merge patch could not replace a spec that holds nulls. With the resourceVersion in it
 * the API server refuses it where the Application has changed since it was read.
 */
export function jsonPatch({ metadata }: Application, { spec, annotations, managedFields }: ApplicationChange): Operation[] {
  const operations: Operation[] = [{ op: 'replace', path: '/metadata/resourceVersion', value: metadata.resourceVersion ?? '' }];
  if (spec !== undefined) operations.push({ op: 'replace', path: '/spec', value: spec });
  if (managedFields !== undefined) operations.push({ op: 'replace', path: '/metadata/managedFields', value: managedFields });
  const entries = Object.entries(annotations);
  if (!metadata.annotations && entries.some(([, value]) => value !== undefined))
    operations.push({ op: 'add', path: '/metadata/annotations', value: {} });
  for (const [key, value] of entries) {
    const path = `/metadata/annotations/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    if (value !== undefined) operations.push({ op: 'add', path, value });
    else if (metadata.annotations?.[key] !== undefined) operations.push({ op: 'remove', path });
  }
  return operations;
}

const DEADLINE_MS = 15_000;
const MAX_TRIES = 10;

/**
 * Writes a change in one request. Where the agent has written the status meanwhile it is sent again; where a person was
 * faster it throws a CommandError, and nothing is written.
 */
export async function changeApplication(
  cluster: Cluster,
  read: Application,
  changeOf: (application: Application) => ApplicationChange,
): Promise<Application> {
  const { name } = read.metadata;
  let current = read;
  for (let tries = 1; ; tries++) {
    try {
      return await send(cluster, current, changeOf(current));
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 409 || tries === MAX_TRIES) throw error;
      current = await getApplication(cluster, name);
      if (!isSameToPeople(read, current))
        throw new CommandError(
          exit.no,
          `somebody else changed the Application ${name} at the same time: nothing was changed`,
          'look and try again',
        );
    }
  }
}

/** Whether nobody has written what a publish or a rollback is about. */
function isSameToPeople({ metadata: left }: Application, { metadata: right }: Application): boolean {
  const decided = [annotation.publishVersion, annotation.hold];
  return (
    left.uid === right.uid &&
    left.generation === right.generation &&
    decided.every((key) => left.annotations?.[key] === right.annotations?.[key])
  );
}

async function send({ client, namespace }: Cluster, application: Application, change: ApplicationChange): Promise<Application> {
  const { name } = application.metadata;
  const { status, body } = await client.transport.request({
    method: 'PATCH',
    path: pathOf(APPLICATION, { namespace, name }),
    body: jsonPatch(application, change),
    contentType: 'application/json-patch+json',
    timeoutMs: DEADLINE_MS,
  });
  const { plural: resource, group } = APPLICATION;
  if (status >= 300) throw new ApiError(status, body, { verb: 'patch', resource, group, namespace, name });
  return body as Application;
}
