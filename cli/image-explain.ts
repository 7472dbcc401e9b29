import { detail } from '#api/details.ts';
import { parseImage } from '#api/image/reference.ts';
import { oneLine } from '#core/errors.ts';
import { getApplication } from './applications.ts';
import { withCluster } from './cluster.ts';
import type { Invocation } from './command.ts';
import { CommandError, type Exit, exit } from './exit.ts';
import { imageRepositoryOf, type LiveTags, liveTags, type RunningImage, runningWith, workloads } from './image-chain.ts';
import type { Io } from './io.ts';

/** The way of one component's images; what is not known is absent. */
interface Chain {
  component: string;
  /** What the registry has now. */
  registry?: LiveTags;
  /** What the agent has said last: keys of api/details.ts. */
  agent: Partial<Record<(typeof AGENT)[number], string>>;
  /** Absent where the user may not see workloads. */
  running?: RunningImage[];
}

const AGENT = ['image', 'imageTags', 'imageScanned', 'imageMarkers', 'imageCommit', 'commit', 'imageReason', 'imageMessage'] as const;

const ROWS: readonly (readonly [label: string, key: (typeof AGENT)[number]])[] = [
  ['Latest:     ', 'image'],
  ['Tags:       ', 'imageTags'],
  ['Since:      ', 'imageScanned'],
  ['Markers:    ', 'imageMarkers'],
  ['Commit:     ', 'imageCommit'],
  ['Synced:     ', 'commit'],
];

/** `lateen image explain APP`: from the tags to the running image, with the first thing that keeps it from moving. */
export async function imageExplain(io: Io, options: Invocation): Promise<Exit> {
  const { argument: app, output } = options;
  const chains = await withCluster(io, options, async (cluster) => {
    const { spec, status } = await getApplication(cluster, app);
    const followed = (spec?.components ?? []).filter(({ properties }) => properties?.['imageRepository'] !== undefined);
    if (followed.length === 0) throw new CommandError(exit.no, `no component of the Application ${app} has imageRepository`);
    const objects = await workloads(cluster);
    const chainOf = async (component: (typeof followed)[number]): Promise<Chain> => {
      const { name } = component;
      const details = status?.services?.find((service) => service.name === name)?.details ?? {};
      const repository = imageRepositoryOf(component);
      const image = repository ? parseImage(repository.image) : undefined;
      return {
        component: name,
        ...(repository ? { registry: await liveTags(cluster, repository, io.clock) } : {}),
        agent: Object.fromEntries(AGENT.flatMap((key) => (details[detail[key]] === undefined ? [] : [[key, details[detail[key]]]]))),
        ...(objects && image && 'image' in image ? { running: runningWith(objects, image.image) } : {}),
      };
    };
    return Promise.all(followed.map(chainOf));
  });
  if (output === 'json') io.stdout.write(`${JSON.stringify(chains, null, 2)}\n`);
  else io.stdout.write(chains.flatMap(linesOf).join(''));
  return chains.every(({ agent }) => agent.image !== undefined && agent.imageReason === undefined) ? exit.yes : exit.no;
}

function linesOf({ component, registry, agent, running }: Chain): string[] {
  const lines = [component];
  if (registry) lines.push(`  Registry:   ${registryText(registry)}`);
  for (const [label, key] of ROWS) if (agent[key] !== undefined) lines.push(`  ${label}${agent[key]}`);
  if (agent.image === undefined) lines.push('  Agent:      has said nothing about images yet');
  if (running) lines.push(...runningLines(running));
  if (agent.imageReason) lines.push(`  Waits:      ${agent.imageReason}: ${agent.imageMessage ?? ''}`);
  return lines.map((line) => `${line.slice(0, 14)}${oneLine(line.slice(14), 1_000)}\n`);
}

function registryText({ seen, kept, latest, runnerUp, reason, message }: LiveTags): string {
  const why = reason ? `${reason}: ${message ?? ''}` : '';
  if (seen === undefined) return why;
  const counts = `${seen} tags, ${kept} kept`;
  return latest === undefined ? `${counts}; ${why}` : `${counts}; latest ${latest}${runnerUp ? `, before it ${runnerUp}` : ''}`;
}

function runningLines(running: readonly RunningImage[]): string[] {
  if (running.length === 0) return ['  Running:    nowhere in the namespace'];
  return running.map(({ kind, name, image, ready, wanted }) => `  Running:    ${image} in ${kind}/${name}, ${ready} of ${wanted} ready`);
}
