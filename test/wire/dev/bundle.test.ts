import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { selfSignedCertificate } from '#test/support/certificate.ts';
import { lateen } from '#test/support/lateen.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const run = promisify(execFile);

let folder: string;
let dist: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lateen-bundle-'));
  dist = join(folder, 'dist');
  await run(process.execPath, ['--disable-warning=ExperimentalWarning', join(ROOT, 'dev/bundle.ts'), dist]);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** Far from the checkout: a bundle that still needs a file or a package of it fails here. */
async function bundled(program: string, args: string[]): Promise<string> {
  const { stdout } = await run(process.execPath, [join(dist, `${program}.mjs`), ...args], { cwd: folder, timeout: 20_000 });
  return stdout;
}

it('makes one small file per program, and the wrapper that the agent starts git with', async () => {
  expect(await readdir(dist)).toEqual(expect.arrayContaining(['group.sh', 'lateen.mjs', 'lateen-agent.mjs']));
  expect(await readFile(join(dist, 'group.sh'))).toEqual(await readFile(join(ROOT, 'agent/git/group.sh')));
  for (const name of (await readdir(dist)).filter((name) => name.endsWith('.mjs'))) {
    // Measured: 590 and 670 KB. With all of @kubernetes/client-node and undici it would be 2 500.
    expect((await stat(join(dist, name))).size, name).toBeLessThan(1_500_000);
  }
});

it('runs lateen as from its sources', async () => {
  await writeFile(join(folder, 'map.yaml'), 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {answer: "on"}\n');
  for (const args of [['--version'], ['--help'], ['build', folder], ['build', folder, '-o', 'json']]) {
    const { status, stdout } = await lateen(args, { cwd: folder });
    expect(status).toBe(0);
    expect(await bundled('lateen', args), args.join(' ')).toBe(stdout);
  }
});

it('runs the agent', async () => {
  expect(await bundled('lateen-agent', ['--help'])).toContain('--min-interval');
});

it('reads a kubeconfig with a credential plugin, which most of client-node was left out for', async () => {
  const { cert, key } = selfSignedCertificate();
  const tokens: unknown[] = [];
  const server = createServer({ cert, key }, (request, response) => {
    tokens.push(request.headers.authorization);
    response.writeHead(403, { 'content-type': 'application/json' }).end('{"kind":"Status","message":"nobody"}');
  });
  onTestFinished(() => void server.close());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const credential = { apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status: { token: 'from-plugin' } };
  const exec = { apiVersion: credential.apiVersion, command: 'echo', args: [JSON.stringify(credential)], interactiveMode: 'Never' };
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const kubeconfig = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'here', cluster: { server: url, 'certificate-authority-data': Buffer.from(cert).toString('base64') } }],
    users: [{ name: 'me', user: { exec } }],
    contexts: [{ name: 'main', context: { cluster: 'here', user: 'me' } }],
    'current-context': 'main',
  };
  await writeFile(join(folder, 'kubeconfig'), JSON.stringify(kubeconfig));
  await expect(bundled('lateen', ['ls', '--kubeconfig', join(folder, 'kubeconfig')])).rejects.toThrow('Command failed');
  expect(new Set(tokens)).toEqual(new Set(['Bearer from-plugin']));
});
