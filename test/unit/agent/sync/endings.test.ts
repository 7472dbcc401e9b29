import { expect, it } from 'vitest';
import { type Ending, Endings, endingText } from '#agent/sync/endings.ts';
import type { InventoryEntry } from '#agent/manifest/inventory.ts';
import type { KubeObject } from '#api/kubernetes.ts';

const entry = (name: string): InventoryEntry => ({
  component: 'a',
  apiVersion: 'v1',
  kind: 'ConfigMap',
  name,
  uid: `uid-${name}`,
  ending: 'x',
});
const ending = (name: string, finalizers: string[] = []): Ending => ({ was: entry(name), entry: entry(name), finalizers });
const live = (name: string): KubeObject => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, uid: `uid-${name}` } });

it('asks at once, then less and less often, and never spins', () => {
  let now = 0;
  const endings = new Endings(() => now);
  const times: number[] = [];
  expect(endings.nextInMs([entry('one')])).toBeUndefined();
  for (let look = 0; look < 12; look++) {
    expect(endings.isDue(entry('one'), undefined)).toBe(true);
    endings.stands(ending('one'));
    const next = endings.nextInMs([entry('one'), entry('other')]) ?? 0;
    times.push(next);
    now += next - 1;
    expect(endings.isDue(entry('one'), undefined)).toBe(false);
    now += 1;
  }
  expect(times).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 128_000, 256_000, 300_000, 300_000, 300_000]);
});

it('asks nothing while a watch shows the object, and at once when it no longer does', () => {
  let now = 0;
  const endings = new Endings(() => now);
  endings.stands(ending('one'));
  expect(endings.isDue(entry('one'), live('one'))).toBe(false);
  expect(endings.nextInMs([entry('one')])).toBeUndefined();
  now = 10_000_000;
  expect(endings.isDue(entry('one'), live('one'))).toBe(false);
  now = 0;
  expect(endings.isDue(entry('one'), undefined)).toBe(true);
});

it('drops what is no longer being deleted', () => {
  const endings = new Endings(() => 0);
  endings.stands(ending('one'));
  endings.stands(ending('two'));
  expect(endings.of('a', [entry('two')])).toEqual([ending('two')]);
  expect(endings.of('a', [entry('one'), entry('two')])).toEqual([ending('two')]);
});

it('names what holds them', () => {
  expect(endingText([ending('one', ['x/y', 'x/z']), ending('two')])).toBe(
    'ConfigMap/one (held by the finalizers x/y, x/z), ConfigMap/two are being deleted and still there',
  );
  const many = ['a', 'b', 'c', 'd', 'e'].map((name) => ending(name));
  expect(endingText(many)).toBe('ConfigMap/a, ConfigMap/b, ConfigMap/c and 2 more are being deleted and still there');
});
