import { label } from '#api/names.ts';
import { quote } from '#api/wording.ts';
import { listApplications } from './applications.ts';
import { type Cluster, withCluster } from './cluster.ts';
import type { Invocation } from './command.ts';
import { CommandError, type Exit, exit } from './exit.ts';
import { type Io, style } from './io.ts';
import { printObject, shown } from './output.ts';
import { findRevision, recordOf, type RevisionRecord } from './revision-record.ts';
import { revisionText } from './revision-text.ts';
import { getRevision, listRevisions } from './revisions.ts';
import { sizedRevisions } from './sized-revisions.ts';

/** `lateen revision get APP-vN [-o FORMAT]`. */
export async function revisionGet(io: Io, options: Invocation): Promise<Exit> {
  const { argument: name, output = 'table' } = options;
  const record = await withCluster(io, options, (cluster) => find(cluster, name));
  if (output !== 'table') {
    await printObject(io, shown(record.object), output);
    return exit.yes;
  }
  const [sized] = await sizedRevisions([record]);
  io.stdout.write(revisionText(sized!, { timeZone: io.timeZone, heading: (text) => style(io, io.stdout, 'bold', text) }));
  return exit.yes;
}

async function find(cluster: Cluster, name: string): Promise<RevisionRecord> {
  const object = await getRevision(cluster, name);
  if (object) return recordOf(object.metadata.labels?.[label.appName] ?? '', object);
  const application = applicationIn(name);
  const records = application === undefined ? [] : await listRevisions(cluster, application);
  // It says which there are.
  if (application !== undefined && records.length > 0) return findRevision(records, name, application);
  const names = (await listApplications(cluster, cluster.namespace)).map(({ metadata }) => metadata.name);
  const remedy = names.includes(name)
    ? `name one of its revisions: lateen revision list ${name}`
    : 'lateen revision list APP shows those of an Application';
  throw new CommandError(exit.no, `there is no revision ${quote(name)} in the namespace ${cluster.namespace}`, remedy);
}

/** `podinfo-v3` -> `podinfo`. */
function applicationIn(name: string): string | undefined {
  return /^(.+)-v\d+$/.exec(name)?.[1];
}
