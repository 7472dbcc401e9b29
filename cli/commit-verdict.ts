import type { Application, Component, ServiceStatus } from '#api/application.ts';
import { detail } from '#api/details.ts';
import { annotation } from '#api/names.ts';
import { reasonCode } from '#api/reasons.ts';
import { isMap } from '#api/schema.ts';
import { because, conditionOf, type Verdict } from './verdict.ts';

/** What a wait for a commit has seen so far. */
export interface CommitMemory {
  sinceMs: number;
  /** Commits that are known to hold the one that is waited for, as the agent shortens them. */
  holding: Set<string>;
  /** The newest commit that each component said to have applied. */
  tips: Map<string, string>;
}

/** Agents resolve, build and apply within that time: what comes later was pulled after the wait began. */
const PULLED_SINCE_MS = 60_000;
/** So many commits the agent tells of a branch (agent/git/history.ts): what is older is not known. */
const TOLD = 20;
const DIGITS = 12;

/** A kustomize component and what the agent says of its branch; commits may be shortened. */
interface Followed {
  component: string;
  branch: string;
  source: string;
  service: ServiceStatus | undefined;
  /** What is applied, newest first. */
  recent: string[];
  /** What cannot be applied. */
  failing: string[];
}

/** Whether a commit, or a descendant of it, is applied and well, in all components of its branch. Keeps `memory` up to date. */
export function commitVerdict(application: Application, commit: string, memory: CommitMemory, nowMs: number): Verdict {
  const components = (application.spec?.components ?? []).filter(({ type }) => type === 'kustomize');
  const followed = components.map((component) => followedOf(application, component));
  const having = followed.filter((one) => holds(one, commit, memory));
  const passed = having.length === 0 ? followed.find((one) => isPast(one, memory, nowMs)) : undefined;
  for (const { recent } of having) if (recent[0] !== undefined) memory.holding.add(recent[0]);
  for (const { component, recent } of followed) if (recent[0] !== undefined) memory.tips.set(component, recent[0]);
  const failing = followed.find((one) => has(one.failing, commit));
  if (failing) return failure(application, failing);
  if (having.length > 0) return havingVerdict(application, { followed, having, commit });
  if (passed) {
    const text = `${passed.branch} has moved to ${short(passed.recent[0])}, which does not contain ${short(commit)}`;
    return { state: 'superseded', text };
  }
  return heldVerdict(application, followed) ?? { state: 'waiting', text: missingText(followed, commit), unpulled: true };
}

function followedOf({ status }: Application, { name, properties = {} }: Component): Followed {
  const service = status?.services?.find((one) => one.name === name);
  const details = service?.details ?? {};
  const commits = (key: string): string[] => (details[key] ?? '').split(' ').filter((commit) => commit !== '');
  const [recent, applied] = [commits(detail.recent), details[detail.commit]];
  const { branch } = (isMap(properties['git']) ? properties['git'] : {}) as { branch?: string };
  return {
    component: name,
    branch: details[detail.branch] ?? branch ?? 'its branch',
    source: JSON.stringify([properties['url'], branch]),
    service,
    recent: recent.length > 0 || !applied ? recent : [applied.slice(0, DIGITS)],
    failing: commits(detail.failing),
  };
}

function has(commits: readonly string[], commit: string): boolean {
  return commits.some((one) => one.startsWith(commit) || commit.startsWith(one));
}

/** By the list itself, by an earlier one, or because a branch that held it has moved by more commits than are told. */
function holds({ component, recent }: Followed, commit: string, { holding, tips }: CommitMemory): boolean {
  if (has(recent, commit) || recent.some((one) => holding.has(one))) return true;
  return recent.length >= TOLD && holding.has(tips.get(component) ?? '');
}

/**
 * Whether a branch has gone another way: it had the commit and has it no more, or it has moved long after the wait began,
 * and so was pulled when the commit had been pushed already. Only where all between is known: the tip of before is in the list.
 */
function isPast({ component, recent }: Followed, { holding, tips, sinceMs }: CommitMemory, nowMs: number): boolean {
  const [before, tip] = [tips.get(component), recent[0]];
  if (before === undefined || tip === undefined || tip === before) return false;
  return holding.has(before) || (nowMs - sinceMs > PULLED_SINCE_MS && recent.includes(before));
}

/** A failure that is tried again may go away. */
function failure(application: Application, { component, service }: Followed): Verdict {
  const reason = service?.details?.[detail.reason] ?? 'it failed';
  const text = `component ${component}: ${reason}${because(service?.message)}`;
  return { state: conditionOf(application, 'Stalled')?.status === 'True' ? 'failed' : 'waiting', text };
}

interface Having {
  followed: readonly Followed[];
  having: readonly Followed[];
  commit: string;
}

function havingVerdict(application: Application, { followed, having, commit }: Having): Verdict {
  const sources = new Set(having.map(({ source }) => source));
  const concerned = followed.filter(({ source }) => sources.has(source));
  const without = concerned.find((one) => !having.includes(one));
  if (without) return { state: 'waiting', text: `component ${without.component} has not applied ${short(commit)} yet` };
  const failed = concerned.find(({ service }) => service?.details?.[detail.reason] !== undefined && !isSuspended(service));
  if (failed) return failure(application, failed);
  const broken = concerned.find(({ service }) => service?.details?.[detail.health] !== undefined);
  if (broken) return { state: 'failed', text: `component ${broken.component} is unhealthy${because(broken.service?.message)}` };
  const sick = concerned.find(({ service }) => !service?.healthy);
  if (sick) return { state: 'waiting', text: `component ${sick.component} is not healthy yet${because(sick.service?.message)}` };
  const names = concerned.map(({ component }) => component).join(', ');
  const [tip] = having[0]?.recent ?? [];
  const later = tip === undefined || has([tip], commit) ? '' : ` with ${short(tip)}`;
  return { state: 'done', text: `${short(commit)} is applied${later} and healthy (${names})` };
}

function isSuspended(service: ServiceStatus | undefined): boolean {
  return service?.details?.[detail.reason] === reasonCode('Suspended');
}

/** Why nothing new is applied until a person says so. */
function heldVerdict({ metadata, status }: Application, followed: readonly Followed[]): Verdict | undefined {
  const { name, annotations = {} } = metadata;
  const suspended = followed.find(({ service }) => isSuspended(service));
  if (suspended) return { state: 'held', text: `component ${suspended.component} is suspended: nothing is pulled until suspend is false` };
  const hold = annotations[annotation.hold];
  if (hold !== undefined) return { state: 'held', text: `${name} is held at ${hold}; lateen resume ${name} ends that` };
  if (status?.status !== 'workflowSuspending') return undefined;
  return { state: 'held', text: `the workflow is suspended; lateen resume ${name} lets it go on` };
}

function missingText(followed: readonly Followed[], commit: string): string {
  const stands = followed.map(({ component, branch, recent }) =>
    recent[0] === undefined ? `${component} has pulled nothing yet` : `${component} is at ${branch}@${short(recent[0])}`,
  );
  return `${short(commit)} is not applied: ${stands.join(', ')}`;
}

/** As Git shortens it. */
function short(commit = ''): string {
  return commit.slice(0, 7);
}
