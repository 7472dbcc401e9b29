import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { fieldChanges } from '#cli/field-changes.ts';
import { goYaml } from '#cli/go-yaml.ts';
import { diffLines } from '#cli/line-diff.ts';
import { hideSecrets, isHidden } from '#cli/secret-mask.ts';

const words = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 12 });

function longestCommon(left: readonly string[], right: readonly string[]): number {
  if (left.length === 0 || right.length === 0) return 0;
  const [[head, ...rest], [other, ...others]] = [left, right];
  return head === other ? 1 + longestCommon(rest, others) : Math.max(longestCommon(rest, right), longestCommon(left, others));
}

describe('the comparison of lines', () => {
  it('gives back both sides, and keeps as many lines as can be kept', () => {
    fc.assert(
      fc.property(words, words, (left, right) => {
        const lines = diffLines(left, right);
        const of = (side: 'left' | 'right'): string[] => lines.filter((line) => line.side !== side).map(({ text }) => text);
        expect(of('right')).toEqual(left);
        expect(of('left')).toEqual(right);
        expect(lines.filter(({ side }) => side === 'both')).toHaveLength(longestCommon(left, right));
      }),
      { numRuns: 200 },
    );
  });

  it('puts what is gone before what is new', () => {
    expect(diffLines(['a', 'x', 'z'], ['a', 'y', 'z']).map(({ side }) => side)).toEqual(['both', 'left', 'right', 'both']);
  });

  it('takes no table that would fill the memory', () => {
    const [left, right] = [1, 2].map((seed) => Array.from({ length: 3_000 }, (_, index) => `${seed} ${index}`));
    expect(diffLines(left!, right!)).toHaveLength(6_000);
  });
});

describe('YAML as programs in Go write it', () => {
  it('sorts keys, does not indent lists, and quotes what would be read as something else', async () => {
    const value = { b: [{ y: 'on', x: '1' }, 'a: b'], a: { t: 'true', e: '', n: null, m: 'one\ntwo\n', d: '2024-01-01', s: 'plain' } };
    const text = [
      'a:',
      '  d: "2024-01-01"',
      '  e: ""',
      '  m: |',
      '    one',
      '    two',
      '  "n": null',
      '  s: plain',
      '  t: "true"',
      'b:',
      '- x: "1"',
      '  "y": "on"',
      "- 'a: b'",
      '',
    ];
    expect(await goYaml(value)).toBe(text.join('\n'));
  });

  it('keeps every text what it was', async () => {
    await fc.assert(
      fc.asyncProperty(fc.dictionary(fc.string(), fc.string()), async (value) => {
        expect(parse(await goYaml(value), { version: '1.1' }) ?? {}).toEqual({ ...value });
      }),
    );
  });
});

describe('the values of Secrets', () => {
  const secret = (password: string): object => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: 'db',
      annotations: { 'kubectl.kubernetes.io/last-applied-configuration': `{"kind":"Secret","data":{"p":"${password}"}}` },
    },
    data: { password, user: 'fixed-user' },
    stringData: { text: password },
  });
  const component = (password: string): object => ({
    components: [
      { name: 'objects', type: 'k8s-objects', properties: { objects: [{ kind: 'ConfigMap', data: { key: 'shown' } }, secret(password)] } },
      { name: 'list', properties: { kind: 'SecretList', items: [{ data: { password } }] } },
      { name: 'text', properties: { file: `kind: Secret\nstringData:\n  p: ${password}\n` } },
      { name: 'json-in-json', properties: { file: JSON.stringify(JSON.stringify(secret(password))) } },
    ],
  });

  it('are nowhere to be found, and where they changed it is seen', () => {
    const [before, after] = hideSecrets(component('swordfish'), component('shibboleth')).map((one) => JSON.stringify(one));
    for (const text of [before, after]) {
      expect(text).not.toMatch(/swordfish|shibboleth|fixed-user/);
      expect(text).toContain('shown');
    }
    const changed = fieldChanges(JSON.parse(before!), JSON.parse(after!));
    expect(changed.map(({ path }) => path)).toEqual([
      'components[name=objects].properties.objects[1].data.password',
      'components[name=objects].properties.objects[1].metadata.annotations["kubectl.kubernetes.io/last-applied-configuration"]',
      'components[name=objects].properties.objects[1].stringData.text',
      'components[name=list].properties.items[0].data.password',
      'components[name=text].properties.file',
      'components[name=json-in-json].properties.file',
    ]);
    expect(changed.every((one) => isHidden(one.before) && isHidden(one.after))).toBe(true);
  });

  it('are equal words where they are equal', () => {
    const [before, after] = hideSecrets(component('swordfish'), component('swordfish'));
    expect(before).toEqual(after);
  });

  it('are not shown for data that is no map', () => {
    expect(JSON.stringify(hideSecrets({ kind: 'Secret', data: 'swordfish' }, { kind: 'Secret', data: ['swordfish'] }))).not.toContain(
      'swordfish',
    );
  });

  it('are told from other kinds', () => {
    const store = { kind: 'SecretStore', data: { key: 'shown' } };
    expect(hideSecrets(store, store)).toEqual([store, store]);
  });
});

describe('the comparison of fields', () => {
  it('names items by their name, others by their place', () => {
    const before = { containers: [{ name: 'a', image: 'x' }, { name: 'b' }], args: ['1', '2'], gone: 1 };
    const after = { containers: [{ name: 'a', image: 'y' }, { name: 'c' }], args: ['1', '3'], new: null };
    expect(fieldChanges(before, after)).toEqual([
      { path: 'args[1]', before: '2', after: '3' },
      { path: 'containers[name=a].image', before: 'x', after: 'y' },
      { path: 'containers[name=b]', before: { name: 'b' } },
      { path: 'containers[name=c]', after: { name: 'c' } },
      { path: 'gone', before: 1 },
      { path: 'new', after: null },
    ]);
  });

  it('sees another order of named items', () => {
    const changes = fieldChanges({ l: [{ name: 'a' }, { name: 'b' }] }, { l: [{ name: 'b' }, { name: 'a' }] });
    expect(changes).toEqual([{ path: 'l', before: ['a', 'b'], after: ['b', 'a'] }]);
  });

  it('finds a difference exactly where there is one', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (left, right) => {
        expect(fieldChanges(left, left)).toEqual([]);
        expect(fieldChanges(left, right).length > 0).toBe(JSON.stringify(sorted(left)) !== JSON.stringify(sorted(right)));
      }),
    );
  });
});

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, sorted(item)]),
  );
}
