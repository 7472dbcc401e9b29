import { setTimeout as sleep } from 'node:timers/promises';
import type { KubeObject } from '#api/kubernetes.ts';
import { label } from '#api/names.ts';
import { commitFiles } from '../git-repository.ts';
import { type AgentRun, startAgent } from './agent-run.ts';
import { isWrite } from './api-requests.ts';
import { application, configMapYaml } from './fixtures.ts';
import type { Laboratory, Place } from './laboratory.ts';

export interface Large {
  objects: number;
  firstSeconds: number;
  bareSeconds: number;
  firstRequests: number;
  /** API requests after a commit outside of the path. */
  elsewhereRequests: number;
  /** After one that changes a comment in a manifest: everything is built and compared. */
  commentRequests: number;
  /** Writes of an agent that is started anew. */
  restartWrites: number;
  /** One object changed: push to applied, with a poll of 1 s. */
  oneSeconds: number;
  oneWrites: number;
  peakRssMb: number;
}

const PER_FILE = 100;
const APPLICATION = 'large';
const MAPS = new Set(['configmaps']);
/** Two polls and a build. */
const LOOK_MS = 6_000;

function mapName(index: number): string {
  return `map-${String(index).padStart(5, '0')}`;
}

function fileOf(first: number, objects: number, changed: Record<number, string>): string {
  const last = Math.min(objects, first + PER_FILE);
  const documents = Array.from({ length: last - first }, (_, at) => configMapYaml(mapName(first + at), changed[first + at] ?? 'one'));
  return documents.join('---\n');
}

function files(objects: number): Record<string, string> {
  const firsts = Array.from({ length: Math.ceil(objects / PER_FILE) }, (_, index) => index * PER_FILE);
  return Object.fromEntries(firsts.map((first) => [`maps/${first}.yaml`, fileOf(first, objects, {})]));
}

/** Part (d): one component with very many objects. */
export async function large(laboratory: Laboratory, objects: number): Promise<Large> {
  const bare = await laboratory.bare(...(await bareMaps(laboratory, objects)));
  await laboratory.settle();
  const place = await laboratory.place();
  const directory = await laboratory.git.createRepository(`large-${objects}`);
  const push = (changes: Record<string, string>, message: string) => commitFiles(directory, 'main', changes, { message });
  await push(files(objects), 'Begin');
  const url = laboratory.git.cloneUrl(`large-${objects}`);
  const { namespace } = place;
  await laboratory.create([application(APPLICATION, { namespace, url, path: './maps', pullInterval: '1s', claimed: true })]);
  let agent = await startAgent({ laboratory, place });
  try {
    // The inventory is a ConfigMap too.
    const appliedMs = await agent.untilApplied(MAPS, objects + 1);
    await agent.untilDone();
    const first = await agent.takeRequests();
    const elsewhere = await after(agent, () => push({ 'README.md': 'elsewhere\n' }, 'Elsewhere'));
    const comment = await after(agent, () => push({ 'maps/0.yaml': `# a comment\n${fileOf(0, objects, {})}` }, 'Comment'));
    const { rssMb } = await agent.peak();
    const startedMs = agent.startedMs;
    await agent.stop();
    agent = await startAgent({ laboratory, place });
    await sleep(LOOK_MS);
    const restart = (await agent.takeRequests()).filter((request) => isWrite(request) && request.resource !== 'leases');
    const one = await changeOne(agent, () => push({ 'maps/0.yaml': fileOf(0, objects, { 7: 'two' }) }, 'One'));
    return {
      objects,
      firstSeconds: (appliedMs - startedMs) / 1000,
      bareSeconds: bare.ms / 1000,
      firstRequests: first.length,
      elsewhereRequests: elsewhere,
      commentRequests: comment,
      restartWrites: restart.length,
      ...one,
      peakRssMb: rssMb,
    };
  } finally {
    await agent.stop();
  }
}

async function bareMaps(laboratory: Laboratory, objects: number): Promise<[Place, KubeObject[]]> {
  const place = await laboratory.place();
  const { namespace } = place;
  const labels = { [label.application]: APPLICATION, [label.component]: 'all' };
  const maps = Array.from({ length: objects }, (_, index) => {
    return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: mapName(index), namespace, labels }, data: { key: 'one' } };
  });
  return [place, maps];
}

/** Requests after a push, without the Lease and the renewal of watches; a status that names the new commit is one. */
async function after(agent: AgentRun, push: () => Promise<unknown>): Promise<number> {
  await push();
  await sleep(LOOK_MS);
  const requests = await agent.takeRequests();
  return requests.filter(({ resource, verb }) => resource !== 'leases' && verb !== 'watch').length;
}

async function changeOne(agent: AgentRun, push: () => Promise<unknown>): Promise<Pick<Large, 'oneSeconds' | 'oneWrites'>> {
  await push();
  const pushedMs = Date.now();
  const name = mapName(7);
  await agent.untilApplied(MAPS, 1, name);
  await agent.untilDone(2_000);
  const requests = await agent.takeRequests();
  const atMs = requests.find((request) => isWrite(request) && request.name === name)?.atMs ?? Number.NaN;
  return { oneSeconds: (atMs - pushedMs) / 1000, oneWrites: requests.filter((one) => isWrite(one) && one.resource !== 'leases').length };
}
