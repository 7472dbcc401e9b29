import { expect, it } from 'vitest';
import { type Inventory, inventoryName, inventoryText, isInventoryName, toConfigMap } from '#agent/manifest/inventory.ts';
import { fromSharedConfigMap, isShared, sharedName, toSharedConfigMap } from '#agent/manifest/shared-inventory.ts';

const inventory = (application: string): Inventory => ({
  application,
  uid: `uid-of-${application}`,
  keep: [],
  entries: [{ component: 'a', apiVersion: 'v1', kind: 'Secret', namespace: 'ns', name: application, uid: 'u' }],
});

const texts = (...applications: string[]): Record<string, string> =>
  Object.fromEntries(applications.map((application) => [application, inventoryText(inventory(application))]));

it('gives back every inventory that was put into it', () => {
  const { inventories, damaged } = fromSharedConfigMap(toSharedConfigMap(sharedName('1'), 'ns', texts('infra', 'web.shop')));
  expect([...inventories]).toEqual([
    ['infra', inventory('infra')],
    ['web.shop', inventory('web.shop')],
  ]);
  expect(damaged.size).toBe(0);
});

it('has a name that no inventory of one Application has, and that none may bring from Git', () => {
  expect(isInventoryName(sharedName('1'))).toBe(true);
  expect(isShared(toSharedConfigMap(sharedName('1'), 'ns', {}))).toBe(true);
  expect(isShared(toConfigMap(inventory('inventories-1'), 'ns'))).toBe(false);
  expect(inventoryName('inventories-1')).not.toBe(sharedName('1'));
});

it.each([
  ['no JSON', { infra: '{' }, 'infra in ConfigMap/lateen--inventories-1 cannot be read: '],
  ['that of another Application', { infra: texts('other')['other'] ?? '' }, 'it is that of the Application other'],
])('refuses one inventory that is %s, and none of the others', (_what, data, why) => {
  const { inventories, damaged } = fromSharedConfigMap(toSharedConfigMap(sharedName('1'), 'ns', { ...data, ...texts('web') }));
  expect([...inventories.keys()]).toEqual(['web']);
  expect(damaged.get('infra')?.message).toContain(why);
});

it('refuses all of a format that it does not know', () => {
  const object = toSharedConfigMap(sharedName('1'), 'ns', texts('infra', 'web'));
  const { inventories, damaged } = fromSharedConfigMap({
    ...object,
    metadata: { ...object.metadata, labels: { 'lateen.dev/inventory-format': 'shared-2' } },
  });
  expect(inventories.size).toBe(0);
  expect(damaged.get('web')?.message).toBe(
    'the inventory web in ConfigMap/lateen--inventories-1 cannot be read: the format is shared-2, this version reads shared-1',
  );
});
