import { describe, expect, it } from 'vitest';
import type { Component } from '#api/application.ts';
import type { Cause } from '#api/failure.ts';
import { webserviceProperties, workerProperties } from '#api/webservice.ts';
import { PROPERTIES, applicationOf, mistakesOf } from './cases.ts';

const webservice = (properties: Record<string, unknown>): Component => ({
  name: 'web',
  type: 'webservice',
  properties: { image: 'nginx', ...properties },
});
const worker = (properties: Record<string, unknown>): Component => ({
  name: 'job',
  type: 'worker',
  properties: { image: 'busybox', ...properties },
});

/** Every parameter of spec/kubevela.md §6.2. */
const container = {
  image: 'nginx:1.27',
  imagePullPolicy: 'IfNotPresent',
  imagePullSecrets: ['registry'],
  cmd: ['nginx'],
  env: [
    { name: 'A', value: '1' },
    { name: 'B', valueFrom: { secretKeyRef: { name: 'secret', key: 'b' } } },
    { name: 'C', valueFrom: { configMapKeyRef: { name: 'config', key: 'c' } } },
  ],
  cpu: '500m',
  memory: '256Mi',
  volumeMounts: {
    pvc: [{ name: 'data', mountPath: '/data', claimName: 'c1', subPath: 'sub' }],
    configMap: [{ name: 'cfg', mountPath: '/etc/cfg', cmName: 'cm1', items: [{ key: 'a', path: 'a.txt' }] }],
    secret: [{ name: 'sec', mountPath: '/etc/sec', secretName: 's1', defaultMode: 256 }],
    emptyDir: [{ name: 'tmp', mountPath: '/tmp', medium: 'Memory' }],
    hostPath: [{ name: 'host', mountPath: '/host', path: '/var/log' }],
  },
  volumes: [
    { name: 'a', mountPath: '/a' },
    { name: 'b', mountPath: '/b', type: 'pvc', claimName: 'c1' },
    { name: 'c', mountPath: '/c', type: 'configMap', cmName: 'cm1', defaultMode: 420, items: [{ key: 'a', path: 'a', mode: 256 }] },
    { name: 'd', mountPath: '/d', type: 'secret', secretName: 's1' },
  ],
  livenessProbe: { httpGet: { path: '/', port: 80, host: 'h', scheme: 'HTTPS', httpHeaders: [{ name: 'X', value: 'y' }] } },
  readinessProbe: { exec: { command: ['true'] }, initialDelaySeconds: 5 },
};
const full = {
  ...container,
  args: ['-g'],
  labels: { team: 'a' },
  annotations: { note: 'b' },
  ports: [{ port: 80, containerPort: 8080, name: 'http', protocol: 'TCP', expose: true, nodePort: 30_080 }],
  port: 80,
  exposeType: 'NodePort',
  limit: { cpu: '1', memory: '1Gi' },
  hostAliases: [{ ip: '10.0.0.1', hostnames: ['db'] }],
  addRevisionLabel: true,
};

it('KubeVela’s parameters, all of them', () => {
  expect(mistakesOf(applicationOf(webservice(full)))).toEqual([]);
  expect(mistakesOf(applicationOf(worker(container)))).toEqual([]);
});

it('defaults: of the ports, probes and volumes too, and nothing that was not asked for', () => {
  expect(webserviceProperties(webservice({ ports: [{ port: 80 }], readinessProbe: { tcpSocket: { port: 80 } } }))).toEqual({
    image: 'nginx',
    ports: [{ port: 80, protocol: 'TCP', expose: false }],
    readinessProbe: {
      tcpSocket: { port: 80 },
      initialDelaySeconds: 0,
      periodSeconds: 10,
      timeoutSeconds: 1,
      successThreshold: 1,
      failureThreshold: 3,
    },
    exposeType: 'ClusterIP',
    addRevisionLabel: false,
  });
  expect(
    workerProperties(
      worker({
        volumeMounts: {
          configMap: [{ name: 'a', mountPath: '/a', cmName: 'b', items: [{ key: 'k', path: 'p' }] }],
          emptyDir: [{ name: 'c', mountPath: '/c' }],
        },
      }),
    ),
  ).toEqual({
    image: 'busybox',
    volumeMounts: {
      configMap: [{ name: 'a', mountPath: '/a', cmName: 'b', defaultMode: 420, items: [{ key: 'k', path: 'p', mode: 511 }] }],
      emptyDir: [{ name: 'c', mountPath: '/c', medium: '' }],
    },
  });
  expect(workerProperties(worker({ volumes: [{ name: 'a', mountPath: '/a' }] }))).toEqual({
    image: 'busybox',
    volumes: [{ name: 'a', mountPath: '/a', type: 'emptyDir' }],
  });
});

