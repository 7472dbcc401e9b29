import type { Settings } from '#core/settings.ts';
import type { Laboratory } from './laboratory.ts';
import { type ColdStart, coldStart } from './part-a.ts';
import { type Measured, median } from './report.ts';
import type { benchSettings, PartName } from './settings.ts';

export type BenchSettings = Settings<typeof benchSettings>;

export interface Progress {
  log: (line: string) => void;
  signal: AbortSignal;
}

/** One part after the other: two would measure each other. */
export async function measure(laboratory: Laboratory, settings: BenchSettings, { log, signal }: Progress): Promise<Measured[]> {
  const measured: Measured[] = [];
  for (const part of settings.part) {
    signal.throwIfAborted();
    log(`part ${part}`);
    const run = PARTS[part];
    if (run) measured.push(await run(laboratory, settings, log));
  }
  return measured;
}

type Part = (laboratory: Laboratory, settings: BenchSettings, log: (line: string) => void) => Promise<Measured>;

const PARTS: Partial<Record<PartName, Part>> = { a: partA };

const SMALL_REPOSITORIES = 300;

async function partA(laboratory: Laboratory, settings: BenchSettings, log: (line: string) => void): Promise<Measured> {
  const quick = settings.quick === 'true';
  const claimed = settings.claim === 'webhook';
  const cases = [
    ...settings.n.map((applications) => ({ applications, repositories: 'one' as const })),
    ...(quick ? [] : [{ applications: SMALL_REPOSITORIES, repositories: 'each' as const }]),
  ];
  const rows: Measured['rows'] = [];
  const detail: ColdStart[] = [];
  for (const one of cases) {
    const runs: ColdStart[] = [];
    for (let run = 0; run < (quick ? 1 : settings.runs); run++) {
      const result = await coldStart(laboratory, { ...one, claimed, profile: settings.profile });
      log(
        `  ${one.applications} Applications, run ${run + 1}: ${result.seconds.toFixed(1)} s, bare ${result.bareSeconds.toFixed(1)} s, ${JSON.stringify(result.byVerb)}`,
      );
      runs.push(result);
    }
    detail.push(...runs);
    rows.push(coldStartRow(runs));
  }
  return { part: 'a', title: 'from the start of the agent to the last object applied', rows, detail };
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
