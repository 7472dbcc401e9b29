import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, createClient } from '#agent/cluster/client.ts';
import { watchKind } from '#agent/cluster/watch.ts';
import { renderComponent } from '#agent/render/render.ts';
import type { Application, ApplicationStatus, Component, Condition } from '#api/application.ts';
import { type KubeObject, type ObjectReference, referenceOf } from '#api/kubernetes.ts';
import { systemClock } from '#core/clock.ts';
import { messageOf } from '#core/errors.ts';
import { silentLog } from '#core/log.ts';
import { adminConnection } from './api-client.ts';

/**
 * STANDS IN FOR vela-core, which is not to be had from the package registries. It does with the Applications of one namespace
 * what was recorded of the real one: an unclaimed Application gets finalizer and status within a quarter of a second; one of
 * an unknown type gets an error in `Parsed` and nothing else; labels and annotations are copied to what is made, but those
 * that `filter.oam.dev/*-keys` list; an object without its Application's two labels is refused; a workflow that has finished
 * for a revision runs once only; a claimed Application is left alone, its deletion included. Whatever else the real one
 * does is not known to it, and nothing here proves it.
 */
export interface VelaCore {
  /** How many times it has run the workflow of an Application, by name. */
  readonly workflows: ReadonlyMap<string, number>;
  /** Whatever it could not do. */
  readonly errors: readonly string[];
  stop(): Promise<void>;
}

export interface Made {
  objects: KubeObject[];
  healthy: boolean;
  message?: string;
}

export interface VelaCoreOptions {
  namespace: string;
  /** Definitions beyond webservice and worker, by type. */
  definitions?: Record<string, (component: Component, application: Application) => Made>;
}

const CLAIM = 'app.oam.dev/controller-version-require';
const FINALIZER = 'app.oam.dev/resource-tracker-finalizer';
const OWN_VERSION = 'v1.10.0-stand-in';
const DELAY_MS = 100;

export async function startVelaCore({ namespace, definitions = {} }: VelaCoreOptions): Promise<VelaCore> {
  const client = createClient(await adminConnection(), { log: silentLog, userAgent: 'vela-core-stand-in' });
  const kind = await client.kinds.find('core.oam.dev/v1beta1', 'Application');
  if (!kind) throw new Error('the API server does not know Applications');
  const state: State = { client, definitions, workflows: new Map(), errors: [], trackers: new Map() };
  const busy = new Map<string, Promise<void>>();
  let stopped = false;
  const watch = watchKind(client, {
    kind,
    namespace,
    clock: systemClock,
    random: Math.random,
    log: silentLog,
    onEvent({ object }) {
      const { name = '' } = object.metadata;
      const run = async (): Promise<void> => {
        await sleep(DELAY_MS);
        const application = watch.get(name) as Application | undefined;
        if (!application || stopped) return;
        await reconcile(application, state).catch((error: unknown) => state.errors.push(`${name}: ${messageOf(error)}`));
      };
      busy.set(name, (busy.get(name) ?? Promise.resolve()).then(run));
    },
  });
  await watch.synced;
  return {
    workflows: state.workflows,
    errors: state.errors,
    async stop() {
      stopped = true;
      watch.stop();
      await Promise.all(busy.values());
      client.transport.close();
    },
  };
}

interface State {
  client: Client;
  definitions: NonNullable<VelaCoreOptions['definitions']>;
  workflows: Map<string, number>;
  errors: string[];
  /** What it keeps account of, as in its ResourceTrackers, by UID of the Application. */
  trackers: Map<string, ObjectReference[]>;
}

async function reconcile(application: Application, state: State): Promise<void> {
  const { annotations = {}, labels = {}, finalizers = [], deletionTimestamp, uid = '' } = application.metadata;
  const required = annotations[CLAIM];
  if ((required !== undefined && required !== OWN_VERSION) || labels['controller.core.oam.dev/pause'] === 'true') return;
  const reference = referenceOf({ ...application });
  if (deletionTimestamp) {
    for (const object of state.trackers.get(uid) ?? []) await state.client.delete(object);
    const rest = finalizers.filter((one) => one !== FINALIZER);
    if (rest.length < finalizers.length) await state.client.mergePatch(reference, { metadata: { finalizers: rest } });
    return;
  }
  if (!finalizers.includes(FINALIZER)) await state.client.mergePatch(reference, { metadata: { finalizers: [...finalizers, FINALIZER] } });
  const unknown = application.spec.components.find(({ type }) => !NATIVE.has(type) && !state.definitions[type]);
  if (unknown) {
    const message = `component definition ${unknown.type} not found`;
    return write(application, state, { status: 'rendering', conditions: [condition('Parsed', 'False', message)] });
  }
  await write(application, state, await deliver(application, state));
}

const NATIVE = new Set(['webservice', 'worker']);

