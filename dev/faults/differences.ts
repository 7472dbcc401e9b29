import { fromConfigMap, type Inventory, INVENTORY_SELECTOR } from '#agent/manifest/inventory.ts';
import { fromSharedConfigMap, isShared } from '#agent/manifest/shared-inventory.ts';
import type { Application, ServiceStatus } from '#api/application.ts';
import { type KubeObject, objectId, referenceOf } from '#api/kubernetes.ts';
import { API_VERSION, label } from '#api/names.ts';
import type { Story } from './story.ts';
import { objectsOf, WITNESSED } from './wanted.ts';
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
    ...(await nestedProblems(story)),
    ...(await statusProblems(story)),
  ];
}

function otherwise(id: string, object: KubeObject, { value, component }: { value: string; component: string }): string[] {
  const { metadata } = object;
  const is = valueOf(object);
  return [
    ...(is === value ? [] : [`${id} has the value ${is}, Git has ${value}`]),
    ...(metadata.labels?.[label.component] === component ? [] : [`${id} is labelled as that of ${metadata.labels?.[label.component]}`]),
    ...(metadata.deletionTimestamp ? [`${id} is being deleted`] : []),
  ];
}

function valueOf(object: KubeObject): string | undefined {
  if (object.kind === 'ConfigMap') return (object['data'] as { key?: string } | undefined)?.key;
  if (object.kind !== 'Application') return object.metadata.annotations?.['example.com/key'];
  const { spec } = object as unknown as Application;
  return imageTag(spec.components[0]?.properties?.['image']);
}

function imageTag(image: unknown): string | undefined {
  return typeof image === 'string' ? image.split(':').at(-1) : undefined;
}

async function labelledObjects({ client, namespace }: World, application: string): Promise<KubeObject[]> {
  const kinds = WITNESSED.slice(0, 3).map(async ([apiVersion, kind]) => {
    const info = await client.kinds.find(apiVersion, kind);
    return info ? client.list(info, { namespace, labelSelector: `${label.application}=${application},${label.component}` }) : [];
  });
  return (await Promise.all(kinds)).flat();
}

/** The inventory has what there is, by UID, and nothing else; that of a deleted Application is gone. */
async function inventoryProblems({ world, name, wanted }: Story, labelled: readonly KubeObject[]): Promise<string[]> {
  const { namespace } = world;
  const stored = (await inventoriesIn(world)).get(name);
  if (wanted.deleted) return stored ? ['its inventory is left over'] : [];
  if (!stored) return ['it has no inventory'];
  const { entries } = stored;
  const held = entries.map((entry) => `${objectId(entry)} ${entry.uid ?? 'without a UID'}`);
  const there = labelled.map((object) => `${objectId({ ...referenceOf(object), namespace })} ${object.metadata.uid}`);
  return [
    ...there.filter((one) => !held.includes(one)).map((one) => `${one} is in no inventory`),
    ...held.filter((one) => !there.includes(one)).map((one) => `the inventory has ${one}, the cluster has not`),
    ...entries.filter(({ manifest }) => !manifest).map((entry) => `${objectId(entry)} is being applied`),
    ...(new Set(held).size < held.length ? ['an object stands twice in the inventory'] : []),
  ];
}

/** By the name of the Application; one of its own is newer than a shared one. */
async function inventoriesIn({ client, namespace }: World): Promise<Map<string, Inventory>> {
  const info = await client.kinds.find('v1', 'ConfigMap');
  const all = info ? await client.list(info, { namespace, labelSelector: INVENTORY_SELECTOR }) : [];
  const own = all.filter((one) => !isShared(one)).map(fromConfigMap);
  const shared = all.filter(isShared).flatMap((one) => [...fromSharedConfigMap(one).inventories.values()]);
  return new Map([...shared, ...own].map((inventory) => [inventory.application, inventory]));
}

/** What nested Applications have: a Deployment with the image, and an inventory with its UID; neither without them. */
async function nestedProblems({ world, name, wanted }: Story): Promise<string[]> {
  const { client, namespace } = world;
  const list = async (apiVersion: string, kind: string): Promise<KubeObject[]> => {
    const info = await client.kinds.find(apiVersion, kind);
    const all = info ? await client.list(info, { namespace }) : [];
    return all.filter(({ metadata }) => metadata.name?.startsWith(`${name}-`));
  };
  const [deployments, all] = await Promise.all([list('apps/v1', 'Deployment'), inventoriesIn(world)]);
  const inventories = new Map([...all].filter(([application]) => application.startsWith(`${name}-`)));
  const nested = Object.entries(objectsOf(wanted)).flatMap(([id, { value }]) => {
    const [kind, nestedName = ''] = id.split('/');
    return kind === 'Application' ? [{ name: nestedName, value }] : [];
  });
  const names = new Set(nested.map((one) => one.name));
  return [
    ...deployments
      .filter(({ metadata }) => !names.has(metadata.name ?? ''))
      .map(({ metadata }) => `Deployment/${metadata.name} is an orphan`),
    ...[...inventories.keys()].filter((one) => !names.has(one)).map((one) => `the inventory of ${one} is left over`),
    ...nested.flatMap((one) => deploymentProblems(one, { deployments, inventories })),
  ];
}

function deploymentProblems(
  { name, value }: { name: string; value: string },
  { deployments, inventories }: { deployments: KubeObject[]; inventories: ReadonlyMap<string, Inventory> },
): string[] {
  const deployment = deployments.find(({ metadata }) => metadata.name === name);
  const inventory = inventories.get(name);
  if (!deployment || !inventory) return [`Deployment/${name} is lost`];
  const spec = deployment['spec'] as { template: { spec: { containers: { image: string }[] } } };
  const [entry, ...others] = inventory.entries;
  return [
    ...(imageTag(spec.template.spec.containers[0]?.image) === value ? [] : [`Deployment/${name} has another image than ${value}`]),
    ...(entry?.uid === deployment.metadata.uid && entry?.manifest && others.length === 0 ? [] : [`${name} is not what its inventory has`]),
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