it('the defaulted properties of a wrong component are not given', () => {
  expect(() => webserviceProperties(webservice({ ports: 80 }))).toThrow(
    expect.objectContaining({ reason: 'NotAdmitted', kind: 'stalled' }),
  );
});

describe('mistakes in the properties of a webservice', () => {
  function cause(at: string, code: Cause['code'], says: string, rest: Pick<Cause, 'value' | 'remedy'>): Cause {
    const path = `${PROPERTIES}.${at}`;
    return { path, code, message: `${path} ${says}`, ...rest };
  }
  const quantity = (at: string, value: string): Cause =>
    cause(at, 'InvalidValue', `must be a quantity such as 500m or 256Mi, received "${value}"`, {
      value,
      remedy: 'write a number with a unit of Kubernetes',
    });
  const port = (at: string, value: string): Cause =>
    cause(at, 'InvalidValue', `must be a whole number from 1 to 65535, received ${value}`, { value, remedy: 'write a port number' });

  const cases: [name: string, properties: Record<string, unknown>, causes: Cause[]][] = [
    ['no image', { image: undefined }, [cause('image', 'Required', 'is required', { remedy: 'add image: the image of the container' })]],
    [
      'a misspelt property',
      { imge: 'x' },
      [cause('imge', 'UnknownField', 'is not a property of webservice', { remedy: 'did you mean "image"?' })],
    ],
    [
      'a misspelt property of a port',
      { ports: [{ port: 80, exposed: true }] },
      [cause('ports[0].exposed', 'UnknownField', 'is not a property of ports', { remedy: 'did you mean "expose"?' })],
    ],
    [
      'a pull policy that is none',
      { imagePullPolicy: 'always' },
      [
        cause('imagePullPolicy', 'InvalidValue', 'must be one of "Always", "Never" and "IfNotPresent", received "always"', {
          value: 'always',
          remedy: 'did you mean "Always"?',
        }),
      ],
    ],
    [
      'a type of Service that is none',
      { exposeType: 'ExternalName' },
      [
        cause('exposeType', 'InvalidValue', 'must be one of "ClusterIP", "NodePort" and "LoadBalancer", received "ExternalName"', {
          value: 'ExternalName',
          remedy: 'use one of them',
        }),
      ],
    ],
    [
      'a command that is a string',
      { cmd: 'nginx -g' },
      [cause('cmd', 'InvalidType', 'must be a list, received the string "nginx -g"', { value: 'nginx -g', remedy: 'write it as a list' })],
    ],
    [
      'an argument that is a number',
      { args: ['-p', 80] },
      [cause('args[1]', 'InvalidType', 'must be a string, received the number 80', { value: '80', remedy: 'put it in quotes: "80"' })],
    ],
    [
      'cpu as a number',
      { cpu: 1 },
      [cause('cpu', 'InvalidType', 'must be a string, received the number 1', { value: '1', remedy: 'put it in quotes: "1"' })],
    ],
    ['cpu and memory that are no quantities', { cpu: '1 core', memory: '256MB' }, [quantity('cpu', '1 core'), quantity('memory', '256MB')]],
    ['a limit that is none', { limit: { memory: 'much' } }, [quantity('limit.memory', 'much')]],
    [
      'a port as a string',
      { port: '80' },
      [cause('port', 'InvalidType', 'must be a number, received the string "80"', { value: '80', remedy: 'write 80 without quotes' })],
    ],
    [
      'ports out of range',
      { port: 0, ports: [{ port: 65_536, containerPort: 1.5, nodePort: -1 }] },
      [port('ports[0].port', '65536'), port('ports[0].containerPort', '1.5'), port('ports[0].nodePort', '-1'), port('port', '0')],
    ],
    [
      'a port without number and with a wrong protocol',
      { ports: [{ name: 'http', protocol: 'HTTP' }] },
      [
        cause('ports[0].port', 'Required', 'is required', { remedy: 'add port: port of the Service' }),
        cause('ports[0].protocol', 'InvalidValue', 'must be one of "TCP", "UDP" and "SCTP", received "HTTP"', {
          value: 'HTTP',
          remedy: 'use one of them',
        }),
      ],
    ],
    [
      'env as a map',
      { env: { A: '1' } },
      [cause('env', 'InvalidType', 'must be a list, received a map', { remedy: 'write it as a list' })],
    ],
    [
      'a variable that is a number: not shown, it may be a password',
      { env: [{ name: 'PASSWORD', value: 12_345 }] },
      [cause('env[0].value', 'InvalidType', 'must be a string, received a number', { remedy: 'put it in quotes' })],
    ],
    [
      'a variable of two sources',
      { env: [{ name: 'A', value: '1', valueFrom: {} }] },
      [cause('env[0]', 'InvalidValue', 'has "value" and "valueFrom", which exclude each other', { remedy: 'keep one of them' })],
    ],
    [
      'a variable of a Secret without a key',
      { env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'S' } } }] },
      [
        cause(
          'env[0].valueFrom.secretKeyRef.name',
          'InvalidName',
          'must consist of lower-case letters, digits, "-" and ".", with a letter or digit at both ends, received "S"',
          { value: 'S', remedy: 'write s' },
        ),
        cause('env[0].valueFrom.secretKeyRef.key', 'Required', 'is required', { remedy: 'add key: key in its data' }),
      ],
    ],
    [
      'a label that is a number',
      { labels: { tier: 1 } },
      [cause('labels.tier', 'InvalidType', 'must be a string, received the number 1', { value: '1', remedy: 'put it in quotes: "1"' })],
    ],
    [
      'a probe of two kinds',
      { livenessProbe: { tcpSocket: { port: 80 }, exec: { command: [] } } },
      [cause('livenessProbe', 'InvalidValue', 'has "exec" and "tcpSocket", which exclude each other', { remedy: 'keep one of them' })],
    ],
    [
      'a probe without a port',
      { readinessProbe: { httpGet: { path: '/' } } },
      [cause('readinessProbe.httpGet.port', 'Required', 'is required', { remedy: 'add port: port number' })],
    ],
    [
      'a probe that never waits',
      { readinessProbe: { periodSeconds: 0 } },
      [
        cause('readinessProbe.periodSeconds', 'InvalidValue', 'must be a whole number of at least 1, received 0', {
          value: '0',
          remedy: 'write 1 or more',
        }),
      ],
    ],
    [
      'a volume without its object',
      { volumeMounts: { pvc: [{ name: 'a', mountPath: '/a' }] } },
      [cause('volumeMounts.pvc[0].claimName', 'Required', 'is required', { remedy: 'add claimName: name of the object' })],
    ],
    [
      'a volume of the older form without its object',
      { volumes: [{ name: 'a', mountPath: '/a', type: 'secret' }] },
      [
        cause('volumes[0].secretName', 'Required', 'is required for a volume of type "secret"', {
          remedy: 'add secretName: name of the object',
        }),
      ],
    ],
    [
      'a volume of an unknown type',
      { volumes: [{ name: 'a', mountPath: '/a', type: 'hostPath' }] },
      [
        cause('volumes[0].type', 'InvalidValue', 'must be one of "emptyDir", "pvc", "configMap" and "secret", received "hostPath"', {
          value: 'hostPath',
          remedy: 'use one of them',
        }),
      ],
    ],
    [
      'a medium that is none',
      { volumeMounts: { emptyDir: [{ name: 'a', mountPath: '/a', medium: 'memory' }] } },
      [
        cause('volumeMounts.emptyDir[0].medium', 'InvalidValue', 'must be one of "" and "Memory", received "memory"', {
          value: 'memory',
          remedy: 'did you mean "Memory"?',
        }),
      ],
    ],
    [
      'a file mode that is none',
      { volumeMounts: { secret: [{ name: 'a', mountPath: '/a', secretName: 's', defaultMode: 777 }] } },
      [
        cause('volumeMounts.secret[0].defaultMode', 'InvalidValue', 'must be a file mode from 0 to 511 (0777), received 777', {
          value: '777',
          remedy: 'write a file mode',
        }),
      ],
    ],
    [
      'a host alias without names',
      { hostAliases: [{ ip: '10.0.0.1' }] },
      [cause('hostAliases[0].hostnames', 'Required', 'is required', { remedy: 'add hostnames: its names' })],
    ],
  ];
  it.each(cases)('%s', (_, properties, causes) => {
    expect(mistakesOf(applicationOf(webservice(properties)))).toEqual(causes);
  });

  it('a worker has no ports', () => {
    expect(mistakesOf(applicationOf(worker({ ports: [] })))).toEqual([
      cause('ports', 'UnknownField', 'is not a property of worker', { remedy: 'remove it' }),
    ]);
  });
});
