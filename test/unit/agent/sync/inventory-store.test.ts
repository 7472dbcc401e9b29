import { expect, it } from 'vitest';
import type { Inventory, InventoryEntry } from '#agent/manifest/inventory.ts';
import { InventoryIndex } from '#agent/sync/inventory-index.ts';
import type { InventoryPlace } from '#agent/sync/inventory-place.ts';
import { InventoryStore } from '#agent/sync/inventory-store.ts';

it('compares nothing where no prune is held nor was', async () => {
  let looks = 0;
  const looked = (): object => ({ look: ++looks });
  const entry = { component: 'c', apiVersion: 'v1', kind: 'ConfigMap', name: 'x', namespace: 'a', toJSON: looked };
  const inventory: Inventory = { application: 'app', uid: 'u', keep: [], entries: [entry as InventoryEntry] };
  const written: Inventory[] = [];
  const place = { write: async (one: Inventory) => void written.push(one) } as unknown as InventoryPlace;
  const store = new InventoryStore({ index: new InventoryIndex(), place, inventory, stored: true });

  await store.hold('c', undefined);
  expect([looks, written]).toEqual([0, []]);
  const held = { commit: 'one', objects: ['x'], why: 'much' };
  await store.hold('c', held);
  expect(written.map((one) => one.held)).toEqual([{ c: held }]);
  await store.hold('c', undefined);
  expect(written.map((one) => one.held)).toEqual([{ c: held }, {}]);
});

it('holds no prune of a component of which others have taken everything', async () => {
  const entries = ['x', 'y'].map((name) => ({ component: 'left', apiVersion: 'v1', kind: 'ConfigMap', name, namespace: 'a' }));
  const held = { left: { commit: 'one', objects: ['x', 'y'], why: 'much' } };
  const inventory: Inventory = { application: 'app', uid: 'u', keep: [], entries, held };
  const place = { write: async () => undefined } as unknown as InventoryPlace;
  const store = new InventoryStore({ index: new InventoryIndex(), place, inventory, stored: true });
  await store.forget(new Set([entries[0]!]));
  expect(store.held('left')).toBeDefined();
  await store.forget(new Set([entries[1]!]));
  expect(store.held('left')).toBeUndefined();
});
