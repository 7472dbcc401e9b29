import { describe, expect, it } from 'vitest';
import type { KubeObject } from '#api/kubernetes.ts';
import { renderComponent } from '#agent/render/render.ts';
import { recordedApplication } from '#test/fixtures/oracle/recordings.ts';

type Properties = Record<string, unknown>;

const application = recordedApplication('min', 'tenant');

function render(properties: Properties, type = 'webservice'): KubeObject[] {
  const component = { name: 'web', type, properties: { image: 'nginx', ...properties } };
  return renderComponent({ application, revision: { name: 'ws-min-v1', hash: '0123456789abcdef' }, component });
}

interface Template {
  metadata: { labels: Record<string, string>; annotations?: Record<string, string> };
  spec: Properties & { containers: Properties[] };
}

function template(objects: KubeObject[]): Template {
  const [workload] = objects as (KubeObject & { spec: { template: Template } })[];
  if (!workload) throw new Error('nothing was rendered');
  return workload.spec.template;
}

function containerOf(properties: Properties, type?: string): Properties | undefined {
  return template(render(properties, type)).spec.containers[0];
}

const probeDefaults = { periodSeconds: 10, timeoutSeconds: 1, successThreshold: 1, failureThreshold: 3 };

/** Properties beside the image, and the fields of the container that come of them. */
const shared: [string, Properties, Properties][] = [
  ['nothing', {}, {}],
  ['imagePullPolicy', { imagePullPolicy: 'Never' }, { imagePullPolicy: 'Never' }],
  ['cmd', { cmd: ['sh', '-c', 'true'] }, { command: ['sh', '-c', 'true'] }],
  ['an empty cmd', { cmd: [] }, {}],
  ['env value', { env: [{ name: 'A', value: '' }] }, { env: [{ name: 'A', value: '' }] }],
  [
    'env references',
    {
      env: [
        { name: 'A', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } },
        { name: 'B', valueFrom: { configMapKeyRef: { name: 'c', key: 'k' } } },
      ],
    },
    {
      env: [
        { name: 'A', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } },
        { name: 'B', valueFrom: { configMapKeyRef: { name: 'c', key: 'k' } } },
      ],
    },
  ],
  [
    'env of one name twice: the last',
    {
      env: [
        { name: 'A', value: '1' },
        { name: 'B', value: '2' },
        { name: 'A', value: '3' },
      ],
    },
    {
      env: [
        { name: 'B', value: '2' },
        { name: 'A', value: '3' },
      ],
    },
  ],
  ['cpu', { cpu: '0.5' }, { resources: { limits: { cpu: '0.5' }, requests: { cpu: '0.5' } } }],
  ['memory', { memory: '1.5Gi' }, { resources: { limits: { memory: '1.5Gi' }, requests: { memory: '1.5Gi' } } }],
  [
    'livenessProbe exec',
    { livenessProbe: { exec: { command: ['true'] } } },
    { livenessProbe: { exec: { command: ['true'] }, ...probeDefaults } },
  ],
  [
    'readinessProbe httpGet',
    {
      readinessProbe: {
        httpGet: { path: '/', port: 80, host: 'h', scheme: 'HTTPS', httpHeaders: [{ name: 'X', value: 'y' }] },
        initialDelaySeconds: 5,
        periodSeconds: 2,
        timeoutSeconds: 3,
        successThreshold: 4,
        failureThreshold: 6,
      },
    },
    {
      readinessProbe: {
        httpGet: { path: '/', port: 80, host: 'h', scheme: 'HTTPS', httpHeaders: [{ name: 'X', value: 'y' }] },
        initialDelaySeconds: 5,
        periodSeconds: 2,
        timeoutSeconds: 3,
        successThreshold: 4,
        failureThreshold: 6,
      },
    },
  ],
  [
    'livenessProbe tcpSocket',
    { livenessProbe: { tcpSocket: { port: 80 }, initialDelaySeconds: 0 } },
    { livenessProbe: { tcpSocket: { port: 80 }, ...probeDefaults } },
  ],
];

