import type { KubeObject } from '#api/kubernetes.ts';

/** What of a Pod the kubelet of the workbench knows; anything else in it is refused (container-plan.ts, volumes.ts). */

export interface Probe {
  httpGet: { path: string; port: number | string; scheme?: 'HTTP' | 'HTTPS' };
  periodSeconds?: number;
  timeoutSeconds?: number;
  failureThreshold?: number;
}

export interface EnvVar {
  name: string;
  value?: string;
  valueFrom?: { fieldRef?: { fieldPath: string } };
}

export interface VolumeMount {
  name: string;
  mountPath: string;
  readOnly?: boolean;
}

export interface Container {
  name: string;
  image: string;
  command?: string[];
  args?: string[];
  env?: EnvVar[];
  ports?: { name?: string; containerPort: number }[];
  volumeMounts?: VolumeMount[];
  startupProbe?: Probe;
  livenessProbe?: Probe;
  readinessProbe?: Probe;
  /** `Always` makes a sidecar of an init container. */
  restartPolicy?: string;
  securityContext?: { readOnlyRootFilesystem?: boolean };
}

interface KeyToPath {
  key: string;
  path: string;
}

export interface ProjectedSource {
  serviceAccountToken?: { path: string; expirationSeconds?: number; audience?: string };
  configMap?: { name: string; items?: KeyToPath[] };
  downwardAPI?: { items: { path: string; fieldRef?: { fieldPath: string } }[] };
}

export interface Volume {
  name: string;
  emptyDir?: object;
  secret?: { secretName: string };
  persistentVolumeClaim?: { claimName: string };
  projected?: { sources: ProjectedSource[] };
}

export interface Pod extends KubeObject {
  spec: {
    nodeName?: string;
    serviceAccountName?: string;
    terminationGracePeriodSeconds?: number;
    initContainers?: Container[];
    containers: Container[];
    volumes?: Volume[];
  };
  status?: { phase?: string };
}

/** The value of a field of a Pod, as the downward API gives it. Throws where it is another one. */
export function fieldOf(pod: Pod, path: string): string {
  const fields: Record<string, string | undefined> = {
    'metadata.name': pod.metadata.name,
    'metadata.namespace': pod.metadata.namespace,
    'metadata.uid': pod.metadata.uid,
    'spec.nodeName': pod.spec.nodeName,
    'spec.serviceAccountName': pod.spec.serviceAccountName,
  };
  const value = fields[path];
  if (value === undefined) throw new Error(`the workbench's kubelet knows no field ${path} of a Pod`);
  return value;
}
