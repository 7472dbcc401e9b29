import { messageOf } from '#core/errors.ts';
import { withCluster } from './cluster.ts';
import type { Invocation } from './command.ts';
import { deployment, lease, mine, rights } from './doctor-agent.ts';
import { type Check, type Checked, guarded, type Seat } from './doctor-check.ts';
import { apiServer, kinds, namespace } from './doctor-cluster.ts';
import { owners } from './doctor-owners.ts';
import { applications, registries, sources } from './doctor-sources.ts';
import { webhook } from './doctor-webhook.ts';
import { CommandError, type Exit, exit } from './exit.ts';
import { type Io, style } from './io.ts';

/** In the order in which one thing needs the other. */
const CHECKS: readonly Check[] = [webhook, deployment, lease, rights, mine, applications, owners, sources, registries];

/** `lateen doctor`: from the seat of whoever asks, what works and what does not, each with what to do. */
export async function doctor(io: Io, options: Invocation): Promise<Exit> {
  const json = (options.output as string | undefined) === 'json';
  try {
    return await withCluster(io, options, async (cluster) => {
      const seat = { cluster, clock: io.clock };
      const checks = await examine(seat);
      if (json) io.stdout.write(`${JSON.stringify({ namespace: cluster.namespace, checks }, null, 2)}\n`);
      else print(io, cluster.namespace, checks);
      return checks.some(({ state }) => state === 'failed') ? exit.no : exit.yes;
    });
  } catch (error) {
    // Nothing can be asked: said in the form that was asked for.
    if (!json || !(error instanceof CommandError)) throw error;
    const remedy = error.remedy === undefined ? {} : { remedy: error.remedy };
    io.stdout.write(
      `${JSON.stringify({ checks: [{ check: 'API server', state: 'failed', message: messageOf(error), ...remedy }] }, null, 2)}\n`,
    );
    return error.exit;
  }
}

async function examine(seat: Seat): Promise<Checked[]> {
  const cluster = [...(await apiServer(seat)), ...(await guarded('CRDs', () => kinds(seat)))];
  const { checks, there } = await namespace(seat);
  const first = [...cluster, ...checks];
  // Without its kinds, or its namespace, there is nothing of Lateen to look at.
  if (!there || cluster.some(({ check, state }) => check === 'CRDs' && state === 'failed')) return first;
  const rest = await Promise.all(CHECKS.map((check) => guarded('doctor', () => check(seat))));
  return [...first, ...rest.flat()];
}

const WORDS = { ok: ['ok', 'green'], failed: ['FAILED', 'red'], skipped: ['skipped', 'yellow'] } as const;

function print(io: Io, where: string, checks: readonly Checked[]): void {
  const width = Math.max(...checks.map(({ check }) => check.length));
  for (const { check, state, message, remedy } of checks) {
    const [word, colour] = WORDS[state];
    io.stdout.write(`${style(io, io.stdout, colour, word.padEnd(7))}  ${check.padEnd(width)}  ${message}\n`);
    if (remedy !== undefined) io.stdout.write(`${' '.repeat(width + 11)}-> ${remedy}\n`);
  }
  const count = (state: Checked['state']): number => checks.filter((one) => one.state === state).length;
  const [bad, open] = [count('failed'), count('skipped')];
  const said = bad === 0 ? `nothing is wrong in ${where}` : `${bad} of ${checks.length} checks failed in ${where}`;
  io.stdout.write(`\n${said}${open > 0 ? `; ${open} skipped` : ''}\n`);
}
