import { fromConfigMap, INVENTORY_SELECTOR, inventoryName } from '#agent/manifest/inventory.ts';
import type { Application, ServiceStatus } from '#api/application.ts';
import { type KubeObject, objectId, referenceOf } from '#api/kubernetes.ts';
import { API_VERSION, label } from '#api/names.ts';
import type { Story } from './story.ts';
import { objectsOf } from './wanted.ts';
import type { World } from './world.ts';

/** Everything in which the cluster is not what Git has: empty where both agree and nothing is left over. */
export async function differences(story: Story): Promise<string[]> {
  const { world, name, wanted } = story;
  const labelled = await labelledObjects(world, name);
  const expected = objectsOf(wanted);
  const found = new Map(labelled.map((object) => [`${object.kind}/${object.metadata.name}`, object]));
  const lost = Object.keys(expected).filter((id) => !found.has(id));
  const extra = [...found.keys()].filter((id) => !Object.hasOwn(expected, id));
  const other = Object.entries(expected).flatMap(([id, { value, component }]) => {
    const object = found.get(id);
    return object ? otherwise(id, object, { value, component }) : [];
  });
  return [
    ...lost.map((id) => `${id} is lost`),
    ...extra.map((id) => `${id} is an orphan`),
    ...other,
    ...(await inventoryProblems(story, labelled)),
    ...(await statusProblems(story)),
  ];
}

function otherwise(id: string, object: KubeObject, { value, component }: { value: string; component: string }): string[] {
  const { metadata } = object;
  const data = object['data'] as { key?: string } | undefined;
  const is = object.kind === 'ConfigMap' ? data?.key : metadata.annotations?.['example.com/key'];
  return [
    ...(is === value ? [] : [`${id} has the value ${is}, Git has ${value}`]),
    ...(metadata.labels?.[label.component] === component ? [] : [`${id} is labelled as that of ${metadata.labels?.[label.component]}`]),
    ...(metadata.deletionTimestamp ? [`${id} is being deleted`] : []),
  ];
}

async function labelledObjects({ client, namespace }: World, application: string): Promise<KubeObject[]> {
  const kinds = ['ConfigMap', 'ServiceAccount'].map(async (kind) => {
    const info = await client.kinds.find('v1', kind);
    return info ? client.list(info, { namespace, labelSelector: `${label.application}=${application},${label.component}` }) : [];
  });
  return (await Promise.all(kinds)).flat();
}

/** The inventory has what there is, by UID, and nothing else; that of a deleted Application is gone. */
async function inventoryProblems({ world, name, wanted }: Story, labelled: readonly KubeObject[]): Promise<string[]> {
  const { client, namespace } = world;
  const info = await client.kinds.find('v1', 'ConfigMap');
  const all = info ? await client.list(info, { namespace, labelSelector: INVENTORY_SELECTOR }) : [];
  const stored = all.find(({ metadata }) => metadata.name === inventoryName(name));
  if (wanted.deleted) return stored ? ['its inventory is left over'] : [];
  if (!stored) return ['it has no inventory'];
  const { entries } = fromConfigMap(stored);
  const held = entries.map((entry) => `${objectId(entry)} ${entry.uid ?? 'without a UID'}`);
  const there = labelled.map((object) => `${objectId({ ...referenceOf(object), namespace })} ${object.metadata.uid}`);
  return [
    ...there.filter((one) => !held.includes(one)).map((one) => `${one} is in no inventory`),
    ...held.filter((one) => !there.includes(one)).map((one) => `the inventory has ${one}, the cluster has not`),
    ...entries.filter(({ manifest }) => !manifest).map((entry) => `${objectId(entry)} is being applied`),
    ...(new Set(held).size < held.length ? ['an object stands twice in the inventory'] : []),
  ];
}

async function statusProblems(story: Story): Promise<string[]> {
  const { world, name, wanted } = story;
  const reference = { apiVersion: API_VERSION, kind: 'Application', namespace: world.namespace, name };
  const application = (await world.client.get(reference)) as unknown as Application | undefined;
  if (wanted.deleted) return application ? ['the Application is still there'] : [];
  const { status } = application ?? {};
  const current = status?.status === 'running' && status.observedGeneration === application?.metadata.generation;
  if (current) return commitProblems(story, status.services ?? []);
  const why = status?.services?.flatMap(({ message }) => (message ? [message] : []))[0] ?? 'no reason given';
  return [`its status is ${status?.status ?? 'not there'} (${why})`];
}

function commitProblems(story: Story, services: readonly ServiceStatus[]): string[] {
  return Object.entries(story.wanted.components).flatMap(([component, folder]) => {
    const commit = services.find(({ name }) => name === component)?.details?.['commit'];
    return commit && story.commitsOf(folder).includes(commit) ? [] : [`component ${component} is at ${commit}`];
  });
}
