import type { Client } from '#agent/cluster/client.ts';
import { renderComponent } from '#agent/render/render.ts';
import type { Application } from '#api/application.ts';
import { Failure } from '#api/failure.ts';
import { groupOf, type KubeObject } from '#api/kubernetes.ts';
import { API_VERSION, GROUP } from '#api/names.ts';
import { isMap } from '#api/schema.ts';
import type { Rule } from './access.ts';
import { builtFolder } from './built-folder.ts';
import type { Cluster } from './cluster.ts';
import type { Invocation } from './command.ts';
import { CommandError, exit } from './exit.ts';
import { propertiesOf } from './git-block.ts';
import { readInventory } from './inventory.ts';
import type { Io } from './io.ts';
import { grantsOf, type Needed, type Served } from './rbac-rules.ts';

/** What a folder or an Application needs the agent to have rights for. */
export interface Needs extends Needed {
  /** Kinds that no agent can apply, in words. */
  impossible: string[];
}

interface Kind {
  apiVersion: string;
  kind: string;
}

/** Of a folder: what it builds to. */
export async function needsOfFolder(io: Io, { argument, kustomize }: Invocation, { client }: Cluster): Promise<Needs> {
  const { objects, causes, here } = await builtFolder(io, argument, kustomize);
  const located = causes.map((cause) => (cause.file ? { ...cause, file: here(cause.file) } : cause));
  if (causes.length > 0) throw new Failure('BuildFailed', `${argument} cannot be built`, { causes: located });
  const built = objects.map(({ object }) => object);
  return { ...(await servedAs(client, built)), secrets: built.flatMap(secretsOf), granted: grantsOf(built) };
}

/** Of an Application: what it has applied and renders, and what the agent says that it was refused. */
export async function needsOfApplication({ client, namespace, ...cluster }: Cluster, name: string): Promise<Needs> {
  const found = await client.get({ apiVersion: API_VERSION, kind: 'Application', namespace, name });
  if (!found)
    throw new CommandError(
      exit.no,
      `there is neither a folder ${name} nor an Application of that name in ${namespace}`,
      'name one of the two',
    );
  const application = found as unknown as Application;
  const applied = (await readInventory({ client, namespace, ...cluster }, name))?.entries ?? [];
  const { kinds, impossible } = await servedAs(client, [...applied, ...rendered(application)]);
  return { kinds: distinct([...kinds, ...refusedTo(application)]), impossible, secrets: secretsOf(found), granted: [] };
}

function rendered(application: Application): KubeObject[] {
  const revision = { name: `${application.metadata.name}-v1`, number: 1, hash: '0' };
  return application.spec.components.flatMap((component) => {
    try {
      return component.type === 'kustomize' ? [] : renderComponent({ application, component, revision });
    } catch {
      // Admission says what is wrong with it.
      return [];
    }
  });
}

const REFUSED_RULE = /add (\{"apiGroups":\[[^\]]*\],"resources":\[[^\]]*\],"verbs":\[[^\]]*\]\}) to the agent's Role/g;

/** What the agent was refused is in no inventory; its sentences name it (agent/cluster/forbidden.ts). */
function refusedTo({ status }: Application): Served[] {
  const said = (status?.conditions ?? []).map(({ message = '' }) => message).join('\n');
  return [...said.matchAll(REFUSED_RULE)].flatMap(([, text = '{}']) => {
    const { apiGroups = [], resources = [] } = JSON.parse(text) as Partial<Rule>;
    const [group = ''] = apiGroups;
    return resources.map((resource) => ({ group, resource, kind: resource }));
  });
}

/** How the API server serves kinds. */
async function servedAs(client: Client, all: readonly Kind[]): Promise<Pick<Needs, 'kinds' | 'impossible'>> {
  const kinds: Served[] = [];
  const impossible = new Set<string>();
  for (const { apiVersion, kind } of new Map(all.map((one) => [`${one.apiVersion} ${one.kind}`, one])).values()) {
    const info = await client.kinds.find(apiVersion, kind);
    if (info?.namespaced) kinds.push({ group: info.group, resource: info.plural, kind });
    else impossible.add(`${kind} of ${apiVersion} ${info ? 'belongs to no namespace' : 'is not known to the API server'}`);
  }
  return { kinds: distinct(kinds), impossible: [...impossible] };
}

function distinct(kinds: readonly Served[]): Served[] {
  const byName = new Map(kinds.map((one) => [`${one.group}/${one.resource}`, one]));
  return [...byName].toSorted(([left], [right]) => (left < right ? -1 : 1)).map(([, one]) => one);
}

/** The Secrets that an Application names: the agent reads these. */
function secretsOf(object: KubeObject): string[] {
  if (object.kind !== 'Application' || groupOf(object.apiVersion) !== GROUP) return [];
  const { components } = (isMap(object['spec']) ? object['spec'] : {}) as Partial<Application['spec']>;
  return (Array.isArray(components) ? components : []).flatMap((component) => {
    const properties = component.type === 'kustomize' ? propertiesOf(component) : undefined;
    return [properties?.secretRef, properties?.imageRepository?.secretRef].filter((name) => name !== undefined);
  });
}
