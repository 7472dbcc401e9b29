import type { ImageConfig } from './image.ts';
import { type Container, type EnvVar, fieldOf, type Pod, type VolumeMount } from './pod.ts';

/** What is started for a container: nothing that its Pod and its image do not say. */
export interface ContainerPlan {
  argv: string[];
  env: Record<string, string>;
  mounts: (VolumeMount & { source: string })[];
  readOnlyRoot: boolean;
}

export interface PlanInput {
  pod: Pod;
  container: Container;
  image: ImageConfig;
  /** Host folders by the name of the volume. */
  volumes: Readonly<Record<string, string>>;
  /** Where the API server is. */
  apiServer: { host: string; port: string };
  /** The loopback address that stands for that of the Pod. */
  address: string;
}

/**
 * Every Pod of a cluster has a network of its own; all of ours share one. Where a program is told to listen on all
 * addresses (`--address=:9443`) it gets the address of its Pod instead: it is the one thing that is not as the Pod says.
 */
export function planContainer({ pod, container, image, volumes, apiServer, address }: PlanInput): ContainerPlan {
  const ports = new Set((container.ports ?? []).map(({ containerPort }) => String(containerPort)));
  const listening = (arg: string): string =>
    arg.replace(/^(--[a-z-]+=):(\d+)$/, (all, flag: string, port: string) => (ports.has(port) ? `${flag}${address}:${port}` : all));
  return {
    argv: [...(container.command ?? image.entrypoint), ...(container.args ?? []).map(listening)],
    env: {
      PATH: image.path,
      HOME: '/',
      HOSTNAME: pod.metadata.name ?? '',
      KUBERNETES_SERVICE_HOST: apiServer.host,
      KUBERNETES_SERVICE_PORT: apiServer.port,
      ...Object.fromEntries((container.env ?? []).map((variable) => [variable.name, valueOf(variable, pod)])),
    },
    mounts: (container.volumeMounts ?? []).map((mount) => ({ ...mount, source: sourceOf(mount, volumes) })),
    readOnlyRoot: container.securityContext?.readOnlyRootFilesystem ?? false,
  };
}

function valueOf({ name, value, valueFrom }: EnvVar, pod: Pod): string {
  if (!valueFrom) return value ?? '';
  if (!valueFrom.fieldRef) throw new Error(`the workbench's kubelet cannot fill the variable ${name}`);
  return fieldOf(pod, valueFrom.fieldRef.fieldPath);
}

function sourceOf({ name, mountPath }: VolumeMount, volumes: Readonly<Record<string, string>>): string {
  const source = volumes[name];
  if (source === undefined) throw new Error(`${mountPath} mounts the volume ${name}, which the Pod does not have`);
  return source;
}
