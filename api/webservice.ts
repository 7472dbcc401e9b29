import * as v from 'valibot';
import type { Component } from './application.ts';
import { bareSite, checkValue } from './schema-check.ts';
import { fillDefaults } from './defaults.ts';
import { Failure } from './failure.ts';
import { objectNameRule } from './name-rules.ts';
import { about } from './schema.ts';
import type { Finding, Rule } from './schema.ts';
import { volumeMounts, volumes } from './volumes.ts';
import { quote, shorten } from './wording.ts';

/** The properties of `webservice` and `worker`, as KubeVela has them (spec/kubevela.md §6.2). */

// resource.Quantity of k8s.io/apimachinery: a number, then nothing, a binary or decimal suffix, or an exponent.
const QUANTITY = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+|[KMGTPE]i|[numkMGTPE])?$/;

function quantityRule(text: string): Finding[] {
  if (text.length <= 32 && QUANTITY.test(text)) return [];
  const problem = `must be a quantity such as 500m or 256Mi, received ${quote(text)}`;
  return [{ code: 'InvalidValue', text: problem, value: shorten(text), remedy: 'write a number with a unit of Kubernetes' }];
}

function portRule(port: number): Finding[] {
  if (Number.isInteger(port) && port >= 1 && port <= 65_535) return [];
  const text = `must be a whole number from 1 to 65535, received ${port}`;
  return [{ code: 'InvalidValue', text, value: String(port), remedy: 'write a port number' }];
}

/** Kubernetes wants at least `least` in the numbers of a probe. */
function atLeast(least: number): Rule<number> {
  return (value) => {
    if (Number.isInteger(value) && value >= least && value <= 2 ** 31 - 1) return [];
    const text = `must be a whole number of at least ${least}, received ${value}`;
    return [{ code: 'InvalidValue', text, value: String(value), remedy: `write ${least} or more` }];
  };
}

function text(meaning: string): v.ExactOptionalSchema<v.GenericSchema<string>, undefined> {
  return v.exactOptional(v.pipe(v.string(), about(meaning)));
}

function words(meaning: string): v.ExactOptionalSchema<v.GenericSchema<string[]>, undefined> {
  return v.exactOptional(v.pipe(v.array(v.string()), about(meaning)));
}

function textMap(meaning: string): v.ExactOptionalSchema<v.GenericSchema<Record<string, string>>, undefined> {
  return v.exactOptional(v.pipe(v.record(v.string(), v.string()), about(meaning)));
}

const port = v.pipe(v.number(), about<number>('port number', { rule: portRule }));

const portEntry = v.object({
  port: v.pipe(v.number(), about('port of the Service', { rule: portRule })),
  containerPort: v.exactOptional(v.pipe(v.number(), about('port of the container; absent: port', { rule: portRule }))),
  name: text('name of the port'),
  protocol: v.exactOptional(v.pipe(v.picklist(['TCP', 'UDP', 'SCTP']), about('protocol')), 'TCP'),
  expose: v.exactOptional(v.pipe(v.boolean(), about('make it part of the Service')), false),
  nodePort: v.exactOptional(v.pipe(v.number(), about('port on every node, for exposeType NodePort', { rule: portRule }))),
});

function keyReference(meaning: string): v.ExactOptionalSchema<v.GenericSchema<{ name: string; key: string }>, undefined> {
  const reference = v.object({
    name: v.pipe(v.string(), about('name of the object', { rule: objectNameRule })),
    key: v.pipe(v.string(), about('key in its data')),
  });
  return v.exactOptional(v.pipe(reference, about(meaning)));
}

const envEntry = v.pipe(
  v.object({
    name: v.pipe(v.string(), about('name of the variable')),
    value: v.exactOptional(v.pipe(v.string(), about('its value', { secret: true }))),
    valueFrom: v.exactOptional(
      v.pipe(
        v.object({ secretKeyRef: keyReference('a key of a Secret'), configMapKeyRef: keyReference('a key of a ConfigMap') }),
        about('where its value is', { oneOf: ['secretKeyRef', 'configMapKeyRef'] }),
      ),
    ),
  }),
  about('one variable', { oneOf: ['value', 'valueFrom'] }),
);

const httpGet = v.object({
  path: v.pipe(v.string(), about('path of the request')),
  port,
  host: text('host name'),
  scheme: text('HTTP or HTTPS'),
  httpHeaders: v.exactOptional(
    v.pipe(
      v.array(v.object({ name: v.pipe(v.string(), about('name')), value: v.pipe(v.string(), about('value', { secret: true })) })),
      about('headers'),
    ),
  ),
});

