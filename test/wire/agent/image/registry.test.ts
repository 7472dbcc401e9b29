import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DockerConfig, dockerConfigOf } from '#agent/image/docker-config.ts';
import { programs } from '#dev/programs.ts';
import { type Registry, startRegistry } from '#dev/registry.ts';
import { type FaultyRegistry, json, startFaultyRegistry } from '#test/support/registry-faults.ts';
import { failure, list } from '#test/support/registry-list.ts';

function dockerConfig(auths: Record<string, object>): DockerConfig {
  const text = Buffer.from(JSON.stringify({ auths })).toString('base64');
  return dockerConfigOf({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'pull' }, data: { '.dockerconfigjson': text } });
}

describe('a real registry', () => {
  let registry: Registry;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lateen-registry-'));
    registry = await startRegistry({ crane: (await programs(['crane'])).crane, folder });
    await registry.push('org/app', ['v1', 'v2', 'latest']);
  });

  afterAll(async () => {
    await registry.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('lists its tags over http, since it is on loopback', async () => {
    expect((await list({ host: registry.host })).sort()).toEqual(['latest', 'v1', 'v2']);
  });

  it('sees a new tag, and one that disappeared', async () => {
    await registry.push('org/moving', ['a', 'b']);
    expect(await list({ host: registry.host, repository: 'org/moving' })).toEqual(['a', 'b']);
    await registry.remove('org/moving', ['b']);
    await registry.push('org/moving', ['c']);
    expect(await list({ host: registry.host, repository: 'org/moving' })).toEqual(['a', 'c']);
  });

  it('does not know another image', async () => {
    expect(await failure({ host: registry.host, repository: 'org/none' })).toMatchObject({
      reason: 'ImageNotFound',
      message: `the registry does not know ${registry.host}/org/none (404, NAME_UNKNOWN: Unknown name)`,
    });
  });
});

/** Pages of `size` tags over `total`. */
function pages(total: number, size: number): (path: string, host: string) => { tags: string[]; link?: string } {
  return (path) => {
    const last = Number(/last=(\d+)/.exec(path)?.[1] ?? '0');
    const tags = Array.from({ length: Math.min(size, total - last) }, (_, index) => `t${last + index}`);
    const next = last + tags.length;
    return { tags, ...(next < total ? { link: `</v2/org/app/tags/list?last=${next}&n=${size}>; rel="next"` } : {}) };
  };
}

describe('pages', () => {
  it('are all taken: 10,000 tags', async () => {
    const page = pages(10_000, 1_000);
    const { host, requests } = await startFaultyRegistry(({ path }, response) => {
      if (path === '/v2/') return json(response, 200, {});
      const { tags, link } = page(path, '');
      return json(response, 200, { name: 'org/app', tags }, link ? { link } : {});
    });
    const tags = await list({ host });
    expect([tags.length, new Set(tags).size, requests.length]).toEqual([10_000, 10_000, 11]);
  });

  it.each<[string, string, RegExp]>([
    ['that lead to themselves', '</v2/org/app/tags/list?n=1000>; rel="next"', /lead nowhere/],
    ['on another host', '<http://127.0.0.2:1/v2/org/app/tags/list>; rel="next"', /another host, 127\.0\.0\.2:1/],
    ['behind something that is no URL', '<http://[>; rel="next"', /lead nowhere/],
  ])('%s are refused', async (_, link, words) => {
    const { host } = await startFaultyRegistry(({ path }, response) =>
      json(response, 200, { tags: ['a'] }, path === '/v2/' ? {} : { link }),
    );
    expect(await failure({ host })).toMatchObject({ reason: 'RegistryFailed', message: expect.stringMatching(words) as string });
  });

  it('before this one are not taken for the next', async () => {
    const { host } = await startFaultyRegistry((_, response) =>
      json(response, 200, { tags: ['a', 'b', 'a'] }, { link: '</v2/x>; rel="prev"' }),
    );
    expect(await list({ host })).toEqual(['a', 'b']);
  });
});

/** A registry that wants a token; `tokens` are the ones that it takes. */
async function tokenRegistry(tokens: Set<string>, give: () => string | undefined): Promise<FaultyRegistry> {
  const registry: FaultyRegistry = await startFaultyRegistry(({ path, authorization }, response) => {
    if (path.startsWith('/token')) {
      const token = give();
      return token === undefined
        ? json(response, 401, { errors: [{ code: 'DENIED', message: 'bad password' }] })
        : json(response, 200, { token });
    }
    const challenge = { 'www-authenticate': `Bearer realm="http://${registry.host}/token?a=b",service="reg,istry"` };
    if (!tokens.has((authorization ?? '').replace('Bearer ', '')))
      return json(response, 401, { errors: [{ code: 'UNAUTHORIZED', message: 'no' }] }, challenge);
    if (path.includes('last=')) return json(response, 200, { tags: ['b'] });
    return json(response, 200, { tags: ['a'] }, { link: '</v2/org/app/tags/list?last=1>; rel="next"' });
  });
  return registry;
}

