import { getApplication } from './applications.ts';
import { type Cluster, withCluster } from './cluster.ts';
import type { Invocation } from './command.ts';
import { compare, type Comparison } from './comparison.ts';
import { comparisonText } from './diff-text.ts';
import { liveSide, revisionSide, type Side } from './diff-side.ts';
import { CommandError, type Exit, exit } from './exit.ts';
import { readInventory } from './inventory.ts';
import { type Io, style } from './io.ts';
import { liveExternals } from './live-externals.ts';
import { findRevision } from './revision-record.ts';
import { listRevisions } from './revisions.ts';

/**
 * `lateen diff APP [REV [REV]]`: the running revision and the live spec, a revision and the live spec, or two revisions.
 * Exit status as that of diff: 0 the same, 1 different; whatever else goes wrong is 2 or 3.
 */
export async function diff(io: Io, options: Invocation): Promise<Exit> {
  const { argument: app, more: [first, second] = [], output } = options;
  const comparison = await withCluster(io, options, (cluster) => compareIn(cluster, app, { first, second })).catch((error: unknown) => {
    // An answer of 1 would say that they differ.
    if (error instanceof CommandError && error.exit === exit.no) throw new CommandError(exit.couldNotAsk, error.message, error.remedy);
    throw error;
  });
  if (output === 'json') io.stdout.write(`${JSON.stringify(comparison, null, 2)}\n`);
  else io.stdout.write(comparisonText(comparison, (format, text) => style(io, io.stdout, format, text)));
  return comparison.different ? exit.no : exit.yes;
}

interface Asked {
  first: string | undefined;
  second: string | undefined;
}

async function compareIn(cluster: Cluster, app: string, { first, second }: Asked): Promise<Comparison> {
  const [live, records, inventory] = await Promise.all([
    getApplication(cluster, app),
    listRevisions(cluster, app),
    readInventory(cluster, app),
  ]);
  const side = (wanted: string): Side => revisionSide(findRevision(records, wanted, app, exit.couldNotAsk), live);
  const latest = records.find(({ name }) => name === live.status?.latestRevision?.name);
  if (first === undefined && !latest)
    throw new CommandError(exit.couldNotAsk, `no revision of ${app} runs yet`, 'wait until the agent has seen it');
  const running = latest && revisionSide(latest, live);
  const left = first === undefined ? running! : side(first);
  const right = second === undefined ? liveSide(live, await liveExternals(cluster, live)) : side(second);
  const standing = { entries: inventory?.entries ?? [], keep: inventory?.keep ?? [] };
  return compare(left, right, { live, running, standing });
}
