import { setTimeout as sleep } from 'node:timers/promises';
import { commitFiles } from '../git-repository.ts';
import { type AgentRun, startAgent } from './agent-run.ts';
import { isWrite } from './api-requests.ts';
import { appName, folderFiles } from './fixtures.ts';
import type { Laboratory } from './laboratory.ts';
import { createApplications, RESOURCES } from './part-a.ts';

export interface Push {
  components: number;
  /** The commit is on the server to the object is in the cluster, for each push. */
  seconds: number[];
  /** Objects of Git that were written by all pushes together. */
  objectsWritten: number;
  /** Requests of the agent, all kinds, for all pushes together. */
  requests: number;
  cpuSeconds: number;
}

const POLL_MS = 20;
const DEADLINE_MS = 60_000;

/** Part (c): one commit touches one folder of many, and the agent looks every second. */
export async function pushes(laboratory: Laboratory, options: { components: number; pushes: number }): Promise<Push> {
  const { components } = options;
  const place = await laboratory.place();
  await createApplications(laboratory, place, {
    applications: components,
    repositories: 'one',
    claimed: true,
    profile: '',
    folders: components,
    pullInterval: '1s',
  });
  const directory = laboratory.git.directory(`mono-${components}`);
  const agent = await startAgent({ laboratory, place });
  try {
    await agent.untilDone();
    await laboratory.settle();
    await agent.takeRequests();
    const cpuBefore = await agent.cpuSeconds();
    const result: Push = { components, seconds: [], objectsWritten: 0, requests: 0, cpuSeconds: 0 };
    for (let push = 1; push <= options.pushes; push++) {
      const name = appName((push * 37) % components);
      await commitFiles(directory, 'main', folderFiles(name, push), { message: `Change ${name}` });
      const pushedMs = Date.now();
      result.seconds.push(((await appliedAt(agent, name)) - pushedMs) / 1000);
      await agent.untilDone(1_500);
      const requests = await agent.takeRequests();
      result.requests += requests.length;
      result.objectsWritten += requests.filter((request) => isWrite(request) && RESOURCES.has(request.resource)).length;
      // Not in step with the poll.
      await sleep(Math.random() * 1_000);
    }
    result.cpuSeconds = (await agent.cpuSeconds()) - cpuBefore;
    return result;
  } finally {
    await agent.stop();
  }
}

async function appliedAt(agent: AgentRun, name: string): Promise<number> {
  for (const until = Date.now() + DEADLINE_MS; Date.now() < until; await sleep(POLL_MS)) {
    await agent.read();
    const found = agent.requests.find(
      (one) => one.verb === 'patch' && one.resource === 'deployments' && one.name === name && one.code < 300,
    );
    if (found) return found.atMs;
  }
  throw new Error(`a push to ${name} was not applied within ${DEADLINE_MS / 1000} s`);
}