describe('credentials', () => {
  const secret = (host: string, password: string) => async () =>
    dockerConfig({ [`https://${host}`]: { auth: Buffer.from(`user:${password}`).toString('base64') } });

  it('are sent as they are where the registry wants Basic', async () => {
    const { host, requests } = await startFaultyRegistry(({ authorization }, response) => {
      if (authorization !== `Basic ${Buffer.from('user:right').toString('base64')}`)
        return json(response, 401, {}, { 'www-authenticate': 'Negotiate, Basic realm="x, y"' });
      return json(response, 200, { tags: ['a'] });
    });
    expect(await list({ host, config: secret(host, 'right') })).toEqual(['a']);
    expect(requests.map(({ authorization }) => authorization !== undefined)).toEqual([false, true]);
    const refused = await failure({ host, config: secret(host, 'wrong') });
    expect(refused.reason).toBe('RegistryAuthFailed');
    expect(refused.message).toContain(`the entry https://${host} of the Secret was used`);
    expect(JSON.stringify(refused)).not.toContain('wrong');
  });

  it('are exchanged for a token, with scope and service', async () => {
    const { host, requests } = await tokenRegistry(new Set(['t1']), () => 't1');
    expect(await list({ host, config: secret(host, 'pw') })).toEqual(['a', 'b']);
    const asked = requests.find(({ path }) => path.startsWith('/token'));
    expect(asked?.path).toBe('/token?a=b&scope=repository%3Aorg%2Fapp%3Apull&service=reg%2Cistry');
    expect(asked?.authorization).toBe(`Basic ${Buffer.from('user:pw').toString('base64')}`);
  });

  it('are exchanged again when the token expires between two pages', async () => {
    const tokens = new Set(['t1']);
    let given = 0;
    const { host, requests } = await tokenRegistry(tokens, () => {
      given += 1;
      tokens.clear();
      tokens.add(`t${given}`);
      return `t${given}`;
    });
    // The first token is taken back once the first page was given out.
    const expire = setInterval(
      () =>
        requests.some(({ path, authorization }) => path.includes('n=1000') && authorization === 'Bearer t1') &&
        given === 1 &&
        tokens.delete('t1'),
      0,
    );
    const tags = await list({ host, config: secret(host, 'pw') }).finally(() => clearInterval(expire));
    expect(tags).toEqual(['a', 'b']);
  });

  it('are read anew where the registry refuses them', async () => {
    const { host } = await startFaultyRegistry(({ authorization }, response) => {
      const fits = authorization === `Basic ${Buffer.from('user:new').toString('base64')}`;
      return fits ? json(response, 200, { tags: ['a'] }) : json(response, 401, {}, { 'www-authenticate': 'Basic realm="x"' });
    });
    let reads = 0;
    expect(await list({ host, config: () => secret(host, ++reads === 1 ? 'old' : 'new')() })).toEqual(['a']);
    expect(reads).toBe(2);
  });

  it('an identity token is posted, and where nobody takes it the password is used', async () => {
    const config = async (): Promise<DockerConfig> =>
      dockerConfig({ [registry.host]: { username: 'u', password: 'p', identitytoken: 'refresh' } });
    const registry: FaultyRegistry = await startFaultyRegistry(({ path, method, body, authorization }, response) => {
      if (path.startsWith('/token') && method === 'POST') {
        if (path.includes('old')) return json(response, 404, {});
        return json(response, 200, { access_token: new URLSearchParams(body).get('refresh_token') });
      }
      if (path.startsWith('/token')) return json(response, 200, { token: 'refresh' });
      const realm = `http://${registry.host}/token?${old ? 'old' : ''}`;
      if (authorization !== 'Bearer refresh') return json(response, 401, {}, { 'www-authenticate': `bearer realm="${realm}"` });
      return json(response, 200, { tags: ['a'] });
    });
    let old = false;
    expect(await list({ host: registry.host, config })).toEqual(['a']);
    old = true;
    expect(await list({ host: registry.host, config })).toEqual(['a']);
  });

  it('are tried one after the other, the most specific first', async () => {
    const { host } = await startFaultyRegistry(({ authorization }, response) => {
      const fits = authorization === `Basic ${Buffer.from('b:b').toString('base64')}`;
      return fits ? json(response, 200, { tags: ['a'] }) : json(response, 401, {}, { 'www-authenticate': 'Basic realm="x"' });
    });
    const config = async (): Promise<DockerConfig> =>
      dockerConfig({ [host]: { username: 'b', password: 'b' }, [`${host}/org`]: { username: 'a', password: 'a' } });
    expect(await list({ host, config })).toEqual(['a']);
  });

  it('say why they do not fit', async () => {
    const { host } = await startFaultyRegistry((_, response) => json(response, 401, {}, { 'www-authenticate': 'Basic realm="x"' }));
    expect((await failure({ host, config: secret('ghcr.io', 'pw') })).message).toContain(
      `no entry of the Secret fits ${host}; it has https://ghcr.io`,
    );
    expect((await failure({ host })).message).toContain('no Secret is named');
  });

  it.each([
    ['http://169.254.169.254/token', /an address of a private network/],
    ['http://[::ffff:10.0.0.1]/token', /an address of a private network/],
    ['file:///etc/passwd', /not https/],
    ['http://u:p@127.0.0.1/token', /a password in its URL/],
    ['nothing', /no URL/],
  ])('are not sent to %s', async (realm, words) => {
    const { host } = await startFaultyRegistry((_, response) => json(response, 401, {}, { 'www-authenticate': `Bearer realm="${realm}"` }));
    expect(await failure({ host, config: secret(host, 'pw') })).toMatchObject({
      reason: 'RegistryFailed',
      message: expect.stringMatching(words) as string,
    });
  });
});
