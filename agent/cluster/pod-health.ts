import {
  CURRENT,
  type ContainerStatus,
  type Counters,
  failed,
  failedByTime,
  find,
  type Health,
  type Judged,
  progressing,
  type StatusCondition,
} from './health-rule.ts';

/** Reasons of a waiting container that no waiting mends. */
export const CANNOT_START: readonly string[] = ['ImagePullBackOff', 'ErrImageNeverPull', 'InvalidImageName', 'CreateContainerConfigError'];
export const CRASHES = 'CrashLoopBackOff';

const BROKEN: ReadonlySet<string> = new Set([...CANNOT_START, CRASHES]);

/** A pod of Git. In phase Failed it is over and has not done its work: the table of §5.2 calls it Current, we say that it failed. */
export function pod(judged: Judged): Health {
  const { name, status } = judged;
  if (status.phase === 'Succeeded') return CURRENT;
  if (status.phase === 'Failed') return failed(name, 'the pod failed');
  const broken = brokenContainer(status, BROKEN);
  if (broken !== undefined) return failed(name, broken);
  const unschedulable = unschedulableBy(status);
  if (unschedulable) return failedByTime(judged, unschedulable, unschedulable.message || 'no node can run it');
  const ready = find(status.conditions, 'Ready')?.status === 'True';
  return status.phase === 'Running' && ready ? CURRENT : progressing(name, 'the pod is not ready');
}

/** What keeps a container from running, where it is one of these reasons: `container main: ImagePullBackOff: no such image`. */
export function brokenContainer(status: Counters, reasons: ReadonlySet<string>): string | undefined {
  const containers: ContainerStatus[] = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])];
  const broken = containers.find(({ state }) => reasons.has(state?.waiting?.reason ?? ''));
  if (!broken) return undefined;
  const { reason, message } = broken.state?.waiting ?? {};
  return `container ${broken.name}: ${reason}${message ? `: ${message}` : ''}`;
}

/** The condition by which the scheduler says that it has found no node. */
export function unschedulableBy(status: Counters): StatusCondition | undefined {
  const scheduled = find(status.conditions, 'PodScheduled');
  return scheduled?.status === 'False' && scheduled.reason === 'Unschedulable' ? scheduled : undefined;
}
