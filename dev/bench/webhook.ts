import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { issueAuthority, issueServing, type KeyPair } from '#certs/issue.ts';
import { bundleProgram } from '../bundle-program.ts';
import { PROGRAM_STARTS } from '../program-start.ts';
import { type Load, type Measured, postOf, runLoad, type Target } from './webhook-load.ts';

/**
 * `make bench-webhook`: the webhook with all its rules beside a bare https server that parses the JSON and answers
 * `allowed: true`, in one run, each a process with one thread. Prints a table and writes .run/bench/webhook.json.
 */

const WEBHOOK = PROGRAM_STARTS['lateen-webhook'];
const SECONDS = Number(process.env['SECONDS'] ?? 5);
const ROUNDS = Number(process.env['ROUNDS'] ?? 3);
/** For the memory at the end; the aim is a million. */
const REVIEWS = Number(process.env['REVIEWS'] ?? 100_000);
const CONNECTIONS = 10;
const OUT = fileURLToPath(new URL('../../.run/bench/', import.meta.url));
/** Both servers as one file, as the webhook is released: run from its sources, node keeps what strips the types in memory. */
const SERVER = `${OUT}webhook-server.mjs`;

interface Running extends Target {
  child: ChildProcess;
}

interface Cost {
  rss: number;
  cpuMs: number;
}

async function start(kind: 'bare' | 'ours', { ca, pair }: { ca: string; pair: KeyPair }): Promise<Running> {
  const nothing = openSync('/dev/null', 'w');
  const child = fork(SERVER, [kind], {
    // Both with what the image gives the webhook: node's own defaults would not be bare, only larger.
    execArgv: ['--disable-warning=ExperimentalWarning', ...WEBHOOK.options],
    env: { ...process.env, ...WEBHOOK.environment },
    stdio: ['ignore', nothing, 'inherit', 'ipc'],
  });
  closeSync(nothing);
  child.send(pair);
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  return { child, port, ca };
}

async function costOf({ child }: Running): Promise<Cost> {
  child.send('cost');
  const [cost] = (await once(child, 'message')) as [Cost];
  return cost;
}

/** A load, with the processor time that the server spent on one request: what another program on the machine cannot spoil. */
async function measure(server: Running, load: Load): Promise<Round> {
  const before = await costOf(server);
  const measured = await runLoad(server, load);
  const { cpuMs } = await costOf(server);
  return { ...measured, cpuMs: (cpuMs - before.cpuMs) / measured.requests };
}

interface Round extends Measured {
  cpuMs: number;
}

/** An Application of about so many bytes, as a review of its creation. */
function reviewOf(bytes: number): string {
  const components: unknown[] = [];
  const component = (index: number): unknown => ({
    name: `component-${index}`,
    type: 'kustomize',
    properties: {
      repoType: 'git',
      url: `https://git.example.com/team/repository-${index}`,
      path: `./clusters/production/component-${index}`,
      pullInterval: '5m',
      secretRef: 'git-secret',
      git: { branch: 'main' },
      prune: true,
      suspend: false,
      force: false,
    },
  });
  while (JSON.stringify(components).length < bytes) components.push(component(components.length));
  const metadata = { name: 'infra', namespace: 'team-a', annotations: { 'lateen.dev/requested-by': 'alice' } };
  const resource = { group: 'core.oam.dev', version: 'v1beta1', resource: 'applications' };
  const object = { apiVersion: 'core.oam.dev/v1beta1', kind: 'Application', metadata, spec: { components } };
  const request = {
    uid: 'b0a1c2d3-0000-4000-8000-000000000000',
    resource,
    name: 'infra',
    namespace: 'team-a',
    operation: 'CREATE',
    userInfo: { username: 'alice' },
    object,
    oldObject: null,
    dryRun: false,
  };
  return JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request });
}

