import type { WebserviceProperties, WorkerProperties } from '#api/webservice.ts';
import { containerPorts } from './ports.ts';
import type { VolumeMount } from './volumes.ts';

type Probe = NonNullable<WorkerProperties['livenessProbe']>;
type Variable = NonNullable<WorkerProperties['env']>[number];

/** What only a webservice has, as absent fields of a worker. */
export type ContainerProperties = WorkerProperties & Partial<Pick<WebserviceProperties, 'args' | 'ports' | 'port' | 'limit'>>;

/** The fields with an empty value left out: the API server drops them, and an apply that sends them never settles. */
export function filled(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => !isEmpty(value)));
}

function isEmpty(value: unknown): boolean {
  if (value === undefined) return true;
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

/** The last of several variables of one name, which is the one that counts: a server-side apply takes a name only once. */
function variables(env: readonly Variable[] = []): Variable[] {
  const last = new Map(env.map((variable, index) => [variable.name, index]));
  return env.filter(({ name }, index) => last.get(name) === index);
}

/** Requests are limits too, unless a limit of its own is set. A limit without its request counts for nothing, as in KubeVela. */
function resources({ cpu, memory, limit = {} }: ContainerProperties): Record<string, unknown> {
  const requests = filled({ cpu, memory });
  const limits = filled({
    cpu: cpu === undefined ? undefined : (limit.cpu ?? cpu),
    memory: memory === undefined ? undefined : (limit.memory ?? memory),
  });
  return filled({ limits, requests });
}

/** The numbers are there as defaults of the declaration. Zero is what the API server leaves out. */
function probe(properties: Probe | undefined): Record<string, unknown> {
  if (!properties) return {};
  const { initialDelaySeconds, ...rest } = properties;
  return filled({ ...rest, initialDelaySeconds: initialDelaySeconds === 0 ? undefined : initialDelaySeconds });
}

/** The one container of a workload, named like the component. */
export function container(name: string, properties: ContainerProperties, volumeMounts: VolumeMount[]): Record<string, unknown> {
  return filled({
    name,
    image: properties.image,
    imagePullPolicy: properties.imagePullPolicy,
    command: properties.cmd,
    args: properties.args,
    ports: containerPorts(properties),
    env: variables(properties.env),
    resources: resources(properties),
    volumeMounts,
    livenessProbe: probe(properties.livenessProbe),
    readinessProbe: probe(properties.readinessProbe),
  });
}
