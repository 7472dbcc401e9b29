import type { KubeObject } from '#api/kubernetes.ts';
import { annotation, API_VERSION, CLAIM, label } from '#api/names.ts';

/** Objects of one folder: ServiceAccount, Service, Deployment with no replicas, Ingress. */
export const OBJECTS = 4;

const DIGITS = 4;

/** `app-0007`. */
export function appName(index: number): string {
  return `app-${String(index).padStart(DIGITS, '0')}`;
}

function objectsOf(name: string, revision: number): KubeObject[] {
  const labels = { app: name };
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, labels } },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, labels },
      spec: { selector: labels, ports: [{ name: 'http', port: 80, targetPort: 8080 }] },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name, labels },
      spec: {
        replicas: 0,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            serviceAccountName: name,
            containers: [
              {
                name: 'web',
                image: 'nginx:1.29',
                ports: [{ name: 'http', containerPort: 8080 }],
                env: [{ name: 'REVISION', value: String(revision) }],
                resources: { requests: { cpu: '10m', memory: '16Mi' } },
              },
            ],
          },
        },
      },
    },
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { name, labels },
      spec: {
        rules: [
          {
            host: `${name}.example.com`,
            http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name, port: { number: 80 } } } }] },
          },
        ],
      },
    },
  ];
}

/** The files of one folder of the repository, one manifest each. JSON is YAML, but people write YAML. */
export function folderFiles(name: string, revision = 0, folder = `apps/${name}/`): Record<string, string> {
  return Object.fromEntries(objectsOf(name, revision).map((object) => [`${folder}${object.kind.toLowerCase()}.yaml`, yaml(object)]));
}

/** What the agent sends for the folder: for the bare loop. */
export function ownedObjects(name: string, namespace: string): KubeObject[] {
  const owner = { [label.application]: name, [label.component]: 'all' };
  return objectsOf(name, 0).map((object) => {
    const { metadata } = object;
    return { ...object, metadata: { ...metadata, namespace, labels: { ...metadata.labels, ...owner } } };
  });
}

export interface AppOptions {
  namespace: string;
  url: string;
  path: string;
  pullInterval: string;
  /** The webhook, where it is there, has set it at the creation. */
  claimed: boolean;
}

/** An Application of one component. */
export function application(name: string, { namespace, url, path, pullInterval, claimed }: AppOptions): KubeObject {
  const annotations = claimed ? { annotations: { [annotation.controllerVersionRequire]: CLAIM } } : {};
  const properties = { url, git: { branch: 'main' }, path, pullInterval };
  return {
    apiVersion: API_VERSION,
    kind: 'Application',
    metadata: { name, namespace, ...annotations },
    spec: { components: [{ name: 'all', type: 'kustomize', properties }] },
  };
}

/** A ConfigMap of a component with very many objects. */
export function configMapYaml(name: string, value: string): string {
  return yaml({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { key: value } });
}

function yaml(value: unknown, indent = ''): string {
  const lines = Object.entries(value as Record<string, unknown>).map(([key, field]) => {
    if (Array.isArray(field)) return `${indent}${key}:\n${field.map((item) => listItem(item, indent)).join('')}`;
    if (typeof field === 'object' && field !== null) return `${indent}${key}:\n${yaml(field, `${indent}  `)}`;
    return `${indent}${key}: ${JSON.stringify(field)}\n`;
  });
  return lines.join('');
}

function listItem(item: unknown, indent: string): string {
  const text = yaml(item, `${indent}    `);
  return `${indent}  - ${text.slice(indent.length + 4)}`;
}
