import type { KubeObject } from '#api/kubernetes.ts';
import { label } from '#api/names.ts';
import { type WebserviceProperties, webserviceProperties, workerProperties } from '#api/webservice.ts';
import { container, type ContainerProperties, filled } from './container.ts';
import { digest } from './digest.ts';
import { objectMetadata, type RenderInput } from './metadata.ts';
import { servicePorts } from './ports.ts';
import { volumesOf } from './volumes.ts';

/** The components webservice and worker of spec/kubevela.md §6.2. */

type PodProperties = ContainerProperties &
  Partial<Pick<WebserviceProperties, 'labels' | 'annotations' | 'hostAliases' | 'addRevisionLabel'>>;

/** Finds the pods: the component's name only, so that a new revision alone restarts nothing. */
function selector(input: RenderInput): Record<string, string> {
  return { [label.appComponent]: input.component.name };
}

function podLabels(input: RenderInput, properties: PodProperties): Record<string, string> {
  const { application, component } = input;
  return {
    ...properties.labels,
    [label.appComponent]: component.name,
    [label.appName]: application.metadata.name,
    ...(properties.addRevisionLabel ? { [label.revision]: digest(component) } : {}),
  };
}

function deployment(input: RenderInput, properties: PodProperties): KubeObject {
  const { name } = input.component;
  const { mounts, volumes } = volumesOf(properties);
  const pullSecrets = [...new Set(properties.imagePullSecrets)].map((secret) => ({ name: secret }));
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: objectMetadata(input, 'workload'),
    spec: {
      selector: { matchLabels: selector(input) },
      template: {
        metadata: filled({ labels: podLabels(input, properties), annotations: properties.annotations }),
        spec: filled({
          containers: [container(name, properties, mounts)],
          imagePullSecrets: pullSecrets,
          hostAliases: properties.hostAliases,
          volumes,
        }),
      },
    },
  };
}

/** A webservice: its Deployment, and a Service where a port is exposed. */
export function webservice(input: RenderInput): KubeObject[] {
  const properties = webserviceProperties(input.component);
  const workload = deployment(input, properties);
  const ports = servicePorts(properties);
  if (ports.length === 0) return [workload];
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: objectMetadata(input, { auxiliary: 'webserviceExpose' }),
    spec: { selector: selector(input), ports, type: properties.exposeType },
  };
  return [workload, service];
}

/** A worker: its Deployment. */
export function worker(input: RenderInput): KubeObject[] {
  return [deployment(input, workerProperties(input.component))];
}
