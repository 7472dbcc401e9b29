import { expect, it } from 'vitest';
import { checkObjects } from '#agent/manifest/check.ts';
import { withoutStringData } from '#agent/manifest/data-check.ts';

async function messages(kind: string, more: Record<string, unknown>): Promise<string[]> {
  const object = { apiVersion: 'v1', kind, metadata: { name: 'x' }, ...more };
  const options = { namespace: 'team', scope: async () => ({ namespaced: true }) };
  const { objects, causes } = await checkObjects([{ object, origin: { file: 'a.yaml', line: 7 } }], options);
  expect(objects).toHaveLength(causes.length > 0 ? 0 : 1);
  return causes.map(({ code, file, line, path, message, remedy }) => `${code} ${file}:${line} ${path} | ${message}; ${remedy}`);
}

it.each<[string, Record<string, unknown>, string]>([
  ['ConfigMap', { data: { port: 8080 } }, 'data[port] | data[port] of ConfigMap/x is a number and must be a text; quote it'],
  ['ConfigMap', { data: { on: true } }, 'data[on] | data[on] of ConfigMap/x is a boolean and must be a text; quote it'],
  [
    'ConfigMap',
    { data: { 'a.json': { b: 1 } } },
    'data[a.json] | data[a.json] of ConfigMap/x is a map and must be a text; write it as one text, with | behind the key',
  ],
  [
    'ConfigMap',
    { data: { l: [] } },
    'data[l] | data[l] of ConfigMap/x is a list and must be a text; write it as one text, with | behind the key',
  ],
  ['ConfigMap', { data: ['x'] }, 'data | data of ConfigMap/x is a list and must be a map; write key: "value" lines'],
  ['ConfigMap', { data: 'x' }, 'data | data of ConfigMap/x is a text and must be a map; write key: "value" lines'],
  [
    'ConfigMap',
    { data: { 'a b': 'x' } },
    'data | the key "a b" in data of ConfigMap/x is not allowed; use letters, digits, -, _ and . in keys',
  ],
  [
    'ConfigMap',
    { data: { '..a': 'x' } },
    'data | the key "..a" in data of ConfigMap/x is not allowed; use letters, digits, -, _ and . in keys',
  ],
  [
    'ConfigMap',
    { binaryData: { a: 'no base64!' } },
    'binaryData[a] | binaryData[a] of ConfigMap/x is not base64; encode it, or write it into data as it is',
  ],
  ['Secret', { stringData: { pin: 918273645 } }, 'stringData[pin] | stringData[pin] of Secret/x is a number and must be a text; quote it'],
  [
    'Secret',
    { stringData: { a: { b: 'S3CRETWORD' } } },
    'stringData[a] | stringData[a] of Secret/x is a map and must be a text; write it as one text, with | behind the key',
  ],
  ['Secret', { data: 'S3CRETWORD' }, 'data | data of Secret/x is a text and must be a map; write key: "value" lines'],
  ['Secret', { data: { a: 'S3CRETWORD' } }, 'data[a] | data[a] of Secret/x is not base64; encode it, or write it into stringData as it is'],
  [
    'Secret',
    { data: { 'S3CRETWORD NOTHING': 'eA==' } },
    'data | a key in data of Secret/x is not allowed; use letters, digits, -, _ and . in keys',
  ],
])('refuses %s %j, naming file, line and field and no value of a Secret', async (kind, more, expected) => {
  const found = await messages(kind, more);
  expect(found).toEqual([`InvalidObject a.yaml:7 ${expected}`]);
  if (kind === 'Secret') expect(found.join()).not.toMatch(/S3CRETWORD|918273645/);
});

it.each<[string, Record<string, unknown>]>([
  ['ConfigMap', { data: { a: '8080', b: null, ['k'.repeat(253)]: '' }, binaryData: null }],
  [
    'Secret',
    { data: { a: 'UzM=', b: 'UzMz\nUzM=', c: '', d: null, e: 'U\r\nzM\n=\n', '.dockerconfigjson': 'e30K' }, stringData: { x: 'plain' } },
  ],
  ['Widget', { data: { a: 1 } }],
])('takes what the API server takes: %s %j', async (kind, more) => {
  expect(await messages(kind, more)).toEqual([]);
});

it('says only once that base64 which is larger than any object cannot be', async () => {
  const found = await messages('Secret', { data: { a: '!'.repeat(2 * 1024 * 1024 + 1) } });
  expect(found).toEqual([expect.stringMatching(/^TooLarge a\.yaml:7 .* limit is 1048576; split it$/)]);
});

it.each<[string, Record<string, unknown>, unknown]>([
  ['folds it into data', { stringData: { a: 'ä', b: null } }, { data: { a: 'w6Q=', b: '' } }],
  ['lets it win', { data: { a: 'eA==', b: 'eQ==' }, stringData: { a: 'z' } }, { data: { a: 'eg==', b: 'eQ==' } }],
  ['drops an empty one', { stringData: null }, { data: {} }],
  ['leaves a Secret without it alone', { data: { a: 'eA==' }, type: 'Opaque' }, { data: { a: 'eA==' }, type: 'Opaque' }],
])('stringData of a Secret: %s', (_, more, expected) => {
  const base = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'x' } };
  expect(withoutStringData({ ...base, ...more })).toEqual({ ...base, ...(expected as object) });
});

it('leaves a stringData of other kinds alone', () => {
  const object = { apiVersion: 'example.com/v1', kind: 'Secret', metadata: { name: 'x' }, stringData: { a: 'b' } };
  expect(withoutStringData(object)).toBe(object);
});
