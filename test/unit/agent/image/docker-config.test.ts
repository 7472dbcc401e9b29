import { describe, expect, it } from 'vitest';
import { credentialsFor, dockerConfigOf } from '#agent/image/docker-config.ts';
import { parseImage } from '#api/image/reference.ts';

function secret(values: Record<string, string>) {
  const data = Object.fromEntries(Object.entries(values).map(([key, value]) => [key, Buffer.from(value).toString('base64')]));
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'pull' }, data };
}

function fitting(image: string, keys: string[]): string[] {
  const parsed = parseImage(image);
  if ('problem' in parsed) throw new Error(parsed.problem.text);
  const auths = Object.fromEntries(keys.map((key) => [key, { username: 'u', password: 'p' }]));
  return credentialsFor(dockerConfigOf(secret({ '.dockerconfigjson': JSON.stringify({ auths }) })), parsed.image).map(({ key }) => key);
}

describe('which entry fits (§1.4, its traps mended)', () => {
  it.each<[string, boolean, boolean, boolean]>([
    ['https://index.docker.io/v1/', true, false, false],
    ['index.docker.io', true, false, false],
    ['*.docker.io', true, false, false],
    ['docker.io', true, false, false],
    ['https://docker.io', true, false, false],
    ['registry-1.docker.io', true, false, false],
    ['ghcr.io', false, true, true],
    ['https://ghcr.io/v2/', false, true, true],
    ['http://ghcr.io', false, true, true],
    ['*.io', false, true, true],
    ['ghcr.io/o', false, true, false],
    ['ghcr.io/o/app', false, true, false],
    ['ghcr.io/o/app/', false, true, false],
    ['ghcr.io:443', false, true, true],
    ['GHCR.IO', false, true, true],
    ['ghcr.io/ap', false, false, false],
    ['ghcr.io/o/a', false, false, false],
    ['*', false, false, false],
    ['g*r.io', false, true, true],
    ['ghcr.io:5000', false, false, false],
  ])('%s', (key, ...expected) => {
    expect(['nginx', 'ghcr.io/o/app', 'ghcr.io/o2/app'].map((image) => fitting(image, [key]).length === 1)).toEqual(expected);
  });

  it('takes the longest path first, a name before a pattern', () => {
    expect(fitting('ghcr.io/o/app', ['*.io', 'ghcr.io', 'ghcr.io/o', 'quay.io'])).toEqual(['ghcr.io/o', 'ghcr.io', '*.io']);
  });
});

describe('the Secret', () => {
  it('may hold half a megabyte of line breaks, and holds nobody up', () => {
    const auth = Buffer.from(`u:${'\n'.repeat(500_000)}p\n`).toString('base64');
    const begun = performance.now();
    const { entries } = dockerConfigOf(secret({ '.dockerconfigjson': JSON.stringify({ auths: { 'ghcr.io': { auth } } }) }));
    expect(entries[0]?.password).toHaveLength(500_001);
    expect(performance.now() - begun).toBeLessThan(1_000);
  });

  it('may be of any type, with either key', () => {
    const auth = Buffer.from('user:pa:ss\n').toString('base64').replace(/=+$/, '');
    const read = dockerConfigOf({
      ...secret({ '.dockerconfigjson': JSON.stringify({ auths: { 'ghcr.io': { auth, username: 'other' } } }), 'ca.crt': 'PEM' }),
      type: 'Opaque',
    });
    expect(read).toEqual({ entries: [{ key: 'ghcr.io', username: 'user', password: 'pa:ss' }], ca: 'PEM' });
    expect(dockerConfigOf(secret({ '.dockercfg': JSON.stringify({ 'ghcr.io': { identitytoken: 't' } }) })).entries).toEqual([
      { key: 'ghcr.io', identityToken: 't' },
    ]);
  });

  it.each([
    [{ password: 'hunter22' }, /has no key \.dockerconfigjson; it has password/],
    [{ '.dockerconfigjson': '{"auths": {"ghcr.io": {"auth": "hunter22' }, /is not JSON/],
    [{ '.dockerconfigjson': '{"hunter22": 1}' }, /has no auths/],
    [{ '.dockerconfigjson': '{"auths": {"ghcr.io": {"auth": "hunter22"}}}' }, /not base64 of user:password/],
  ])('that is wrong is named, never shown', (values, words) => {
    const read = (): unknown => dockerConfigOf(secret(values));
    expect(read).toThrow(words);
    expect(read).not.toThrow(/hunter22/);
  });
});
