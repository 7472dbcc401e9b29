import { expect, it } from 'vitest';
import { ObjectStore } from '#agent/cluster/object-store.ts';
import type { KubeObject } from '#api/kubernetes.ts';

function object(name: string, uid: string, resourceVersion = '1'): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, uid, resourceVersion } };
}

function recording(): { store: ObjectStore; events: string[] } {
  const events: string[] = [];
  const store = new ObjectStore(({ type, object: { metadata }, previous }) => {
    events.push(
      `${type} ${metadata.name} ${metadata.uid}@${metadata.resourceVersion} was ${previous?.metadata.resourceVersion ?? '-'}, knows ${store.all().length}`,
    );
  });
  return { store, events };
}

it('tells what changed since the last list, with everything in place', () => {
  const { store, events } = recording();
  store.replace([object('same', 'u1'), object('changed', 'u2'), object('gone', 'u3'), object('remade', 'u4')]);
  events.length = 0;
  store.replace([object('same', 'u1'), object('changed', 'u2', '2'), object('remade', 'u5', '3'), object('new', 'u6')]);
  expect(events).toEqual([
    'deleted gone u3@1 was 1, knows 4',
    'modified changed u2@2 was 1, knows 4',
    'deleted remade u4@1 was 1, knows 4',
    'added remade u5@3 was -, knows 4',
    'added new u6@1 was -, knows 4',
  ]);
});

it('knows what belongs together', () => {
  const store = new ObjectStore(
    () => undefined,
    ({ metadata: { labels } }) => labels?.['of'],
  );
  const member = (name: string, of?: string): KubeObject => {
    const { metadata, ...rest } = object(name, `u-${name}`);
    return { ...rest, metadata: { ...metadata, ...(of ? { labels: { of } } : {}) } };
  };
  const group = (name: string): unknown[] => store.group(name).map(({ metadata }) => metadata.name);
  store.replace([member('a1', 'a'), member('a2', 'a'), member('b1', 'b'), member('none')]);
  expect([group('a'), group('b')]).toEqual([['a1', 'a2'], ['b1']]);
  store.put(member('a1', 'b'));
  store.put(member('none', 'a'));
  store.remove(member('b1', 'b'));
  expect([group('a'), group('b')]).toEqual([['a2', 'none'], ['a1']]);
  store.replace([member('b2', 'b')]);
  expect([group('a'), group('b')]).toEqual([[], ['b2']]);
});

it('follows single changes', () => {
  const { store, events } = recording();
  store.put(object('a', 'u1'));
  store.put(object('a', 'u1', '2'));
  store.put(object('a', 'u2', '3'));
  store.remove(object('a', 'u2', '4'));
  expect(events).toEqual([
    'added a u1@1 was -, knows 1',
    'modified a u1@2 was 1, knows 1',
    'deleted a u1@2 was 2, knows 1',
    'added a u2@3 was -, knows 1',
    'deleted a u2@4 was 3, knows 0',
  ]);
  expect(store.get('a')).toBeUndefined();
});
