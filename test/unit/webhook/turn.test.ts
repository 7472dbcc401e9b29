import { expect, it } from 'vitest';
import { Turn } from '#webhook/turn.ts';

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Waiters of one turn, and what happened by now. */
function waiters(turn: Turn, count: number, seen: string[]): void {
  for (let index = 0; index < count; index++) void turn.end().then(() => seen.push(`released ${index}`));
}

it('releases all who wait in a turn together, in their order, once the turn is over', async () => {
  const [turn, seen] = [new Turn(), [] as string[]];
  waiters(turn, 3, seen);
  await Promise.resolve();
  await new Promise((resolve) => process.nextTick(resolve));
  expect(seen).toEqual([]);
  await nextTurn();
  expect(seen).toEqual(['released 0', 'released 1', 'released 2']);
});

it('begins anew in the next turn', async () => {
  const [turn, seen] = [new Turn(), [] as string[]];
  waiters(turn, 1, seen);
  await nextTurn();
  waiters(turn, 1, seen);
  await Promise.resolve();
  expect(seen).toEqual(['released 0']);
  await nextTurn();
  expect(seen).toEqual(['released 0', 'released 0']);
});

it('lets no more than sixteen wait for each other', async () => {
  const [turn, seen] = [new Turn(), [] as string[]];
  waiters(turn, 15, seen);
  await Promise.resolve();
  expect(seen).toEqual([]);
  waiters(turn, 2, seen);
  await Promise.resolve();
  await Promise.resolve();
  expect(seen).toHaveLength(16);
  await nextTurn();
  expect(seen).toHaveLength(17);
});
