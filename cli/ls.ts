import { listApplications, mustExist } from './applications.ts';
import { withCluster } from './cluster.ts';
import type { Invocation } from './command.ts';
import { type Exit, exit } from './exit.ts';
import type { Io } from './io.ts';
import { applicationsTable } from './ls-table.ts';
import { listOf, printObject, shown } from './output.ts';

/** `lateen ls [-n NS] [-A] [-o FORMAT]`. */
export async function ls(io: Io, options: Invocation): Promise<Exit> {
  const { allNamespaces = false, output = 'table' } = options;
  const applications = await withCluster(io, options, async (cluster) => {
    const found = await listApplications(cluster, allNamespaces ? undefined : cluster.namespace);
    if (found.length === 0 && !allNamespaces) await mustExist(cluster);
    if (found.length === 0)
      io.stderr.write(`There is no Application in ${allNamespaces ? 'any namespace' : `the namespace ${cluster.namespace}`}.\n`);
    return found;
  });
  if (output !== 'table') await printObject(io, listOf(applications.map(shown)), output);
  else if (applications.length > 0) io.stdout.write(applicationsTable(applications, { timeZone: io.timeZone, namespaces: allNamespaces }));
  return exit.yes;
}
