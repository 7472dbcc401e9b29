import { assessHealth, type Health } from '#agent/cluster/health.ts';
import type { InventoryEntry } from '#agent/manifest/inventory.ts';
import { GROUP } from '#api/names.ts';
import { groupOf, type ObjectReference } from '#api/kubernetes.ts';
import { getApplication } from './applications.ts';
import { type Cluster, withCluster } from './cluster.ts';
import type { Invocation } from './command.ts';
import { type Exit, exit } from './exit.ts';
import { readInventory } from './inventory.ts';
import type { Io } from './io.ts';
import { listOf, printObject } from './output.ts';
import { tableText } from './table.ts';
import { visible } from './text-width.ts';

/** An object in the tree of an Application. */
interface Node {
  reference: ObjectReference;
  component: string;
  health: Health;
  /** `infrastructure/server.yaml:1` */
  from: string;
  children: Node[];
}

const DEADLINE_MS = 15_000;
/** As deep as the agent counts (agent/sync/stale.ts). */
const MAX_NESTING = 5;
const COLUMNS = ['OBJECT', 'COMPONENT', 'HEALTH', 'FROM', 'MESSAGE'];

/** `lateen tree APP`: every object of the inventory with health, file and line. Exit status 1 where one is not well. */
export async function tree(io: Io, options: Invocation): Promise<Exit> {
  const { argument: app, output = 'table' } = options;
  return withCluster(io, options, async (cluster) => {
    await getApplication(cluster, app);
    const nodes = await nodesOf(cluster, app, new Set([app]));
    if (output !== 'table') await printObject(io, listOf(nodes.flatMap(flat)), output);
    else if (nodes.length === 0) io.stderr.write(`${app} has applied nothing yet.\n`);
    else io.stdout.write(`${tableText([COLUMNS, ...nodes.flatMap((node, index) => rows(node, '', index === nodes.length - 1))])}\n`);
    return nodes.every(isWell) ? exit.yes : exit.no;
  });
}

async function nodesOf(cluster: Cluster, app: string, above: ReadonlySet<string>): Promise<Node[]> {
  const entries = (await readInventory(cluster, app))?.entries ?? [];
  return Promise.all(entries.map((entry) => nodeOf(cluster, entry, above)));
}

async function nodeOf(cluster: Cluster, entry: InventoryEntry, above: ReadonlySet<string>): Promise<Node> {
  const { apiVersion, kind, name, namespace, component, file = '', line } = entry;
  const live = await cluster.client.get(entry, { timeoutMs: DEADLINE_MS });
  const nested = kind === 'Application' && groupOf(apiVersion) === GROUP && !above.has(name) && above.size < MAX_NESTING;
  const children = nested ? await nodesOf(cluster, name, new Set([...above, name])) : [];
  const reference = { apiVersion, kind, name, ...(namespace ? { namespace } : {}) };
  return { reference, component, health: assessHealth(live), from: line === undefined ? file : `${file}:${line}`, children };
}

function isWell({ health, children }: Node): boolean {
  return health.state === 'Current' && children.every(isWell);
}

function rows(node: Node, indent: string, last: boolean): string[][] {
  const { reference, component, health, from, children } = node;
  const own = [`${indent}${last ? '└─' : '├─'} ${reference.kind}/${reference.name}`, component, health.state, from, health.message].map(
    visible,
  );
  const below = `${indent}${last ? '   ' : '│  '}`;
  return [own, ...children.flatMap((child, index) => rows(child, below, index === children.length - 1))];
}

function flat({ reference, component, health, from, children }: Node): Record<string, unknown>[] {
  const own = { ...reference, component, health: health.state, message: health.message, from };
  return [own, ...children.flatMap(flat)];
}
