import type { HeldPrune } from '#agent/manifest/inventory.ts';
import { annotation } from '#api/names.ts';
import { annotate, getApplication } from './applications.ts';
import { withCluster } from './cluster.ts';
import type { Invocation } from './command.ts';
import { CommandError, type Exit, exit } from './exit.ts';
import { readInventory } from './inventory.ts';
import type { Io } from './io.ts';

const SHOWN_DIGITS = 12;
const LEAST_DIGITS = 7;

/** `lateen approve APP [COMMIT]`: without a commit the list that waits (exit 1), with it the word that it may go. */
export async function approve(io: Io, options: Invocation): Promise<Exit> {
  const { argument: app, more: [commit] = [] } = options;
  return withCluster(io, options, async (cluster) => {
    await getApplication(cluster, app);
    const held = Object.entries((await readInventory(cluster, app))?.held ?? {});
    if (held.length === 0) {
      io.stdout.write(`No prune of ${app} is held.\n`);
      return commit === undefined ? exit.yes : exit.no;
    }
    if (commit === undefined) {
      io.stdout.write(held.map(([component, one]) => heldText(app, component, one)).join('\n'));
      return exit.no;
    }
    const meant = held.filter(([, one]) => commit.length >= LEAST_DIGITS && one.commit.startsWith(commit));
    if (meant.length === 0) throw notShown(app, commit, held);
    await annotate(cluster, app, { [annotation.approvePrune]: commit });
    const objects = meant.reduce((sum, [, one]) => sum + one.objects.length, 0);
    io.stdout.write(`Approved: the agent removes ${objects} ${objects === 1 ? 'object' : 'objects'} of ${app} now.\n`);
    return exit.yes;
  });
}

function notShown(app: string, commit: string, held: readonly (readonly [string, HeldPrune])[]): CommandError {
  const commits = [...new Set(held.map(([, one]) => one.commit.slice(0, SHOWN_DIGITS)))].join(', ');
  const short = commit.length < LEAST_DIGITS ? ` (at least ${LEAST_DIGITS} digits are needed)` : '';
  return new CommandError(
    exit.no,
    `no prune of ${app} is held at ${JSON.stringify(commit)}${short}`,
    `what is held stands at ${commits}: look with lateen approve ${app}`,
  );
}

function heldText(app: string, component: string, { commit, objects, why, left }: HeldPrune): string {
  const lines = objects.map((id) => `  ${objectText(id)}`);
  const short = commit.slice(0, SHOWN_DIGITS);
  // One that has left the spec is at no commit: what stands in its place only names the list.
  const title = left ? `Component ${component}, which has left the spec` : `Component ${component}, commit ${short}`;
  return [`${title}: ${why}.`, ...lines, `To remove them: lateen approve ${app} ${short}`, ''].join('\n');
}

/** `apps/Deployment/ns/web` -> `Deployment/web`. */
function objectText(id: string): string {
  const [, kind, , ...name] = id.split('/');
  return `${kind}/${name.join('/')}`;
}
