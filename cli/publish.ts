import { contentHash, snapshot } from '#agent/revision/snapshot.ts';
import type { KubeObject } from '#api/kubernetes.ts';
import { annotation } from '#api/names.ts';
import { changeApplication } from './application-patch.ts';
import { getApplication } from './applications.ts';
import { type Cluster, withCluster } from './cluster.ts';
import type { Invocation } from './command.ts';
import { CommandError, type Exit, exit } from './exit.ts';
import { heldText } from './hold-text.ts';
import type { Io } from './io.ts';
import { liveExternals } from './live-externals.ts';
import { gitParentOf, mustBeOurs, mustBePublishable, type Publication } from './publish-rules.ts';
import { cloneOf, nextNumber } from './revision-clone.ts';
import { findRevision, recordedApplication, titleOf } from './revision-record.ts';
import { createRevision, deleteRevision, userName } from './revision-writes.ts';
import { listRevisions } from './revisions.ts';

/** `lateen publish APP --version V [--revision REV]`: rolls the live spec, or what a revision was, out under a new version. */
export async function publish(io: Io, options: Invocation): Promise<Exit> {
  const { argument: app, version = '', revision } = options;
  if (version === '')
    throw new CommandError(exit.usage, '--version is missing', `write the new publishVersion: lateen publish ${app} --version VERSION`);
  return withCluster(io, options, async (cluster) => {
    const [application, records] = await Promise.all([getApplication(cluster, app), listRevisions(cluster, app)]);
    mustBeOurs(application);
    const source = revision === undefined ? undefined : findRevision(records, revision, app);
    const publication: Publication = { application, version, records, source };
    const there = mustBePublishable(publication);
    const parent = gitParentOf(application);
    const made = there || (!source && parent === undefined) ? undefined : await makeRevision(cluster, publication);
    const target = { name: there?.name ?? made?.metadata.name ?? '', version };
    const change =
      parent === undefined
        ? {
            ...(source ? { spec: recordedApplication(source).spec } : {}),
            annotations: { [annotation.publishVersion]: version, [annotation.hold]: undefined },
          }
        : { annotations: { [annotation.hold]: target.name } };
    await changeApplication(cluster, application, () => change).catch(async (error: unknown) => {
      // Left behind, it would be a revision that nobody asked for, and harm nothing.
      if (made) await deleteRevision(cluster, made).catch(() => undefined);
      throw error;
    });
    if (parent !== undefined) io.stdout.write(heldText(application, parent, titleOf(target)));
    else
      io.stdout.write(
        `Published: ${app} as ${version}${source ? `, from ${titleOf(source)}` : ''}. lateen wait ${app} --version ${version} tells how it goes.\n`,
      );
    return exit.yes;
  });
}

/** The revision that is to run: a copy of an earlier one, or a snapshot of the live spec. */
async function makeRevision(cluster: Cluster, { application, version, records, source }: Publication): Promise<KubeObject> {
  const requestedBy = await userName(cluster);
  const from = nextNumber(application, records);
  if (source) return createRevision(cluster, from, (number) => cloneOf(source, application, { number, version, requestedBy }));
  const externals = await liveExternals(cluster, application);
  const hash = contentHash(application.spec, externals);
  const { name, annotations } = application.metadata;
  const metadata = { ...application.metadata, annotations: { ...annotations, [annotation.publishVersion]: version } };
  return createRevision(cluster, from, (number) =>
    snapshot(
      { ...application, metadata },
      { name: `${name}-v${number}`, number, hash },
      { externals, ...(requestedBy ? { requestedBy } : {}) },
    ),
  );
}
