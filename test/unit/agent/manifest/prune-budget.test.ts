import { describe, expect, it } from 'vitest';
import { objectId } from '#api/kubernetes.ts';
import type { HeldPrune, InventoryEntry } from '#agent/manifest/inventory.ts';
import { DEFAULT_BUDGET, heldPrune, NO_BUDGET, type PrunePlan, type Weight } from '#agent/manifest/prune-budget.ts';

const COMMIT = 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa';
const FRESH = 'cccccccccccccccccccccccccccccccccccccccc';
const LATER = 'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb';

const entries = (count: number, kind = 'ConfigMap'): InventoryEntry[] =>
  Array.from({ length: count }, (_, index) => ({ component: 'c', apiVersion: 'v1', kind, namespace: 'ns', name: `n-${index}` }));

function plan(stale: InventoryEntry[], of: number, more: Partial<PrunePlan> = {}): PrunePlan {
  const weigh = (): Weight => ({ objects: 1, volumes: [] });
  const inventory = [...stale, ...entries(of - stale.length, 'Secret')];
  return {
    stale,
    inventory,
    budget: DEFAULT_BUDGET,
    weigh,
    commit: COMMIT,
    fresh: FRESH,
    left: false,
    held: undefined,
    approved: undefined,
    ...more,
  };
}

describe('what is held', () => {
  it.each([
    ['ten objects of many', 10, 100, undefined],
    ['eleven objects', 11, 100, 'it would remove 11 objects, the budget is 10'],
    ['half of five and more', 3, 6, undefined],
    ['more than half of five and more', 3, 5, 'it would remove 3 of 5 objects (60 %), the budget is 50 %'],
    ['everything, of a small inventory', 4, 4, undefined],
  ])('%s', (_, stale, of, why) => {
    expect(heldPrune(plan(entries(stale), of))?.why).toBe(why);
  });

  it('is what a nested Application would lose with it', () => {
    const weigh = ({ kind }: InventoryEntry): Weight => ({ objects: kind === 'ConfigMap' ? 12 : 1, volumes: [] });

    expect(heldPrune(plan(entries(1), 100, { weigh }))?.why).toBe('it would remove 12 objects, the budget is 10');
  });

  it('is a volume always, whatever the budget', () => {
    const weigh = (): Weight => ({ objects: 1, volumes: ['data'] });

    expect(heldPrune(plan(entries(1), 100, { weigh, budget: NO_BUDGET }))?.why).toBe(
      'it would remove the data of PersistentVolumeClaim data',
    );
  });
});

describe('approval', () => {
  const stale = entries(11);
  const held: HeldPrune = { commit: COMMIT, objects: stale.map(objectId).toSorted(), why: 'too many' };

  it('lets the list that was shown go', () => {
    expect(heldPrune(plan(stale, 100, { held, approved: COMMIT.slice(0, 12) }))).toBeUndefined();
  });

  it('stays good at a later commit while the list is the same or smaller', () => {
    expect(heldPrune(plan(stale, 100, { held, approved: COMMIT, commit: LATER }))).toBeUndefined();
    expect(heldPrune(plan(stale.slice(0, 11), 100, { held, approved: COMMIT, commit: LATER }))).toBeUndefined();
  });

  it('is asked for what is still to go, not for what has come back', () => {
    const longer = entries(13);
    const before: HeldPrune = { commit: COMMIT, objects: longer.map(objectId).toSorted(), why: 'too many' };

    expect(heldPrune(plan(longer.slice(0, 12), 100, { held: before, commit: LATER }))).toEqual({
      commit: COMMIT,
      objects: longer.slice(0, 12).map(objectId).toSorted(),
      why: 'it would remove 12 objects, the budget is 10',
    });
  });

  it('names a list that was held without a commit anew', () => {
    expect(heldPrune(plan(stale, 100, { held: { ...held, commit: '' }, approved: COMMIT, commit: LATER }))?.commit).toBe(LATER);
  });

  it('is not good for a longer list, which is held at its own commit', () => {
    const longer = entries(12);

    expect(heldPrune(plan(longer, 100, { held, approved: COMMIT, commit: LATER }))).toEqual({
      commit: LATER,
      objects: longer.map(objectId).toSorted(),
      why: 'it would remove 12 objects, the budget is 10',
    });
  });

  it.each(['aaaaaa', LATER, ''])('is not good with %j', (approved) => {
    expect(heldPrune(plan(stale, 100, { held, approved }))?.commit).toBe(COMMIT);
  });

  it('of nothing that was shown is none, then or later', () => {
    const first = heldPrune(plan(stale, 100, { approved: COMMIT.slice(0, 12) }));
    expect(first?.commit).toBe(FRESH);
    expect(heldPrune(plan(stale, 100, { held: first, approved: COMMIT.slice(0, 12) }))?.commit).toBe(FRESH);
  });

  it('is asked for anew where the list grows at the same commit', () => {
    const longer = heldPrune(plan(entries(12), 100, { held }));
    expect(longer?.commit).toBe(FRESH);
    expect(heldPrune(plan(entries(12), 100, { held: longer, approved: COMMIT }))?.objects).toHaveLength(12);
    expect(heldPrune(plan(entries(12), 100, { held: longer, approved: FRESH }))).toBeUndefined();
  });

  it('of a component that is at no commit names the list alone', () => {
    expect(heldPrune(plan(stale, 100, { commit: undefined }))?.commit).toBe(FRESH);
  });
});
