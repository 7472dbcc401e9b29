import { ApiError } from '#agent/cluster/client.ts';
import { takenFromVela } from '#agent/cluster/managed-fields.ts';
import type { Application } from '#api/application.ts';
import type { ManagedFieldsEntry } from '#api/kubernetes.ts';
import { annotation, API_VERSION } from '#api/names.ts';
import { changeApplication } from './application-patch.ts';
import { getApplication } from './applications.ts';
import { type Cluster, withCluster } from './cluster.ts';
import type { Invocation } from './command.ts';
import { type Exit, exit } from './exit.ts';
import { holdsOf, resumedWorkflow } from './holds.ts';
import type { Io } from './io.ts';
import { gitParentOf } from './publish-rules.ts';

const DEADLINE_MS = 15_000;
const MAX_TRIES = 10;

/** `lateen resume APP`: ends every hold, and says which there were. */
export async function resume(io: Io, options: Invocation): Promise<Exit> {
  const { argument: app } = options;
  return withCluster(io, options, async (cluster) => {
    const application = await getApplication(cluster, app);
    const { revision, images, workflow } = holdsOf(application);
    const annotations = {
      ...(revision === undefined ? {} : { [annotation.hold]: undefined }),
      ...(images.length === 0 ? {} : { [annotation.imageHold]: `resumed ${new Date(io.clock.now()).toISOString()}` }),
    };
    if (Object.keys(annotations).length > 0)
      await changeApplication(cluster, application, (current) => ({ annotations, ...fieldsForGit(current, revision) }));
    if (workflow) await resumeWorkflow(cluster, application);
    const said = [
      ...(revision === undefined ? [] : [`${app} is not held at ${revision} any more: ${followed(application)}`]),
      ...(images.length === 0 ? [] : [`new images are set again (${images.join(', ')})`]),
      ...(workflow ? [`the workflow goes on${workflow.length > 0 ? ` (${workflow.join(', ')})` : ''}`] : []),
    ];
    io.stdout.write(said.length === 0 ? `Nothing of ${app} is held.\n` : said.map((line) => `Resumed: ${line}.\n`).join(''));
    return exit.yes;
  });
}

function followed(application: Application): string {
  const parent = gitParentOf(application);
  return parent === undefined ? 'its own spec runs' : `it follows Git again (Application ${parent})`;
}

/** What the `vela` command changed was kept by the hold: from now on Git has the word, and what it does not have is removed. */
function fieldsForGit(application: Application, hold: string | undefined): { managedFields?: ManagedFieldsEntry[] } {
  if (hold === undefined || gitParentOf(application) === undefined) return {};
  const managedFields = takenFromVela(application.metadata.managedFields ?? []);
  return managedFields ? { managedFields } : {};
}

/** The agent writes the status too: what is resumed is always what stands there now. */
async function resumeWorkflow(cluster: Cluster, application: Application): Promise<void> {
  const { client, namespace } = cluster;
  const { name } = application.metadata;
  let current: Application = application;
  for (let tries = 1; current.status?.workflow?.suspend; tries++) {
    const { resourceVersion } = current.metadata;
    const patch = { metadata: { resourceVersion }, status: { workflow: resumedWorkflow(current.status.workflow) } };
    const reference = { apiVersion: API_VERSION, kind: 'Application', namespace, name };
    try {
      await client.mergePatch(reference, patch, { subresource: 'status', timeoutMs: DEADLINE_MS });
      return;
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 409 || tries === MAX_TRIES) throw error;
      current = await getApplication(cluster, name);
    }
  }
}
