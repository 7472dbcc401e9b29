import { setTimeout as sleep } from 'node:timers/promises';
import type { GitServer } from '../git-server.ts';
import { startAgent, summary } from './agent-run.ts';
import { OBJECTS } from './fixtures.ts';
import type { Laboratory } from './laboratory.ts';
import { createApplications, RESOURCES } from './part-a.ts';

export interface Quiet {
  components: number;
  repositories: number;
  minutes: number;
  /** Each of the following in a minute. */
  apiRequests: number;
  byVerb: Record<string, number>;
  cpuSeconds: number;
  gitListings: number;
  /** A listing is one request; by git itself, where a server is unusual, two. */
  gitRequests: number;
  rssMb: number;
  privateMb: number;
}

export interface QuietOptions {
  components: number;
  repositories: 'one' | 'each';
  idleMs: number;
}

const PULL_INTERVAL = '1m';

/** Part (b): everything is applied, and nothing changes. */
export async function quiet(laboratory: Laboratory, { components, repositories, idleMs }: QuietOptions): Promise<Quiet> {
  const place = await laboratory.place();
  await createApplications(laboratory, place, {
    applications: components,
    repositories,
    claimed: true,
    profile: '',
    folders: components,
    pullInterval: PULL_INTERVAL,
  });
  const agent = await startAgent({ laboratory, place });
  try {
    // Where each has a repository of its own, the pulls alone take so long that the agent seems to be done.
    await agent.untilApplied(RESOURCES, components * OBJECTS);
    await agent.untilDone();
    await laboratory.settle();
    await agent.takeRequests();
    const [gitBefore, cpuBefore, begun] = [gitCounts(laboratory.git), await agent.cpuSeconds(), performance.now()];
    await sleep(idleMs);
    const minutes = (performance.now() - begun) / 60_000;
    const cpu = (await agent.cpuSeconds()) - cpuBefore;
    const git = gitCounts(laboratory.git);
    const { total, byVerb } = summary(await agent.takeRequests());
    return {
      components,
      repositories: repositories === 'one' ? 1 : components,
      minutes,
      apiRequests: total / minutes,
      byVerb,
      cpuSeconds: cpu / minutes,
      gitListings: (git.listings - gitBefore.listings) / minutes,
      gitRequests: (git.requests - gitBefore.requests) / minutes,
      ...(await agent.memory()),
    };
  } finally {
    await agent.stop();
  }
}

function gitCounts(git: GitServer): { listings: number; requests: number } {
  const all = git.requests();
  // Nothing is fetched: each of these asks for refs.
  return { listings: all.filter(({ path }) => path.endsWith('/git-upload-pack')).length, requests: all.length };
}
