import { expect, it } from 'vitest';
import { quantityFindings } from '#agent/manifest/quantity-check.ts';

const container = (resources: unknown): object => ({ template: { spec: { containers: [{ name: 'web' }, { resources }] } } });
const messages = (apiVersion: string, spec: unknown): string[] =>
  quantityFindings({ apiVersion, kind: 'X', metadata: {}, spec }, 'X/x').map(({ path, message }) => `${path}: ${message}`);
const at = 'spec.template.spec.containers[1].resources';

it.each<[string, unknown, string[]]>([
  ['cpu', { limits: { cpu: '1x' } }, [`${at}.limits.cpu: ${at}.limits.cpu of X/x is "1x", which is no quantity`]],
  [
    'two',
    { limits: { cpu: 'one' }, requests: { memory: '1 Gi' } },
    [
      `${at}.limits.cpu: ${at}.limits.cpu of X/x is "one", which is no quantity`,
      `${at}.requests.memory: ${at}.requests.memory of X/x is "1 Gi", which is no quantity`,
    ],
  ],
  ['honest ones', { limits: { cpu: '500m', memory: '1.5Gi', gpu: 2, x: '1e3', y: ' 1 ', z: null }, claims: [{ name: 'x' }] }, []],
  ['what is no map', { limits: ['1x'], requests: 'x' }, []],
  ['nothing', null, []],
])('names quantities that are none: %s', (_, resources, expected) => {
  expect(messages('apps/v1', container(resources))).toEqual(expected);
});

it('looks at volumes too, and never at custom kinds', () => {
  expect(messages('v1', { resources: { requests: { storage: '1 GB' } } })).toHaveLength(1);
  expect(messages('example.com/v1', { resources: { limits: { cpu: '1x' } } })).toEqual([]);
});