/** Applies everything once per revision, and from then on what it keeps account of. */
async function deliver(application: Application, state: State): Promise<ApplicationStatus> {
  const { uid = '', name } = application.metadata;
  const revision = revisionOf(application);
  const token = application.metadata.annotations?.['app.oam.dev/publishVersion'] ?? revision.name;
  const before = application.status?.workflow;
  const done = before?.appRevision === token && before.status === 'succeeded';
  const made = application.spec.components.map((component) => makeOf(component, application, state, revision));
  if (!done) {
    for (const object of made.flatMap(({ objects }) => objects)) await apply(object, application, state);
    const objects = made.flatMap((one) => one.objects).map(referenceOf);
    state.trackers.set(uid, objects);
    if (made.every(({ healthy }) => healthy)) state.workflows.set(name, (state.workflows.get(name) ?? 0) + 1);
  }
  const tracked = state.trackers.get(uid) ?? [];
  return { ...statusOf(application, made, token), latestRevision: revision, appliedResources: tracked.map(withCreator) };
}

function revisionOf({ metadata: { name, generation }, status = {} }: Application): NonNullable<ApplicationStatus['latestRevision']> {
  const { latestRevision, observedGeneration = generation } = status;
  const number = (latestRevision?.revision ?? 0) + (latestRevision && observedGeneration === generation ? 0 : 1);
  return { name: `${name}-v${number}`, revision: number, revisionHash: latestRevision?.revisionHash ?? 'stand-in' };
}

function withCreator(object: ObjectReference): ObjectReference & { creator: string } {
  return { ...object, creator: 'workflow' };
}

function statusOf({ spec, metadata: { namespace } }: Application, made: readonly Made[], token: string): ApplicationStatus {
  const healthy = made.every((one) => one.healthy);
  const types = ['Parsed', 'Revision', 'Policy', 'Render', ...(healthy ? ['Workflow', 'Ready'] : [])];
  return {
    status: healthy ? 'running' : 'runningWorkflow',
    conditions: types.map((type) => condition(type, 'True')),
    services: made.map(({ healthy: well, message }, index) => {
      const name = spec.components[index]?.name ?? '';
      return { name, namespace, healthy: well, ...(message ? { message } : {}) };
    }),
    workflow: {
      appRevision: token,
      mode: 'DAG-DAG',
      status: healthy ? 'succeeded' : 'executing',
      suspend: false,
      terminated: false,
      finished: healthy,
    },
  };
}

function makeOf(component: Component, application: Application, state: State, revision: { name: string; revisionHash: string }): Made {
  const define = state.definitions[component.type];
  const { objects, ...rest } = define?.(component, application) ?? {
    objects: renderComponent({ application, component, revision: { name: revision.name, hash: revision.revisionHash } }),
    healthy: true,
  };
  return { ...rest, objects: objects.map((object) => withMetadata(object, component, application)) };
}

function withMetadata(object: KubeObject, component: Component, application: Application): KubeObject {
  const { name, namespace, labels = {}, annotations = {} } = application.metadata;
  const own = { 'app.oam.dev/name': name, 'app.oam.dev/namespace': namespace, 'app.oam.dev/component': component.name };
  const copied = {
    labels: without(labels, annotations['filter.oam.dev/label-keys']),
    annotations: without(annotations, annotations['filter.oam.dev/annotation-keys']),
  };
  const { metadata } = object;
  return {
    ...object,
    metadata: {
      ...metadata,
      namespace,
      labels: { ...copied.labels, ...metadata.labels, ...own },
      annotations: { ...copied.annotations, ...metadata.annotations },
    },
  };
}

function without(map: Record<string, string>, list = ''): Record<string, string> {
  const filtered = new Set(['kubectl.kubernetes.io/last-applied-configuration', ...list.split(',').map((key) => key.trim())]);
  return Object.fromEntries(Object.entries(map).filter(([key]) => !filtered.has(key) && !key.startsWith('filter.oam.dev/')));
}

async function apply(object: KubeObject, { metadata: { name, namespace } }: Application, { client }: State): Promise<void> {
  const { labels = {} } = (await client.get(referenceOf(object)))?.metadata ?? { labels: object.metadata.labels };
  if (labels['app.oam.dev/name'] !== name || labels['app.oam.dev/namespace'] !== namespace) {
    throw new Error(`${object.kind}/${object.metadata.name} exists but is not managed by the application ${name}`);
  }
  await client.apply(object, { fieldManager: 'vela-core-stand-in' });
}

/** Conditions of types that it does not know stay. */
async function write(application: Application, { client }: State, status: ApplicationStatus): Promise<void> {
  const { conditions = [], ...rest } = status;
  const kept = (application.status?.conditions ?? []).filter((one) => !conditions.some(({ type }) => type === one.type));
  const all = [...conditions.map((one) => settled(one, application.status?.conditions ?? [])), ...kept];
  const next = { ...rest, observedGeneration: application.metadata.generation ?? 1, conditions: all };
  if (JSON.stringify({ ...application.status, ...next }) === JSON.stringify(application.status)) return;
  await client.mergePatch(referenceOf({ ...application }), { status: next }, { subresource: 'status' });
}

function settled(now: Condition, before: readonly Condition[]): Condition {
  const last = before.find(({ type, status, message }) => type === now.type && status === now.status && message === now.message);
  return last ?? now;
}

function condition(type: string, status: 'True' | 'False', message?: string): Condition {
  const lastTransitionTime = `${new Date().toISOString().slice(0, 19)}Z`;
  return { type, status, reason: status === 'True' ? 'Available' : 'ReconcileError', ...(message ? { message } : {}), lastTransitionTime };
}
