import { expect, it } from 'vitest';
import type { InventoryEntry } from '#agent/manifest/inventory.ts';
import { DEFAULT_BUDGET } from '#agent/manifest/prune-budget.ts';
import { AgentMetrics } from '#agent/metrics.ts';
import { Claims } from '#agent/sync/claims.ts';
import type { DeliveryContext } from '#agent/sync/delivery.ts';
import { InventoryIndex } from '#agent/sync/inventory-index.ts';
import type { InventoryPlace } from '#agent/sync/inventory-place.ts';
import { InventoryStore } from '#agent/sync/inventory-store.ts';
import { type Prune, pruneStale } from '#agent/sync/pruner.ts';

const { signal } = new AbortController();
const names = Array.from({ length: 11 }, (_, at) => `n-${at}`);
const entriesOf = (): InventoryEntry[] =>
  names.map((name) => ({ component: 'c', apiVersion: 'v1', kind: 'ConfigMap', name, namespace: 'a', since: '2026-01-01T00:00:00Z' }));
const kind = { group: '', version: 'v1', kind: 'ConfigMap', plural: 'configmaps', namespaced: true, verbs: [] };

/** Objects that were meant to be made, all stale; `answer` is what the API server says of each. */
function pruneOf(answer: () => { status: number; body: unknown }): { prune: Prune; store: InventoryStore } {
  const index = new InventoryIndex();
  const place = { write: async () => undefined } as unknown as InventoryPlace;
  const store = new InventoryStore({
    index,
    place,
    inventory: { application: 'app', uid: 'u', keep: [], entries: entriesOf() },
    stored: true,
  });
  const client = { kinds: { served: async () => kind }, transport: { request: async () => answer(), serverNow: () => 0 } };
  const live = { get: () => undefined };
  const around = { metrics: new AgentMetrics(), claims: new Claims(() => 0), inventories: { index, find: () => store } };
  const owner = { application: 'app', component: 'c', prune: true, exempt: () => false };
  const request = { budget: DEFAULT_BUDGET, approved: undefined, mentions: async () => false };
  const prune = { request, owner, desired: new Set<string>(), store, context: { ...around, client, live } as unknown as DeliveryContext };
  return { prune, store };
}

it('is asked for once where the objects are there all the same, and their prune waits for a person', async () => {
  let asked = 0;
  const labels = { 'lateen.dev/application': 'app', 'lateen.dev/component': 'c' };
  const body = { metadata: { uid: 'x', labels, creationTimestamp: '2026-01-01T00:00:01Z' } };
  const { prune } = pruneOf(() => {
    asked++;
    return { status: 200, body };
  });
  for (let runs = 0; runs < 3; runs++) expect((await pruneStale(prune, signal)).held?.objects).toHaveLength(11);
  expect(asked).toBe(11);
});

it('is asked for again where the API server does not say', async () => {
  let status = 500;
  const { prune, store } = pruneOf(() => ({ status, body: { details: { name: 'n' } } }));
  expect((await pruneStale(prune, signal)).held?.objects).toHaveLength(11);
  status = 404;
  expect((await pruneStale(prune, signal)).held).toBeUndefined();
  expect(store.entries('c')).toEqual([]);
});
