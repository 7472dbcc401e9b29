import { describe, expect, it } from 'vitest';
import { listTags } from '#agent/image/registry.ts';
import { parseImage } from '#api/image/reference.ts';
import { systemClock } from '#core/clock.ts';
import { selfSignedCertificate } from '#test/support/certificate.ts';
import { json, startFaultyRegistry } from '#test/support/registry-faults.ts';
import { failure, list, naps } from '#test/support/registry-list.ts';

describe('a registry in trouble', () => {
  it('is asked again soon, and not for long', async () => {
    naps.length = 0;
    const { host, requests } = await startFaultyRegistry((_, response) =>
      json(response, 503, { errors: [{ code: 'X', message: 'down' }] }),
    );
    expect(await failure({ host })).toMatchObject({ reason: 'RegistryFailed', message: expect.stringContaining('503') as string });
    expect([requests.length, naps]).toEqual([3, [1_000, 2_000]]);
  });

  it('says for how long to wait', async () => {
    const { host, requests } = await startFaultyRegistry((_, response) => json(response, 429, {}, { 'retry-after': '120' }));
    expect(await failure({ host })).toMatchObject({ reason: 'RateLimited', retryAfterMs: 120_000 });
    expect(requests).toHaveLength(1);
  });

  it('recovers after a short wait that it asks for', async () => {
    naps.length = 0;
    let asked = 0;
    const { host } = await startFaultyRegistry((_, response) =>
      ++asked === 2 ? json(response, 429, {}, { 'retry-after': '2' }) : json(response, 200, { tags: ['a'] }),
    );
    expect(await list({ host })).toEqual(['a']);
    expect(naps).toEqual([2_000]);
  });

  it('may not send for ever', async () => {
    const { host } = await startFaultyRegistry(({ path }, response) => {
      if (path === '/v2/') return json(response, 200, {});
      response.writeHead(200);
      const chunk = Buffer.alloc(1024 * 1024, 'a');
      const more = (): void => void (response.destroyed || response.write(chunk, more));
      return more();
    });
    expect(await failure({ host })).toMatchObject({ reason: 'TooLarge', message: expect.stringContaining('8388608 bytes') as string });
  });

  it('that never answers ends with the deadline', async () => {
    const { host } = await startFaultyRegistry(() => undefined);
    await expect(list({ host, timeoutMs: 300 })).rejects.toMatchObject({ name: 'TimeoutError' });
  });

  it.each<[string, string, RegExp]>([
    ['no JSON', '<html>', /not JSON/],
    ['no list', '{"tags": 5}', /no list/],
  ])('that answers with %s', async (_, body, words) => {
    const { host } = await startFaultyRegistry((_request, response) => response.writeHead(200).end(body));
    expect(await failure({ host })).toMatchObject({ reason: 'RegistryFailed', message: expect.stringMatching(words) as string });
  });

  it('that has no tags is no failure', async () => {
    const { host } = await startFaultyRegistry((_, response) => json(response, 200, { tags: null }));
    expect(await list({ host })).toEqual([]);
  });

  it('that redirects is not followed', async () => {
    const { host } = await startFaultyRegistry((_, response) => json(response, 302, {}, { location: 'http://169.254.169.254/' }));
    expect(await failure({ host })).toMatchObject({
      reason: 'RegistryFailed',
      message: expect.stringContaining('redirects are not followed') as string,
    });
  });

  it('that cuts the connection, or is not there', async () => {
    const { host } = await startFaultyRegistry((_, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('{"tags"');
      setTimeout(() => response.destroy(), 20);
    });
    expect(await failure({ host })).toMatchObject({ reason: 'RegistryUnreachable' });
    expect(await failure({ host: '127.0.0.1:1' })).toMatchObject({
      reason: 'RegistryUnreachable',
      message: expect.stringContaining('ECONNREFUSED') as string,
    });
  });
});

describe('TLS', () => {
  it('is trusted by the ca.crt of the Secret alone', async () => {
    const { key, cert } = selfSignedCertificate();
    const { host } = await startFaultyRegistry((_, response) => json(response, 200, { tags: ['a'] }), { key, cert });
    expect(await failure({ host })).toMatchObject({ reason: 'TLSFailed', remedy: expect.stringContaining('ca.crt') as string });
    expect(await list({ host, config: async () => ({ entries: [], ca: cert }) })).toEqual(['a']);
  });

  it('is not given up for plain http on a host that is not named', async () => {
    const { host } = await startFaultyRegistry((_, response) => json(response, 200, { tags: ['a'] }));
    const port = host.split(':')[1]!;
    const parsed = parseImage(`registry.test:${port}/org/app`);
    const request = {
      image: 'image' in parsed ? { ...parsed.image, registry: `0x7f000001:${port}` } : undefined!,
      signal: AbortSignal.timeout(5_000),
    };
    const options = { userAgent: 'x', clock: systemClock };
    await expect(listTags(request, { ...options, insecureRegistries: [] })).rejects.toMatchObject({
      reason: 'RegistryUnreachable',
      remedy: expect.stringContaining('insecure-registries') as string,
    });
    expect(await listTags(request, { ...options, insecureRegistries: [`0x7f000001:${port}`] })).toEqual(['a']);
  });
});
