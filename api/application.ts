import type { KubeObject, ObjectMeta, ObjectReference } from './kubernetes.ts';

/** core.oam.dev/v1beta1 Application, the fields that Lateen reads and writes (spec/kubevela.md §1). */
export interface Application {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta & { name: string; namespace: string };
  spec: ApplicationSpec;
  status?: ApplicationStatus;
}

export interface ApplicationSpec {
  components: Component[];
  policies?: Policy[];
  workflow?: Workflow;
}

export interface Component {
  name: string;
  type: string;
  properties?: Record<string, unknown>;
  traits?: Trait[];
  dependsOn?: string[];
  [field: string]: unknown;
}

export interface Trait {
  type: string;
  properties?: Record<string, unknown>;
}

export interface Policy {
  name?: string;
  type: string;
  properties?: Record<string, unknown>;
}

export interface Workflow {
  ref?: string;
  mode?: { steps?: 'DAG' | 'StepByStep'; subSteps?: 'DAG' | 'StepByStep' };
  steps?: WorkflowStep[];
}

export interface WorkflowStep {
  type: string;
  name?: string;
  /** `always`: runs whatever became of the steps before it. */
  if?: string;
  /** A Go duration. */
  timeout?: string;
  dependsOn?: string[];
  properties?: Record<string, unknown>;
  [field: string]: unknown;
}

/** core.oam.dev/v1alpha1 Policy: a policy that several Applications name. */
export interface PolicyObject extends KubeObject {
  type: string;
  properties?: Record<string, unknown>;
}

/** core.oam.dev/v1alpha1 Workflow: the steps that `spec.workflow.ref` names. */
export interface WorkflowObject extends KubeObject {
  mode?: NonNullable<Workflow['mode']>;
  steps?: WorkflowStep[];
}

export type Phase =
  | 'starting'
  | 'rendering'
  | 'runningWorkflow'
  | 'running'
  | 'unhealthy'
  | 'workflowSuspending'
  | 'workflowTerminated'
  | 'workflowFailed'
  | 'deleting';

export interface Condition {
  type: string;
  status: 'True' | 'False' | 'Unknown';
  reason: string;
  message?: string;
  lastTransitionTime: string;
}

export interface ServiceStatus {
  name: string;
  namespace?: string;
  cluster?: string;
  healthy: boolean;
  workloadHealthy?: boolean;
  message?: string;
  workloadDefinition?: { apiVersion: string; kind: string };
  details?: Record<string, string>;
  traits?: { type: string; healthy: boolean; message?: string }[];
}

export type StepPhase = 'pending' | 'running' | 'succeeded' | 'failed' | 'skipped' | 'suspending';

export interface StepStatus {
  id: string;
  name: string;
  type: string;
  phase: StepPhase;
  reason?: string;
  message?: string;
  firstExecuteTime?: string;
  lastExecuteTime?: string;
}

export interface WorkflowStatus {
  appRevision?: string;
  mode: string;
  status?: string;
  message?: string;
  suspend: boolean;
  terminated: boolean;
  finished: boolean;
  startTime?: string;
  endTime?: string | null;
  steps?: StepStatus[];
}

export interface ApplicationStatus {
  status?: Phase;
  observedGeneration?: number;
  conditions?: Condition[];
  latestRevision?: { name: string; revision: number; revisionHash: string };
  services?: ServiceStatus[];
  workflow?: WorkflowStatus;
  appliedResources?: (ObjectReference & { cluster?: string; creator?: string })[];
}
