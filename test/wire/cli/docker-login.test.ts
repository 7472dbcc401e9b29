import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseImage } from '#api/image/reference.ts';
import { dockerLogin } from '#cli/docker-login.ts';
import { json, startFaultyRegistry } from '#test/support/registry-faults.ts';
import { lateen, type Ran } from '#test/support/lateen.ts';

const RIGHT = Buffer.from('alice:s3cret-word').toString('base64');

let folder: string;
let made = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lateen-login-'));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** A folder with a config.json, and a program docker-credential-test beside it. */
async function home(config: unknown, helper = 'exit 9'): Promise<{ folder: string; env: Record<string, string> }> {
  const place = join(folder, String(++made));
  await mkdir(join(place, '.docker'), { recursive: true });
  await writeFile(join(place, '.docker/config.json'), typeof config === 'string' ? config : JSON.stringify(config));
  await writeFile(join(place, 'docker-credential-test'), `#!/bin/sh\n${helper}\n`);
  await chmod(join(place, 'docker-credential-test'), 0o755);
  return { folder: place, env: { PATH: `${place}:${process.env['PATH']}`, HOME: place } };
}

/** A registry that lets Alice in alone. */
async function privateRegistry(): Promise<string> {
  const registry = await startFaultyRegistry(({ authorization }, response) => {
    if (authorization === `Basic ${RIGHT}`) json(response, 200, { name: 'org/app', tags: ['1.0.0', '1.2.0'] });
    else json(response, 401, { errors: [{ code: 'UNAUTHORIZED' }] }, { 'www-authenticate': 'Basic realm="x"' });
  });
  return registry.host;
}

function latest(host: string, env: Record<string, string>): Promise<Ran> {
  return lateen(['image', 'latest', '--policy', 'semver:1.x', '--image', `${host}/org/app`], { env });
}

const KNOWS = 'read server; echo "{\\"ServerURL\\":\\"$server\\",\\"Username\\":\\"alice\\",\\"Secret\\":\\"s3cret-word\\"}"';
const NOTHING = 'cat >/dev/null; echo "credentials not found in native keychain"; exit 1';

it.each<[string, (host: string) => unknown, string | undefined]>([
  ['the file', (host) => ({ auths: { [host]: { auth: RIGHT } } }), undefined],
  ['the helper of the registry', (host) => ({ auths: { [host]: {} }, credHelpers: { [host]: 'test', 'ghcr.io': 'other' } }), KNOWS],
  ['the helper of all', () => ({ credsStore: 'test' }), KNOWS],
  ['the file, where the helper has nothing', (host) => ({ auths: { [host]: { auth: RIGHT } }, credsStore: 'test' }), NOTHING],
])('lateen image latest is let in by %s', async (_, configOf, helper) => {
  const host = await privateRegistry();
  const { env } = await home(configOf(host), helper);
  expect(await latest(host, env)).toEqual({ status: 0, stdout: '1.2.0\n', stderr: '' });
});

it('reads the file in DOCKER_CONFIG where that is set', async () => {
  const host = await privateRegistry();
  const { folder: place } = await home({ auths: { [host]: { auth: RIGHT } } });
  expect(await latest(host, { DOCKER_CONFIG: join(place, '.docker') })).toMatchObject({ status: 0, stdout: '1.2.0\n' });
});

it('without a login says which file has none, and what to do', async () => {
  const host = await privateRegistry();
  const { folder: place, env } = await home({ auths: { 'ghcr.io': { auth: RIGHT } } });
  const { status, stderr } = await latest(host, env);
  expect(status).toBe(3);
  expect(stderr).toContain(`no entry of ${place}/.docker/config.json fits ${host}; it has ghcr.io`);
  expect(stderr).toContain(`docker login ${host}`);
});

it.each<[string, unknown, string | undefined, string]>([
  ['a file that is not JSON', '{"auths": s3cret-word', undefined, 'config.json is not JSON'],
  ['an entry without a password', { auths: { 'ghcr.io': { auth: 'czNjcmV0LXdvcmQ=' } } }, undefined, 'is not base64 of user:password'],
  ['a helper that is a path', { credsStore: '../s3cret-word' }, undefined, 'cannot be the name of a program'],
  ['a helper that is not there', { credsStore: 'absent' }, undefined, 'docker-credential-absent, which keeps what docker login was told'],
  ['a helper that fails', { credsStore: 'test' }, 'echo s3cret-word; echo locked >&2; exit 3', 'it ended with 3: locked'],
  [
    'a helper that says something else',
    { credsStore: 'test' },
    'cat >/dev/null; echo s3cret-word',
    'something else than a name and a secret',
  ],
])('%s is told, without what is secret', async (_, config, helper, says) => {
  const host = await privateRegistry();
  const { status, stdout, stderr } = await latest(host, (await home(config, helper)).env);
  expect([status, stdout]).toEqual([3, '']);
  expect(stderr).toContain(says);
  expect(stderr.replaceAll('../s3cret-word', '')).not.toContain('s3cret-word');
});

it('does not wait for ever for a helper', async () => {
  const image = parseImage('ghcr.io/org/app');
  if ('problem' in image) throw new Error('not an image');
  const { folder: cwd, env } = await home({ credsStore: 'test' }, 'exec sleep 30');
  const begun = performance.now();
  await expect(dockerLogin({ cwd, env }, image.image, 300)).rejects.toThrow('it took longer than 0.3 s');
  expect(performance.now() - begun).toBeLessThan(10_000);
});

it('asks a helper for the hub by the name that Docker has for it, and knows a token', async () => {
  const image = parseImage('nginx');
  if ('problem' in image) throw new Error('not an image');
  const helper = 'read server; [ "$server" = https://index.docker.io/v1/ ] && echo \'{"Username":"<token>","Secret":"t"}\'';
  const { folder: cwd, env } = await home({ credHelpers: { 'docker.io': 'test' } }, helper);
  const { entries } = await dockerLogin({ cwd, env }, image.image);
  expect(entries).toEqual([{ key: image.image.registry, identityToken: 't' }]);
});
