import type { Container, Pod } from './pod.ts';

/** How a container stands. */
export interface Standing {
  container: Container;
  state: 'waiting' | 'running';
  /** Of a waiting one: `ImagePullBackOff`, `CrashLoopBackOff`. */
  why?: string;
  started: boolean;
  ready: boolean;
  restarts: number;
  /** RFC 3339, of its last start. */
  since?: string;
}

/** A strategic merge patch for the status of a Pod. Pure. */
export function statusPatch(pod: Pod, standings: readonly Standing[], now: string): object {
  const initNames = new Set((pod.spec.initContainers ?? []).map(({ name }) => name));
  const isInit = ({ container }: Standing): boolean => initNames.has(container.name);
  const started = standings.every((one) => one.state === 'running');
  const ready = started && standings.every((one) => one.ready);
  const condition = (type: string, isTrue: boolean): object => ({ type, status: isTrue ? 'True' : 'False', lastTransitionTime: now });
  return {
    status: {
      phase: standings.some(({ restarts, state }) => state === 'running' || restarts > 0) ? 'Running' : 'Pending',
      conditions: [
        condition(
          'Initialized',
          standings.filter(isInit).every((one) => one.started),
        ),
        condition('ContainersReady', ready),
        condition('Ready', ready),
      ],
      initContainerStatuses: standings.filter(isInit).map(containerStatus),
      containerStatuses: standings.filter((one) => !isInit(one)).map(containerStatus),
    },
  };
}

function containerStatus({ container, state, why, started, ready, restarts, since }: Standing): object {
  return {
    name: container.name,
    image: container.image,
    imageID: '',
    ready,
    started,
    restartCount: restarts,
    state: state === 'running' ? { running: { startedAt: since } } : { waiting: { reason: why ?? 'ContainerCreating' } },
  };
}