const ofWebservice: [string, Properties, Properties][] = [
  ['args', { args: ['-v'] }, { args: ['-v'] }],
  [
    'limits of its own',
    { cpu: '1', memory: '1Gi', limit: { cpu: '2', memory: '2Gi' } },
    { resources: { limits: { cpu: '2', memory: '2Gi' }, requests: { cpu: '1', memory: '1Gi' } } },
  ],
  [
    'one limit of its own',
    { cpu: '1', memory: '1Gi', limit: { memory: '2Gi' } },
    { resources: { limits: { cpu: '1', memory: '2Gi' }, requests: { cpu: '1', memory: '1Gi' } } },
  ],
  ['a limit without its request', { cpu: '1', limit: { memory: '2Gi' } }, { resources: { limits: { cpu: '1' }, requests: { cpu: '1' } } }],
  ['limits alone', { limit: { cpu: '1', memory: '2Gi' } }, {}],
  ['port', { port: 8088 }, { ports: [{ containerPort: 8088 }] }],
  ['port beside ports', { port: 8088, ports: [{ port: 80 }] }, { ports: [{ containerPort: 80, name: 'port-80', protocol: 'TCP' }] }],
  ['port beside empty ports', { port: 8088, ports: [] }, {}],
  [
    'names of ports',
    {
      ports: [
        { port: 53, protocol: 'UDP' },
        { port: 54, protocol: 'SCTP' },
        { port: 55, containerPort: 56 },
        { port: 57, name: 'mine', protocol: 'UDP' },
      ],
    },
    {
      ports: [
        { containerPort: 53, name: 'port-53-udp', protocol: 'UDP' },
        { containerPort: 54, name: 'port-54-sctp', protocol: 'SCTP' },
        { containerPort: 56, name: 'port-56', protocol: 'TCP' },
        { containerPort: 57, name: 'mine', protocol: 'UDP' },
      ],
    },
  ],
  [
    'two ports to one of the container',
    {
      ports: [
        { port: 80, containerPort: 8080, name: 'a' },
        { port: 81, containerPort: 8080, name: 'b' },
        { port: 8080, protocol: 'UDP' },
      ],
    },
    {
      ports: [
        { containerPort: 8080, name: 'a', protocol: 'TCP' },
        { containerPort: 8080, name: 'port-8080-udp', protocol: 'UDP' },
      ],
    },
  ],
];

describe('the container', () => {
  it.each(shared)('of a webservice: %s', (_name, properties, fields) => {
    expect(containerOf(properties)).toEqual({ name: 'web', image: 'nginx', ...fields });
  });

  it.each(shared)('of a worker: %s', (_name, properties, fields) => {
    expect(containerOf(properties, 'worker')).toEqual({ name: 'web', image: 'nginx', ...fields });
  });

  it.each(ofWebservice)('of a webservice: %s', (_name, properties, fields) => {
    expect(containerOf(properties)).toEqual({ name: 'web', image: 'nginx', ...fields });
  });
});

describe('the pod', () => {
  const own = { 'app.oam.dev/component': 'web', 'app.oam.dev/name': 'ws-min' };

  it('has its own labels, those asked for, and no replicas', () => {
    const objects = render({ labels: { x: 'y', 'app.oam.dev/component': 'other' }, annotations: { p: 'q' } });
    expect(template(objects).metadata).toEqual({ labels: { x: 'y', ...own }, annotations: { p: 'q' } });
    expect(Object.keys(objects[0]?.['spec'] as object)).toEqual(['selector', 'template']);
  });

  it('has a label for its component where addRevisionLabel is set, which changes with the component only', () => {
    const labelOf = (properties: Properties): string | undefined => template(render(properties)).metadata.labels['app.oam.dev/revision'];
    expect(labelOf({})).toBeUndefined();
    expect(labelOf({ addRevisionLabel: true })).toMatch(/^[0-9a-f]{16}$/);
    expect(labelOf({ addRevisionLabel: true })).toBe(labelOf({ addRevisionLabel: true }));
    expect(labelOf({ addRevisionLabel: true, cmd: ['x'] })).not.toBe(labelOf({ addRevisionLabel: true }));
  });

  it('has imagePullSecrets, each once, and hostAliases', () => {
    const hostAliases = [{ ip: '10.0.0.1', hostnames: ['a.b'] }];
    const { containers: _, ...rest } = template(render({ imagePullSecrets: ['a', 'b', 'a'], hostAliases })).spec;
    expect(rest).toEqual({ imagePullSecrets: [{ name: 'a' }, { name: 'b' }], hostAliases });
  });
});

