import { expect, it } from 'vitest';
import { mentions } from '#agent/manifest/mentions.ts';
import { configMap, memoryTree } from './memory-tree.ts';

const base = { 'base/web.yaml': configMap('web'), 'base/kustomization.yaml': 'resources: [web.yaml]\n' };
const overlay = (more = ''): Record<string, string> => ({ 'prod/kustomization.yaml': `resources: [../base]\n${more}`, ...base });
const LARGE = 5 * 1024 * 1024;

it.each<[string, Record<string, string>, string, string, boolean]>([
  ['in a file of the folder', { 'a/x.yaml': configMap('web') }, './a', 'web', true],
  ['in a file of a folder in it', { 'a/b/x.yaml': configMap('web') }, 'a', 'web', true],
  ['not where another folder has it', { 'a/x.yaml': configMap('other'), 'b/x.yaml': configMap('web') }, 'a', 'web', false],
  ['not where another folder begins so', { 'a/x.yaml': configMap('other'), 'ab/x.yaml': configMap('web') }, 'a', 'web', false],
  ['anywhere in the repository', { 'a/x.yaml': configMap('other'), 'b/x.yaml': configMap('web') }, '', 'web', true],
  ['not as a part of another name', { 'a/x.yaml': configMap('web-2') }, 'a', 'web', false],
  ['not as another value', { 'a/x.yaml': configMap('other', 'data: {key: web}\n') }, 'a', 'web', false],
  ['in JSON', { 'a/x.json': JSON.stringify({ kind: 'ConfigMap', metadata: { name: 'web' } }) }, 'a', 'web', true],
  ['in a file that does not parse', { 'a/x.yaml': '}{ metadata: {name: "web"}' }, 'a', 'web', true],
  ['behind an anchor', { 'a/x.yaml': 'metadata:\n  name: &n !!str web\n' }, 'a', 'web', true],
  ['by an alias', { 'a/x.yaml': 'x: &n web\nmetadata:\n  name: *n\n' }, 'a', 'web', true],
  ['in the base of a kustomization', overlay(), 'prod', 'web', true],
  ['not where no file has it', overlay(), 'prod', 'database', false],
  ['with the prefix of a kustomization', overlay('namePrefix: prod-\n'), 'prod', 'prod-web', true],
  [
    'with a suffix that a base adds',
    { ...overlay(), 'base/kustomization.yaml': 'nameSuffix: "-v2"\nresources: [web.yaml]\n' },
    'prod',
    'web-v2',
    true,
  ],
  ['not with a prefix of another name', overlay('namePrefix: prod-\n'), 'prod', 'prod-database', false],
  [
    'with the hash of a generator',
    overlay('configMapGenerator:\n  - name: settings\n    literals: [a=b]\n'),
    'prod',
    'settings-6ct58987ht',
    true,
  ],
  ['where a transformer may do anything', overlay('transformers: [t.yaml]\n'), 'prod', 'database', true],
  ['not in a file that is larger than any object', { 'a/x.yaml': configMap('web', '#'.repeat(LARGE)) }, 'a', 'web', false],
])('an object may come from a folder that could not be built: %s', async (_, files, path, name, expected) => {
  expect(await mentions(memoryTree(files), path, name)).toBe(expected);
});

it('of a folder with more than can be searched any object may come', async () => {
  const many = Object.fromEntries(Array.from({ length: 2_001 }, (_, index) => [`a/${index}.yaml`, '']));
  const tree = memoryTree(many);
  expect(await mentions(tree, 'a', 'web')).toBe(true);
  expect(tree.reads).toEqual([]);
});

it('looks through a megabyte of empty lines in a kustomization file without holding anybody up', async () => {
  const begun = performance.now();
  expect(await mentions(memoryTree(overlay('\n'.repeat(1_000_000))), 'prod', 'database')).toBe(false);
  expect(performance.now() - begun).toBeLessThan(1_000);
});
