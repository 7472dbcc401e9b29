import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject } from 'vitest';
import { type Client, createClient } from '#agent/cluster/client.ts';
import type { Application, ApplicationSpec, Component } from '#api/application.ts';
import type { KubeObject, ObjectMeta } from '#api/kubernetes.ts';
import { API_VERSION } from '#api/names.ts';
import { silentLog } from '#core/log.ts';
import { agentPod, type PlaneAccess } from '#dev/agent-access.ts';
import type { Programs } from '#dev/programs.ts';
import { type AgentOptions, type AgentProcess, startAgentProcess } from './agent-process.ts';
import { adminConnection } from './api-client.ts';
import { type ApplicationWatch, watchApplications } from './application-watch.ts';
import { createNamespace } from './namespace.ts';

export interface TenantOptions extends Pick<AgentOptions, 'flags' | 'program'> {
  /** Values of charts/lateen-agent for its Role. */
  values?: Record<string, unknown>;
  /** An existing namespace of another control plane, and how to get there. */
  elsewhere?: { namespace: string; client: Client; plane: PlaneAccess & { programs: Programs<'kubectl' | 'helm' | 'kustomize'> } };
}

/** A namespace with a running agent that has the rights of its chart and nothing else; and a person with all rights. */
export interface Tenant extends ApplicationWatch {
  namespace: string;
  /** Of a person with all rights. */
  kubeconfig: string;
  /** With all rights. */
  client: Client;
  /** The agent that runs; `startAgent` replaces it. */
  readonly agent: AgentProcess;
  /** Once more, after it was stopped or killed. */
  startAgent(): Promise<void>;
  /** Makes or changes an Application, as `kubectl apply --server-side` does. */
  apply(name: string, spec: Component[] | ApplicationSpec, metadata?: ObjectMeta): Promise<Application>;
  get(kind: string, name: string): Promise<KubeObject | undefined>;
  delete(kind: string, name: string): Promise<void>;
  /** Events about the Application, oldest first: `Warning AuthFailed component a: …`. */
  events(application: string): Promise<string[]>;
  /** Whatever the agent has shown to anybody so far: status and Events of all Applications, all objects of it, its log. */
  shown(): Promise<string>;
  close(): Promise<void>;
}

const KINDS: Record<string, string> = { Application: API_VERSION, ApplicationRevision: API_VERSION, Deployment: 'apps/v1' };

export async function startTenant(options: TenantOptions = {}): Promise<Tenant> {
  const folder = await mkdtemp(join(tmpdir(), 'lateen-'));
  const { flags = {}, values = {}, program } = options;
  const settings = { flags, ...(program ? { program } : {}) };
  const plane = options.elsewhere?.plane ?? inject('plane');
  const client = options.elsewhere?.client ?? createClient(await adminConnection(), { log: silentLog, userAgent: 'lateen-test' });
  const namespace = options.elsewhere?.namespace ?? (await createNamespace());
  await mkdir(join(folder, 'agent'));
  await mkdir(join(folder, 'pod'));
  const environment = await agentPod(plane, { namespace, values, folder: join(folder, 'pod') });
  const start = (): Promise<AgentProcess> =>
    startAgentProcess({ namespace, environment, kustomize: plane.programs.kustomize, folder: join(folder, 'agent'), ...settings });
  const watch = await watchApplications(client, namespace, () => agent.log());
  let agent = await start();
  return {
    ...watch,
    ...peopleOf(client, namespace),
    namespace,
    kubeconfig: plane.kubeconfig,
    client,
    get agent() {
      return agent;
    },
    async startAgent() {
      agent = await start();
    },
    shown: async () => (await agent.log()) + (await everything(client, namespace)),
    async close() {
      watch.stop();
      await agent.kill();
      client.transport.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** What a person does with kubectl. */
function peopleOf(client: Client, namespace: string): Pick<Tenant, 'apply' | 'get' | 'delete' | 'events'> {
  const reference = (kind: string, name: string) => ({ apiVersion: KINDS[kind] ?? 'v1', kind, namespace, name });
  return {
    async apply(name, spec, metadata = {}) {
      const { apiVersion, kind } = reference('Application', name);
      const wanted = Array.isArray(spec) ? { components: spec } : spec;
      const object = { apiVersion, kind, metadata: { ...metadata, name, namespace }, spec: wanted };
      return (await client.apply(object, { fieldManager: 'person' })) as unknown as Application;
    },
    get: (kind, name) => client.get(reference(kind, name)),
    async delete(kind, name) {
      await client.delete(reference(kind, name));
    },
    async events(application) {
      const about = (await listed(client, 'Event', namespace)).filter(
        ({ involvedObject }) => (involvedObject as { name?: string }).name === application,
      );
      const line = ({ type, reason, message }: KubeObject): string => `${String(type)} ${String(reason)} ${String(message)}`;
      return about.sort((a, b) => Number(a.metadata.resourceVersion) - Number(b.metadata.resourceVersion)).map(line);
    },
  };
}

async function listed(client: Client, kind: string, namespace: string): Promise<KubeObject[]> {
  const info = await client.kinds.find(KINDS[kind] ?? 'v1', kind);
  return info ? client.list(info, { namespace }) : [];
}

async function everything(client: Client, namespace: string): Promise<string> {
  const kinds = ['Application', 'ApplicationRevision', 'ConfigMap', 'Event'];
  return JSON.stringify(await Promise.all(kinds.map((kind) => listed(client, kind, namespace))));
}
