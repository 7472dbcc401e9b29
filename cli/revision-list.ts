import { getApplication } from './applications.ts';
import { withCluster } from './cluster.ts';
import type { Invocation } from './command.ts';
import { type Exit, exit } from './exit.ts';
import type { Io } from './io.ts';
import { listOf, printObject, shown } from './output.ts';
import { revisionsTable } from './revision-table.ts';
import { listRevisions } from './revisions.ts';
import { sizedRevisions } from './sized-revisions.ts';

/** `lateen revision list APP [-o FORMAT]`. */
export async function revisionList(io: Io, options: Invocation): Promise<Exit> {
  const { argument: app, output = 'table' } = options;
  const records = await withCluster(io, options, async (cluster) => {
    const found = await listRevisions(cluster, app);
    // Revisions may outlive their Application for a moment; where there are none, it is asked whether that one is there.
    if (found.length === 0) await getApplication(cluster, app);
    return found;
  });
  if (output !== 'table') {
    await printObject(io, listOf(records.map(({ object }) => shown(object))), output);
    return exit.yes;
  }
  if (records.length === 0) io.stderr.write(`The Application ${app} has no revision yet.\n`);
  else io.stdout.write(revisionsTable(await sizedRevisions(records), io.timeZone));
  return exit.yes;
}
