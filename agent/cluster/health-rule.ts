export interface Health {
  state: 'Current' | 'InProgress' | 'Failed' | 'NotFound' | 'Terminating';
  /** One sentence; empty where all is well. */
  message: string;
  /** When time alone makes it another one, on the clock that was passed in. */
  changesAtMs?: number;
}

export const CURRENT: Health = { state: 'Current', message: '' };

/** What may mend itself within this time is in progress; after it, it has failed. */
export const GRACE_MS = 15_000;

export interface StatusCondition {
  type?: string;
  status?: string;
  reason?: string;
  message?: string;
  lastTransitionTime?: string;
}

/** What the rules read of a status. */
export interface Counters {
  observedGeneration?: number;
  conditions?: StatusCondition[];
  phase?: string;
  replicas?: number;
  updatedReplicas?: number;
  readyReplicas?: number;
  availableReplicas?: number;
  currentReplicas?: number;
  fullyLabeledReplicas?: number;
  currentRevision?: string;
  updateRevision?: string;
  desiredNumberScheduled?: number;
  currentNumberScheduled?: number;
  updatedNumberScheduled?: number;
  numberReady?: number;
  numberAvailable?: number;
  containerStatuses?: ContainerStatus[];
  initContainerStatuses?: ContainerStatus[];
}

export interface ContainerStatus {
  name?: string;
  state?: { waiting?: { reason?: string; message?: string } };
}

/** An object as a rule sees it. */
export interface Judged {
  name: string;
  spec: Record<string, unknown>;
  status: Counters;
  generation: number;
  /** The API server's clock, which has set the times of the conditions; undefined: nothing is ever too late. */
  nowMs: number | undefined;
}

export type Rule = (judged: Judged) => Health;

export function progressing(name: string, why: string): Health {
  return { state: 'InProgress', message: `${name}: ${why}` };
}

export function failed(name: string, why: string): Health {
  return { state: 'Failed', message: `${name}: ${why}` };
}

/** In progress while the condition is young, failed after that. No event comes when it has become old. */
export function failedByTime({ name, nowMs }: Judged, condition: StatusCondition, why: string): Health {
  const atMs = Date.parse(condition.lastTransitionTime ?? '') + GRACE_MS;
  if (nowMs === undefined || Number.isNaN(atMs)) return progressing(name, why);
  return nowMs >= atMs ? failed(name, why) : { ...progressing(name, why), changesAtMs: atMs };
}

export function find(conditions: StatusCondition[] | undefined, type: string): StatusCondition | undefined {
  return conditions?.find((condition) => condition.type === type);
}