function median(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function middle(rounds: readonly Round[]): Round {
  const of = (key: keyof Round): number => median(rounds.map((one) => one[key]));
  return {
    requests: of('requests'),
    perSecond: of('perSecond'),
    p50: of('p50'),
    p99: of('p99'),
    cpuMs: of('cpuMs'),
    failures: Math.max(...rounds.map((one) => one.failures)),
  };
}

interface Pair {
  bare: Round;
  ours: Round;
}

/** Rounds of both servers in turn, so that whatever else runs on the machine hits both. */
async function both(servers: { bare: Running; ours: Running }, requests: readonly Buffer[], rate?: number): Promise<Pair> {
  const load = { connections: CONNECTIONS, durationMs: SECONDS * 1000, requests, ...(rate === undefined ? {} : { rate }) };
  const rounds: Pair[] = [];
  for (let round = 0; round < ROUNDS; round++)
    rounds.push({ bare: await measure(servers.bare, load), ours: await measure(servers.ours, load) });
  return { bare: middle(rounds.map(({ bare }) => bare)), ours: middle(rounds.map(({ ours }) => ours)) };
}

function row(what: string, { bare, ours }: Pair): string {
  const cell = (value: number, digits = 2): string => value.toFixed(digits).padStart(9);
  const share = `${Math.round((100 * ours.perSecond) / bare.perSecond)} %`.padStart(6);
  return `${what.padEnd(26)}${cell(bare.perSecond, 0)}${cell(ours.perSecond, 0)}${share}${cell(bare.p50)}${cell(ours.p50)}${cell(bare.p99)}${cell(ours.p99)}${cell(bare.cpuMs, 3)}${cell(ours.cpuMs, 3)}`;
}

async function main(): Promise<void> {
  await bundleProgram('dev/bench/webhook-server.ts', SERVER);
  const validity = { nowMs: Date.now(), lifeMs: 24 * 3_600_000 };
  const authority = await issueAuthority(validity);
  const material = { ca: authority.cert, pair: await issueServing(authority, ['127.0.0.1'], validity) };
  const servers = { bare: await start('bare', material), ours: await start('ours', material) };
  const results: Record<string, unknown> = {
    node: process.version,
    cpu: cpus()[0]?.model,
    cores: cpus().length,
    seconds: SECONDS,
    rounds: ROUNDS,
  };
  process.stdout.write(
    `${'median of rounds'.padEnd(26)}${'bare/s'.padStart(9)}${'ours/s'.padStart(9)}${''.padStart(6)}${'bare p50'.padStart(9)}${'ours p50'.padStart(9)}${'bare p99'.padStart(9)}${'ours p99'.padStart(9)}${'bare cpu'.padStart(9)}${'ours cpu'.padStart(9)}\n`,
  );
  for (const [name, bytes] of [
    ['4 KB', 3_000],
    ['200 KB', 200_000],
  ] as const) {
    const body = reviewOf(bytes);
    const requests = [postOf('/validate', body), postOf('/mutate', body)];
    // Warm: what is measured is a server that has been up for a while.
    for (const server of [servers.bare, servers.ours]) await runLoad(server, { connections: CONNECTIONS, durationMs: 2_000, requests });
    const peak = await both(servers, requests);
    process.stdout.write(`${row(`${name}, peak`, peak)}\n`);
    const half = await both(servers, requests, peak.ours.perSecond / 2);
    process.stdout.write(`${row(`${name}, half of our peak`, half)}\n`);
    results[name] = { bytes: body.length, peak, half };
  }
  const requests = [postOf('/validate', reviewOf(3_000)), postOf('/mutate', reviewOf(3_000))];
  for (let done = 0; done < REVIEWS; )
    done += (await runLoad(servers.ours, { connections: CONNECTIONS, durationMs: 5_000, requests })).requests;
  const megabytes = async (server: Running): Promise<number> => (await costOf(server)).rss / 1024 / 1024;
  const memory = { bare: await megabytes(servers.bare), ours: await megabytes(servers.ours), reviews: REVIEWS };
  process.stdout.write(
    `resident memory: bare ${memory.bare.toFixed(0)} MB, ours ${memory.ours.toFixed(0)} MB after ${REVIEWS} more reviews\n`,
  );
  mkdirSync(OUT, { recursive: true });
  writeFileSync(`${OUT}webhook.json`, `${JSON.stringify({ ...results, memory }, null, 2)}\n`);
  for (const { child } of Object.values(servers)) child.kill();
}

await main();
