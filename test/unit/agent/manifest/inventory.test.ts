import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { fromConfigMap, type Inventory, inventoryName, toConfigMap } from '#agent/manifest/inventory.ts';

const entry = fc.record(
  {
    component: fc.string(),
    apiVersion: fc.constantFrom('v1', 'apps/v1', 'core.oam.dev/v1beta1'),
    kind: fc.string({ minLength: 1 }),
    name: fc.string({ minLength: 1, unit: 'grapheme' }),
    namespace: fc.string({ minLength: 1 }),
    uid: fc.uuid(),
    resource: fc.string({ minLength: 1 }),
    since: fc.string({ minLength: 1 }),
    manifest: fc.string({ minLength: 1 }),
    fields: fc.string({ minLength: 1 }),
    file: fc.string({ minLength: 1 }),
    line: fc.nat(),
  },
  { requiredKeys: ['component', 'apiVersion', 'kind', 'name'] },
);
const inventories = fc.record({
  application: fc.string({ minLength: 1 }),
  uid: fc.uuid(),
  keep: fc.array(fc.string()),
  entries: fc.array(entry),
});

const many = (count: number): Inventory => ({
  application: 'infra',
  uid: 'u-1',
  keep: [],
  entries: Array.from({ length: count }, (_, index) => ({
    component: 'c',
    apiVersion: 'v1',
    kind: 'ConfigMap',
    namespace: 'ns',
    name: `config-${index}`,
    uid: `uid-${index}`,
  })),
});

it('comes back as it was', () => {
  fc.assert(
    fc.property(inventories, (inventory) => {
      expect(fromConfigMap(JSON.parse(JSON.stringify(toConfigMap(inventory, 'ns'))))).toEqual(inventory);
    }),
  );
});

it('is a ConfigMap with the label of its Application and no owner', () => {
  const inventory: Inventory = {
    application: 'infra',
    uid: 'u-1',
    keep: ['a'],
    entries: [{ component: 'a', apiVersion: 'v1', kind: 'Secret', namespace: 'ns', name: 's' }],
  };
  expect(toConfigMap(inventory, 'ns')).toEqual({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'lateen-infra', namespace: 'ns', labels: { 'lateen.dev/application': 'infra', 'lateen.dev/inventory-format': '1' } },
    data: { 'inventory.json': JSON.stringify(inventory) },
  });
});

it('is packed where it is large', () => {
  const object = toConfigMap(many(10_000), 'ns');
  expect(Object.keys(object)).toEqual(['apiVersion', 'kind', 'metadata', 'binaryData']);
  expect(JSON.stringify(object).length).toBeLessThan(200_000);
  expect(fromConfigMap(object)).toEqual(many(10_000));
});

it('has a name that an object may have, also of the longest Application, and of no other one', () => {
  const long = 'a'.repeat(253);
  expect(inventoryName('infra')).toBe('lateen-infra');
  expect(inventoryName(long)).toHaveLength(253);
  expect(inventoryName(long)).toMatch(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/);
  expect(inventoryName(long)).not.toBe(inventoryName(`${long.slice(1)}b`));
  expect(toConfigMap({ ...many(0), application: long }, 'ns').metadata.labels?.['lateen.dev/application']).toHaveLength(63);
});

it.each([
  ['another format', { 'lateen.dev/inventory-format': '2' }, { 'inventory.json': '{}' }],
  ['no format', {}, { 'inventory.json': '{}' }],
  ['no JSON', { 'lateen.dev/inventory-format': '1' }, { 'inventory.json': '{' }],
  ['no entries', { 'lateen.dev/inventory-format': '1' }, { 'inventory.json': '{"application":"a","uid":"u","keep":[]}' }],
  [
    'a number as name',
    { 'lateen.dev/inventory-format': '1' },
    { 'inventory.json': '{"application":"a","uid":"u","keep":[],"entries":[{"component":"c","apiVersion":"v1","kind":"K","name":1}]}' },
  ],
  ['nothing', { 'lateen.dev/inventory-format': '1' }, {}],
])('refuses %s', (_, labels, data) => {
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'lateen-a', labels }, data };
  expect(() => fromConfigMap(object)).toThrow(
    expect.objectContaining({ reason: 'Internal', message: expect.stringMatching(/^the inventory ConfigMap\/lateen-a cannot be read: /) }),
  );
});

it.each([
  ['millions of values', `${'{},'.repeat(4_000_000)}{}`, /more than 1000000 values/],
  ['more than fits', `${' '.repeat(17_000_000)}{}`, /Cannot create a Buffer larger/],
  [
    'the same object thousands of times',
    Array.from({ length: 50_000 }, (_, index) => `{"component":"c${index}","apiVersion":"v1","kind":"K","name":"n"}`).join(','),
    /the same object more than 100 times/,
  ],
])('refuses a packed one of a few kilobytes that a person has made of %s, at once', (_, entries, why) => {
  const json = `{"application":"a","uid":"u","keep":[],"entries":[${entries}]}`;
  const binaryData = { 'inventory.json.gz': gzipSync(json).toString('base64') };
  const metadata = { name: 'lateen-a', labels: { 'lateen.dev/inventory-format': '1' } };
  const begun = performance.now();

  expect(() => fromConfigMap({ apiVersion: 'v1', kind: 'ConfigMap', metadata, binaryData })).toThrow(why);
  expect(performance.now() - begun).toBeLessThan(2_000);
});
