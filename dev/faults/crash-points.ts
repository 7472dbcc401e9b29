import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiRequest } from './api-proxy.ts';
import type { Play } from './crash-plays.ts';
import { differences } from './differences.ts';
import { comesToRest, quiet, type Traffic, watchWrites, writeName } from './traffic.ts';
import { Story } from './story.ts';
import type { World } from './world.ts';

/** Before the request reaches the server, or after the server has done it and before the agent knows. */
export type Side = 'before' | 'after';

export interface CrashPoint {
  /** The how manieth write, from 1; or the first of which writeName fits. */
  write: number | RegExp;
  side: Side;
  /** While no agent runs, a person takes the change back. */
  reverted: boolean;
}

export interface CrashResult {
  /** The write at which it was killed; undefined where the run came to its end before. */
  killedAt: string | undefined;
  /** Empty: all is well. */
  problems: string[];
}

/** The writes go by while the agent works on; a run that makes fewer than in the undisturbed run is waited for so long. */
const UNREACHED_MS = 6_000;
const POLL_MS = 150;
const WITNESS_MS = 400;

/** The writes of the play with nothing in the way. */
export async function undisturbed(play: Play, world: World, name: string): Promise<string[]> {
  const story = new Story(world, name);
  const traffic = watchWrites(world);
  await begin(play, story, traffic);
  const from = traffic.names.length;
  await act(play, story);
  await story.converged();
  await quiet(traffic);
  const writes = traffic.names.slice(from);
  await end(story);
  return writes;
}

/** Plays until the write, kills the agent there, starts another one, and asks for what must hold. */
export async function crashAt(play: Play, point: CrashPoint, { world, name }: { world: World; name: string }): Promise<CrashResult> {
  const story = new Story(world, name);
  const traffic = watchWrites(world);
  await begin(play, story, traffic);
  const crash = armCrash(world, point);
  await act(play, story);
  const reached = await Promise.race([crash.killed, reachedNot(story, crash)]);
  world.proxy.hooks = {};
  if (!reached) await world.agent.kill();
  const problems: string[] = [];
  const note = (error: Error): number => problems.push(error.message);
  if (point.reverted) problems.push(...(await takeBack(play, story)));
  await world.startAgent();
  await story.converged({ keepHistory: true }).catch(note);
  await comesToRest(world).catch(note);
  if (problems.length === 0) await story.converged({ keepHistory: true }).catch(note);
  problems.push(...wrongly(story));
  const leak = await world.leak();
  if (leak) problems.push(`a secret is shown: ${leak}`);
  await end(story).catch((error: Error) => problems.push(`at the end: ${error.message}`));
  return { killedAt: reached, problems };
}

/** Of the change nothing is left in Git: the agent that starts now has no reason to delete anything. */
async function takeBack(play: Play, story: Story): Promise<string[]> {
  await story.want(play.before(story.name));
  // The witness may be a moment late.
  await sleep(WITNESS_MS);
  const problems = wrongly(story);
  story.forgetHistory();
  return problems;
}

function wrongly(story: Story): string[] {
  return story.wronglyDeleted().map((one) => `wrongly deleted: ${one}`);
}

async function begin(play: Play, story: Story, traffic: Traffic): Promise<void> {
  await story.want(play.before(story.name));
  await story.converged();
  await quiet(traffic);
}

async function act(play: Play, story: Story): Promise<void> {
  await story.want(play.after(story.name));
  await play.act?.(story);
}

/** Nothing of one scenario is left for the next. */
async function end(story: Story): Promise<void> {
  story.world.proxy.hooks = {};
  if (!story.wanted.deleted) await story.want({ ...story.wanted, deleted: true });
  await story.converged();
}

/** Resolves when the agent is done without ever having come to the write. */
async function reachedNot(story: Story, { isOver, killed }: Crash): Promise<string | undefined> {
  while (!isOver() && (await differences(story)).length > 0) await sleep(POLL_MS);
  await Promise.race([killed, sleep(UNREACHED_MS)]);
  return isOver() ? killed : undefined;
}

export interface Crash {
  /** Resolves to the write. */
  killed: Promise<string>;
  isOver(): boolean;
}

/** Kills the agent at a write; takes the place of the hooks that the proxy has. */
export function armCrash(world: World, { write, side }: Pick<CrashPoint, 'write' | 'side'>): Crash {
  const killed = Promise.withResolvers<string>();
  let count = 0;
  let chosen: ApiRequest | undefined;
  let over = false;
  const kill = async (request: ApiRequest): Promise<void> => {
    over = true;
    await world.agent.kill();
    killed.resolve(writeName(request));
  };
  world.proxy.hooks = {
    async before(request) {
      if (!request.write || chosen || !isAt(request, write, ++count)) return undefined;
      chosen = request;
      if (side === 'after') return undefined;
      await kill(request);
      return { cut: 'before' };
    },
    async after(request) {
      if (side === 'before' || request !== chosen) return false;
      await kill(request);
      return true;
    },
  };
  return { killed: killed.promise, isOver: () => over };
}

function isAt(request: ApiRequest, write: number | RegExp, count: number): boolean {
  return typeof write === 'number' ? write === count : write.test(writeName(request));
}