describe('the Service', () => {
  it.each([
    ['no port', {}],
    ['the older port', { port: 80 }],
    ['a port that is not exposed', { ports: [{ port: 80 }] }],
    ['exposeType alone', { exposeType: 'LoadBalancer', ports: [{ port: 80 }] }],
  ])('is not there with %s', (_name, properties) => {
    expect(render(properties).map(({ kind }) => kind)).toEqual(['Deployment']);
  });

  it('has the exposed ports', () => {
    const ports = [{ port: 80, expose: true }, { port: 81 }, { port: 53, containerPort: 5353, protocol: 'UDP', expose: true }];
    expect(render({ ports })[1]?.['spec']).toEqual({
      selector: { 'app.oam.dev/component': 'web' },
      type: 'ClusterIP',
      ports: [
        { name: 'port-80', port: 80, targetPort: 80, protocol: 'TCP' },
        { name: 'port-5353-udp', port: 53, targetPort: 5353, protocol: 'UDP' },
      ],
    });
  });

  it.each([
    ['NodePort', [{ name: 'port-80', port: 80, targetPort: 80, protocol: 'TCP', nodePort: 30080 }]],
    ['LoadBalancer', [{ name: 'port-80', port: 80, targetPort: 80, protocol: 'TCP' }]],
  ])('of type %s takes nodePort only where it has one', (exposeType, ports) => {
    expect(render({ exposeType, ports: [{ port: 80, expose: true, nodePort: 30080 }] })[1]?.['spec']).toMatchObject({
      type: exposeType,
      ports,
    });
  });
});

describe('volumes', () => {
  function volumesOf(properties: Properties): unknown[] {
    const { spec } = template(render(properties));
    return [spec.containers[0]?.['volumeMounts'], spec['volumes']];
  }

  it('are in the order of KubeVela, whatever the order they were written in; of one name the first wins', () => {
    const volumeMounts = {
      hostPath: [{ name: 'e', mountPath: '/e', path: '/var' }],
      emptyDir: [
        { name: 'd', mountPath: '/d' },
        { name: 'a', mountPath: '/again' },
      ],
      secret: [{ name: 'c', mountPath: '/c', secretName: 's' }],
      configMap: [{ name: 'b', mountPath: '/b', subPath: 'x', cmName: 'm', defaultMode: 256, items: [{ key: 'k', path: 'p', mode: 1 }] }],
      pvc: [{ name: 'a', mountPath: '/a', claimName: 'claim' }],
    };
    expect(volumesOf({ volumeMounts, volumes: [{ name: 'z', mountPath: '/z' }] })).toEqual([
      [
        { name: 'a', mountPath: '/a' },
        { name: 'b', mountPath: '/b', subPath: 'x' },
        { name: 'c', mountPath: '/c' },
        { name: 'd', mountPath: '/d' },
        { name: 'a', mountPath: '/again' },
        { name: 'e', mountPath: '/e' },
      ],
      [
        { name: 'a', persistentVolumeClaim: { claimName: 'claim' } },
        { name: 'b', configMap: { name: 'm', defaultMode: 256, items: [{ key: 'k', path: 'p', mode: 1 }] } },
        { name: 'c', secret: { secretName: 's', defaultMode: 420 } },
        { name: 'd', emptyDir: {} },
        { name: 'e', hostPath: { path: '/var' } },
      ],
    ]);
  });

  it('of the older form are kept in their order', () => {
    const volumes = [
      { name: 'a', mountPath: '/a' },
      { name: 'b', mountPath: '/b', type: 'pvc', claimName: 'claim' },
      { name: 'c', mountPath: '/c', type: 'configMap', cmName: 'm', items: [{ key: 'k', path: 'p' }] },
      { name: 'd', mountPath: '/d', type: 'secret', secretName: 's', defaultMode: 256 },
      { name: 'e', mountPath: '/e', type: 'emptyDir', medium: 'Memory' },
    ];
    expect(volumesOf({ volumes })).toEqual([
      volumes.map(({ name, mountPath }) => ({ name, mountPath })),
      [
        { name: 'a', emptyDir: {} },
        { name: 'b', persistentVolumeClaim: { claimName: 'claim' } },
        { name: 'c', configMap: { name: 'm', defaultMode: 420, items: [{ key: 'k', path: 'p', mode: 511 }] } },
        { name: 'd', secret: { secretName: 's', defaultMode: 256 } },
        { name: 'e', emptyDir: { medium: 'Memory' } },
      ],
    ]);
  });
});
