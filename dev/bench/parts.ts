import type { Settings } from '#core/settings.ts';
import type { Laboratory } from './laboratory.ts';
import { type ColdStart, type ColdStartOptions, coldStart } from './part-a.ts';
import { quiet } from './part-b.ts';
import { pushes } from './part-c.ts';
import { clients } from './part-client.ts';
import { large } from './part-d.ts';
import { idle } from './part-e.ts';
import { growthExponent, type Measured, median } from './report.ts';
import type { benchSettings, PartName } from './settings.ts';

export type BenchSettings = Settings<typeof benchSettings>;

export interface Progress {
  log: (line: string) => void;
  signal: AbortSignal;
}

interface Bench extends Progress {
  laboratory: Laboratory;
  settings: BenchSettings;
  quick: boolean;
}

/** One part after the other: two would measure each other. */
export async function measure(laboratory: Laboratory, settings: BenchSettings, progress: Progress): Promise<Measured[]> {
  const bench = { ...progress, laboratory, settings, quick: settings.quick === 'true' };
  const measured: Measured[] = [];
  for (const part of settings.part) {
    progress.signal.throwIfAborted();
    progress.log(`part ${part}`);
    measured.push({ part, ...(await PARTS[part](bench)) });
  }
  return measured;
}

type Part = (bench: Bench) => Promise<Omit<Measured, 'part'>>;

const PARTS: Record<PartName, Part> = { a: partA, b: partB, c: partC, d: partD, e: partE, f: partF, client: partClient };

const SMALL_REPOSITORIES = 300;
const IDLE_COMPONENTS = 100;
const PUSHES = 20;
const LARGE = 2_000;
const IDLE_SECONDS = 60;

/** What part a measures. */
function crowdsOf({ settings, quick }: Bench): Pick<ColdStartOptions, 'applications' | 'repositories'>[] {
  const { n, repositories } = settings;
  const sizes = { one: quick ? [100] : [100, 1_000], each: [SMALL_REPOSITORIES] };
  const kinds = repositories === 'auto' ? (n.length > 0 ? (['one'] as const) : (['one', 'each'] as const)) : [repositories];
  return kinds.flatMap((kind) => (n.length > 0 ? n : sizes[kind]).map((applications) => ({ applications, repositories: kind })));
}

async function partA(bench: Bench): Promise<Omit<Measured, 'part'>> {
  const { settings, quick } = bench;
  const runs = quick ? 1 : settings.runs;
  const title = `from the start of the agent to the last object applied (${runs === 1 ? 'one run' : `median of ${runs}`})`;
  const rows: Measured['rows'] = [];
  const detail: ColdStart[] = [];
  for (const one of crowdsOf(bench)) {
    const found: ColdStart[] = [];
    for (let run = 0; run < runs; run++) found.push(await coldStarts(bench, one));
    detail.push(...found);
    rows.push(coldStartRow(found));
  }
  return { title, rows, detail };
}

async function coldStarts(
  { laboratory, settings, log, quick }: Bench,
  one: Pick<ColdStartOptions, 'applications' | 'repositories'>,
): Promise<ColdStart> {
  const { claim, profile } = settings;
  const folders = quick ? { folders: one.applications } : {};
  const result = await coldStart(laboratory, { ...one, claimed: claim === 'webhook', profile, ...folders });
  const { applications, seconds, bareSeconds, byVerb } = result;
  log(`  ${applications} Applications: ${seconds.toFixed(1)} s, bare ${bareSeconds.toFixed(1)} s, ${JSON.stringify(byVerb)}`);
  return result;
}

function coldStartRow(runs: readonly ColdStart[]): Record<string, number> {
  const of = (name: keyof ColdStart): number => median(runs.map((run) => run[name] as number));
  return {
    Applications: of('applications'),
    repositories: of('repositories'),
    objects: of('objects'),
    's applied': of('seconds'),
    's bare': of('bareSeconds'),
    's bare again': of('bareAgainSeconds'),
    'applied/bare': of('ratio'),
    's settled': of('settledSeconds'),
    'CPU s': of('cpuSeconds'),
    'peak RSS MB': of('peakRssMb'),
    'peak private MB': of('peakPrivateMb'),
    requests: of('requests'),
    'requests/object': of('requestsPerObject'),
    'git requests': of('gitRequests'),
  };
}