function probeNumber(meaning: string, least: number): v.GenericSchema<number> {
  return v.pipe(v.number(), about(meaning, { rule: atLeast(least) }));
}

const probe = v.pipe(
  v.object({
    exec: v.exactOptional(v.pipe(v.object({ command: v.pipe(v.array(v.string()), about('the command')) }), about('run a command'))),
    httpGet: v.exactOptional(v.pipe(httpGet, about('ask over HTTP'))),
    tcpSocket: v.exactOptional(v.pipe(v.object({ port }), about('open a connection'))),
    initialDelaySeconds: v.exactOptional(probeNumber('wait before the first', 0), 0),
    periodSeconds: v.exactOptional(probeNumber('time between two', 1), 10),
    timeoutSeconds: v.exactOptional(probeNumber('longest time for one', 1), 1),
    successThreshold: v.exactOptional(probeNumber('successes that count as well again', 1), 1),
    failureThreshold: v.exactOptional(probeNumber('failures that count as broken', 1), 3),
  }),
  about('how Kubernetes asks the container', { oneOf: ['exec', 'httpGet', 'tcpSocket'] }),
);

const hostAlias = v.object({
  ip: v.pipe(v.string(), about('address')),
  hostnames: v.pipe(v.array(v.string()), about('its names')),
});

/** What webservice and worker share. */
const container = {
  image: v.pipe(v.string(), about('the image of the container')),
  imagePullPolicy: v.exactOptional(v.pipe(v.picklist(['Always', 'Never', 'IfNotPresent']), about('when the image is pulled'))),
  imagePullSecrets: words('Secrets for the registry'),
  cmd: words('command of the container'),
  env: v.exactOptional(v.pipe(v.array(envEntry), about('environment variables'))),
  cpu: v.exactOptional(v.pipe(v.string(), about('CPU, as request and limit', { rule: quantityRule }))),
  memory: v.exactOptional(v.pipe(v.string(), about('memory, as request and limit', { rule: quantityRule }))),
  volumeMounts: v.exactOptional(v.pipe(volumeMounts, about('volumes, by kind'))),
  volumes: v.exactOptional(v.pipe(v.array(volumes), about('volumes, the older form; ignored where volumeMounts is there'))),
  livenessProbe: v.exactOptional(probe),
  readinessProbe: v.exactOptional(probe),
};

const limit = v.object({
  cpu: v.exactOptional(v.pipe(v.string(), about('limit of CPU', { rule: quantityRule }))),
  memory: v.exactOptional(v.pipe(v.string(), about('limit of memory', { rule: quantityRule }))),
});

export const webserviceSchema = v.pipe(
  v.object({
    ...container,
    args: words('arguments of the container'),
    labels: textMap('labels of the pods'),
    annotations: textMap('annotations of the pods'),
    ports: v.exactOptional(v.pipe(v.array(portEntry), about('ports'))),
    port: v.exactOptional(v.pipe(v.number(), about('one port, the older form; ignored where ports is there', { rule: portRule }))),
    exposeType: v.exactOptional(v.pipe(v.picklist(['ClusterIP', 'NodePort', 'LoadBalancer']), about('type of the Service')), 'ClusterIP'),
    limit: v.exactOptional(v.pipe(limit, about('limits other than the requests'))),
    hostAliases: v.exactOptional(v.pipe(v.array(hostAlias), about('lines of /etc/hosts'))),
    addRevisionLabel: v.exactOptional(v.pipe(v.boolean(), about('put the revision on the pods, so that each one restarts them')), false),
  }),
  about('properties of a webservice component', { keys: 'a property of webservice' }),
);

export const workerSchema = v.pipe(v.object(container), about('properties of a worker component', { keys: 'a property of worker' }));

export type WebserviceProperties = v.InferOutput<typeof webserviceSchema>;
export type WorkerProperties = v.InferOutput<typeof workerSchema>;

/** The properties of a webservice with their defaults. Throws Failure NotAdmitted with the causes where the rules do not let them pass. */
export function webserviceProperties(component: Component): WebserviceProperties {
  return typedProperties(webserviceSchema, component) as WebserviceProperties;
}

/** The same for a worker. */
export function workerProperties(component: Component): WorkerProperties {
  return typedProperties(workerSchema, component) as WorkerProperties;
}

function typedProperties(schema: v.GenericSchema, component: Component): unknown {
  const received = component.properties ?? {};
  const causes = checkValue(schema, received, bareSite(['properties']));
  if (causes.length === 0) return fillDefaults(schema, received);
  throw new Failure('NotAdmitted', `the properties do not fit the component type ${component.type}`, { kind: 'stalled', causes });
}
