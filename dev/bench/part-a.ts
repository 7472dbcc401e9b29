import { commitFiles } from '../git-repository.ts';
import { isWork, startAgent, summary } from './agent-run.ts';
import { application, appName, folderFiles, OBJECTS, ownedObjects } from './fixtures.ts';
import type { Laboratory, Place } from './laboratory.ts';

/** Resources of the four objects of a folder. */
export const RESOURCES: ReadonlySet<string> = new Set(['serviceaccounts', 'services', 'deployments', 'ingresses']);

export interface ColdStart {
  applications: number;
  repositories: number;
  objects: number;
  /** The agent's start to the last object applied. */
  seconds: number;
  bareSeconds: number;
  /** The bare loop over objects that are there and are as they are applied. */
  bareAgainSeconds: number;
  ratio: number;
  /** Until nothing was written any more: status, inventory, revisions, events. */
  settledSeconds: number;
  cpuSeconds: number;
  peakRssMb: number;
  peakPrivateMb: number;
  requests: number;
  requestsPerObject: number;
  byVerb: Record<string, number>;
  gitRequests: number;
}

export interface ColdStartOptions {
  applications: number;
  /** Folders of one repository, or as many repositories. */
  repositories: 'one' | 'each';
  claimed: boolean;
  profile: string;
  /** Folders of the one repository: never fewer than there are Applications. */
  folders?: number;
  pullInterval?: string;
}

const FOLDERS = 1_000;

/** A repository of many folders, and what the Applications have to say to use it. */
async function monorepo(laboratory: Laboratory, folders: number, name = `mono-${folders}`): Promise<string> {
  const directory = await laboratory.git.createRepository(name);
  const files = Array.from({ length: folders }, (_, index) => folderFiles(appName(index)));
  await commitFiles(directory, 'main', Object.assign({}, ...files) as Record<string, string>, { message: 'Begin' });
  return laboratory.git.cloneUrl(name);
}

async function sourcesOf(laboratory: Laboratory, options: ColdStartOptions): Promise<(index: number) => { url: string; path: string }> {
  const { applications, repositories, folders = FOLDERS } = options;
  if (repositories === 'one') {
    const url = await monorepo(laboratory, Math.max(applications, folders));
    return (index) => ({ url, path: `apps/${appName(index)}` });
  }
  for (let index = 0; index < applications; index++) {
    const directory = await laboratory.git.createRepository(appName(index));
    await commitFiles(directory, 'main', folderFiles(appName(index), 0, ''), { message: 'Begin' });
  }
  return (index) => ({ url: laboratory.git.cloneUrl(appName(index)), path: './' });
}

/** Creates the Applications; the repository with them. */
export async function createApplications(laboratory: Laboratory, place: Place, options: ColdStartOptions): Promise<void> {
  const sourceOf = await sourcesOf(laboratory, options);
  const { claimed, pullInterval = '5m' } = options;
  const all = Array.from({ length: options.applications }, (_, index) =>
    application(appName(index), { namespace: place.namespace, claimed, pullInterval, ...sourceOf(index) }),
  );
  await laboratory.create(all);
}

/** Part (a): the Applications are there, the agent starts. Beside it, in the same minute, the bare loop over the same objects. */
export async function coldStart(laboratory: Laboratory, options: ColdStartOptions): Promise<ColdStart> {
  const { applications } = options;
  const bare = await bareLoop(laboratory, applications);
  const place = await laboratory.place();
  await createApplications(laboratory, place, options);
  await laboratory.settle();
  const gitBefore = laboratory.git.requestCount();
  const agent = await startAgent({ laboratory, place, profile: options.profile });
  try {
    const objects = applications * OBJECTS;
    const appliedMs = await agent.untilApplied(RESOURCES, objects);
    await agent.untilDone();
    const seconds = (appliedMs - agent.startedMs) / 1000;
    const { total, byVerb } = summary(agent.requests);
    const { rssMb, privateMb } = await agent.peak();
    return {
      applications,
      repositories: options.repositories === 'one' ? 1 : applications,
      objects,
      seconds,
      ...bare,
      ratio: seconds / bare.bareSeconds,
      settledSeconds: ((agent.requests.findLast(isWork)?.atMs ?? agent.startedMs) - agent.startedMs) / 1000,
      cpuSeconds: await agent.cpuSeconds(),
      peakRssMb: rssMb,
      peakPrivateMb: privateMb,
      requests: total,
      requestsPerObject: total / objects,
      byVerb,
      gitRequests: laboratory.git.requestCount() - gitBefore,
    };
  } finally {
    await agent.stop();
    await laboratory.settle();
  }
}

async function bareLoop(laboratory: Laboratory, applications: number): Promise<Pick<ColdStart, 'bareSeconds' | 'bareAgainSeconds'>> {
  const place = await laboratory.place();
  const objects = Array.from({ length: applications }, (_, index) => ownedObjects(appName(index), place.namespace)).flat();
  const first = await laboratory.bare(place, objects);
  await laboratory.settle();
  const again = await laboratory.bare(place, objects);
  return { bareSeconds: first.ms / 1000, bareAgainSeconds: again.ms / 1000 };
}