async function partB({ laboratory, settings, quick }: Bench): Promise<Omit<Measured, 'part'>> {
  const components = quick ? (settings.n[0] ?? IDLE_COMPONENTS) : IDLE_COMPONENTS;
  const idleMs = (quick ? Math.min(30, settings.idle) : settings.idle) * 1_000;
  const detail = [];
  for (const repositories of ['one', 'each'] as const) detail.push(await quiet(laboratory, { components, repositories, idleMs }));
  const rows = detail.map((one) => ({
    components: one.components,
    repositories: one.repositories,
    'API requests/min': one.apiRequests,
    'CPU s/min': one.cpuSeconds,
    'git listings/min': one.gitListings,
    'git requests/min': one.gitRequests,
    'RSS MB': one.rssMb,
    'private MB': one.privateMb,
  }));
  return { title: `nothing changes for ${idleMs / 1_000} s, pullInterval 1m`, rows, detail };
}

async function partC({ laboratory, settings, quick }: Bench): Promise<Omit<Measured, 'part'>> {
  const components = settings.n[0] ?? (quick ? 100 : 1_000);
  const detail = await pushes(laboratory, { components, pushes: quick ? 5 : PUSHES });
  const { seconds, objectsWritten, requests, cpuSeconds } = detail;
  const row = {
    components,
    pushes: seconds.length,
    's median': median(seconds),
    's worst': Math.max(...seconds),
    'objects written/push': objectsWritten / seconds.length,
    'API requests/push': requests / seconds.length,
    'CPU s/push': cpuSeconds / seconds.length,
  };
  return { title: 'a push that touches one folder, to the object applied; 1 s poll', rows: [row], detail };
}

async function partD({ laboratory, settings, quick }: Bench): Promise<Omit<Measured, 'part'>> {
  const detail = await large(laboratory, quick ? (settings.n[0] ?? 100) * 2 : LARGE);
  const row = {
    objects: detail.objects,
    's first apply': detail.firstSeconds,
    's bare': detail.bareSeconds,
    'requests first': detail.firstRequests,
    'requests, commit elsewhere': detail.elsewhereRequests,
    'requests, comment': detail.commentRequests,
    'writes, restart': detail.restartWrites,
    's one changed': detail.oneSeconds,
    'writes, one changed': detail.oneWrites,
    'peak RSS MB': detail.peakRssMb,
  };
  return { title: 'one component with many objects', rows: [row], detail };
}

async function partE({ laboratory, quick }: Bench): Promise<Omit<Measured, 'part'>> {
  const detail = await idle(laboratory, quick ? 15 : IDLE_SECONDS);
  const { agent, bareNode, rssRatio } = detail;
  const row = {
    'agent RSS MB': agent.rssMb,
    'agent private MB': agent.privateMb,
    'Node RSS MB': bareNode.rssMb,
    'Node private MB': bareNode.privateMb,
    'RSS agent/Node': rssRatio,
  };
  return { title: `an idle agent after ${detail.seconds} s, and a Node that does nothing`, rows: [row], detail };
}

async function partF(bench: Bench): Promise<Omit<Measured, 'part'>> {
  const { settings, quick } = bench;
  const sizes = settings.n.length > 1 ? settings.n : quick ? [30, 100] : [100, 300, 1_000];
  const detail: ColdStart[] = [];
  for (const applications of sizes) detail.push(await coldStarts(bench, { applications, repositories: 'one' }));
  const exponent = (name: 'seconds' | 'bareSeconds' | 'cpuSeconds'): string =>
    growthExponent(detail.map((one) => [one.applications, one[name]])).toFixed(2);
  const exponents = `${exponent('seconds')} of s applied, ${exponent('bareSeconds')} of s bare, ${exponent('cpuSeconds')} of CPU s`;
  return { title: `growth of (a), with the exponents ${exponents}`, rows: detail.map((one) => coldStartRow([one])), detail };
}

async function partClient({ laboratory, settings, quick }: Bench): Promise<Omit<Measured, 'part'>> {
  const detail = await clients(laboratory, quick ? (settings.n[0] ?? 25) : 100);
  const rows = (['thin', 'library'] as const).map((which) => ({
    client: which === 'thin' ? 'agent/cluster' : '@kubernetes/client-node',
    requests: detail.requests,
    s: detail[which].ms / 1_000,
    'CPU ms/request': (detail[which].cpuSeconds * 1_000) / detail.requests,
  }));
  return { title: 'the same requests (an apply and a read of each object) through two clients', rows, detail };
}
