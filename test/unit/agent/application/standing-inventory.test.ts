import { beforeEach, expect, it } from 'vitest';
import { StandingInventory } from '#agent/application/standing-inventory.ts';
import type { Inventory } from '#agent/manifest/inventory.ts';
import { InventoryIndex } from '#agent/sync/inventory-index.ts';
import type { InventoryPlace } from '#agent/sync/inventory-place.ts';
import { InventoryStore } from '#agent/sync/inventory-store.ts';
import type { Component } from '#api/application.ts';
import { silentLog } from '#core/log.ts';

const entry = { component: 'c', apiVersion: 'v1', kind: 'ConfigMap', name: 'x', namespace: 'a', uid: 'x1' };
const component = (prune: boolean): Component => ({
  name: 'c',
  type: 'kustomize',
  properties: { url: 'https://git.example/a', path: './', prune },
});

let nowMs: number;
let written: Inventory[];
let tries: number;
let fails: Error | undefined;
let standing: StandingInventory;

beforeEach(() => {
  nowMs = 0;
  written = [];
  tries = 0;
  fails = undefined;
  standing = new StandingInventory({ log: silentLog, random: () => 1 }, () => nowMs);
});

function storeOf(entries: Inventory['entries']): InventoryStore {
  const write = async (inventory: Inventory): Promise<void> => {
    tries++;
    if (fails) throw fails;
    written.push(inventory);
  };
  const place = { write } as unknown as InventoryPlace;
  const inventory = { application: 'app', uid: 'u', keep: [], entries };
  return new InventoryStore({ index: new InventoryIndex(), place, inventory, stored: entries.length > 0 });
}

it('writes what has changed, once', async () => {
  const store = storeOf([entry]);
  for (let pass = 0; pass < 3; pass++) await standing.bringUpToDate(store, [component(false)]);
  expect(written.map(({ keep }) => keep)).toEqual([['c']]);
  expect([standing.soonest(undefined), standing.soonest(7)]).toEqual([undefined, 7]);
});

it('tries again ever more seldom where it cannot be written, however many passes there are', async () => {
  const store = storeOf([entry]);
  fails = new Error('refused');
  for (const [failures, waitMs] of [5_000, 10_000, 20_000].entries()) {
    for (let pass = 0; pass < 3; pass++) await standing.bringUpToDate(store, [component(false)]);
    expect([tries, standing.soonest(undefined), standing.soonest(7)]).toEqual([failures + 1, waitMs, 7]);
    nowMs += waitMs;
  }
  fails = undefined;
  await standing.bringUpToDate(store, [component(false)]);
  expect([written.map(({ keep }) => keep), standing.soonest(undefined)]).toEqual([[['c']], undefined]);
});

it('leaves it to the component to write the first one, which was refused', async () => {
  const store = storeOf([]);
  fails = new Error('refused');
  await expect(store.setComponent('c', [entry], { keep: false, hasTime: false })).rejects.toThrow('refused');
  await standing.bringUpToDate(store, [component(false)]);
  expect([tries, standing.soonest(undefined)]).toEqual([1, undefined]);
});
