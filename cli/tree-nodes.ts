import pLimit, { type LimitFunction } from 'p-limit';
import { ApiError } from '#agent/cluster/client.ts';
import { assessHealth, type Health } from '#agent/cluster/health.ts';
import { apiVersionOf } from '#agent/cluster/kinds.ts';
import type { Inventory, InventoryEntry } from '#agent/manifest/inventory.ts';
import { Failure } from '#api/failure.ts';
import { groupOf, type ObjectReference } from '#api/kubernetes.ts';
import { GROUP } from '#api/names.ts';
import { messageOf, oneLine } from '#core/errors.ts';
import type { Cluster } from './cluster.ts';
import { readInventory } from './inventory.ts';
import { unanswered } from './unanswered.ts';

/** The health of an object, or why nobody can tell. */
export type NodeHealth = Health | { state: 'Unknown'; message: string };

/** An object in the tree of an Application. */
export interface Node {
  reference: ObjectReference;
  component: string;
  health: NodeHealth;
  /** `infrastructure/server.yaml:1` */
  from: string;
  children: Node[];
}

interface Reading {
  cluster: Cluster;
  /** Of the requests of the whole tree: a deadline counts from when a request is made, so none is made to wait. */
  limit: LimitFunction;
}

const CONCURRENCY = 16;
const DEADLINE_MS = 15_000;
/** As deep as the agent counts (agent/sync/stale.ts). */
const MAX_NESTING = 5;
const MAX_MESSAGE = 200;

/** Every object of the inventory of an Application with its health, nested Applications with what they have. */
export async function nodesOf(cluster: Cluster, app: string): Promise<Node[]> {
  const reading = { cluster, limit: pLimit(CONCURRENCY) };
  return nodesIn(await readInventory(cluster, app), new Set([app]), reading);
}

function nodesIn(inventory: Inventory | undefined, above: ReadonlySet<string>, reading: Reading): Promise<Node[]> {
  return Promise.all((inventory?.entries ?? []).map((entry) => nodeOf(entry, above, reading)));
}

async function nodeOf(entry: InventoryEntry, above: ReadonlySet<string>, reading: Reading): Promise<Node> {
  const { apiVersion, kind, name, namespace, component, file = '', line } = entry;
  const { cluster, limit } = reading;
  const health = await limit(() => orUnknown(healthOf(entry, cluster), cluster));
  const reference = { apiVersion, kind, name, ...(namespace ? { namespace } : {}) };
  const node = { reference, component, health, from: line === undefined ? file : `${file}:${line}`, children: [] };
  const nested = kind === 'Application' && groupOf(apiVersion) === GROUP && !above.has(name) && above.size < MAX_NESTING;
  if (!nested) return node;
  const inventory = await limit(() => orUnknown(readInventory(cluster, name), cluster));
  // Nobody calls it well who has not seen what it has.
  if (inventory && 'state' in inventory) return { ...node, health: health.state === 'Current' ? inventory : health };
  return { ...node, children: await nodesIn(inventory, new Set([...above, name]), reading) };
}

async function healthOf(entry: InventoryEntry, { client }: Cluster): Promise<NodeHealth> {
  const served = await client.kinds.served(entry.apiVersion, entry.kind);
  if (!served) return { state: 'NotFound', message: `the API server no longer knows ${entry.kind} of ${entry.apiVersion}` };
  const live = await client.get({ ...entry, apiVersion: apiVersionOf(served) }, { timeoutMs: DEADLINE_MS });
  // Over, and gone by itself: for the agent it is done.
  if (!live && entry.expires) return { state: 'Current', message: '' };
  return assessHealth(live, client.transport.serverNow());
}

/** What was read or, where the API server answered no, that nobody can tell. Where it does not answer, nothing can be read. */
async function orUnknown<Read>(read: Promise<Read>, { server }: Cluster): Promise<Read | { state: 'Unknown'; message: string }> {
  try {
    return await read;
  } catch (error) {
    const isAnswer = error instanceof Failure || (error instanceof ApiError && error.status !== 401);
    if (!isAnswer) throw error;
    return { state: 'Unknown', message: oneLine(messageOf(unanswered(error, server)), MAX_MESSAGE) };
  }
}
