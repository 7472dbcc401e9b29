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
import { type Bundle, makeBundle } from '#test/support/bundle.ts';
import { selfSignedCertificate } from '#test/support/certificate.ts';
import { lateen } from '#test/support/lateen.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

let bundle: Bundle;
let folder: string;

beforeAll(async () => {
  bundle = await makeBundle();
  folder = await mkdtemp(join(tmpdir(), 'lateen-'));
});

afterAll(async () => {
  await bundle.remove();
  await rm(folder, { recursive: true, force: true });
});

async function bundled(program: string, args: string[]): Promise<string> {
  const command = [join(bundle.folder, `${program}.mjs`), ...args];
  const { stdout } = await promisify(execFile)(process.execPath, command, { cwd: folder, timeout: 20_000 });
  return stdout;
}

/** In bytes. Measured: 1 156, 1 252 and 1 105 KB. */
const LIMITS: Record<string, number> = { 'lateen.mjs': 1_250_000, 'lateen-agent.mjs': 1_350_000, 'lateen-webhook.mjs': 1_250_000 };

it('makes one small file per program, and the wrapper that the agent starts git with', async () => {
  const names = (await readdir(bundle.folder)).filter((name) => !name.endsWith('.map'));
  expect(names.sort()).toEqual(['group.sh', ...Object.keys(LIMITS)].sort());
  expect(await readFile(join(bundle.folder, 'group.sh'))).toEqual(await readFile(join(ROOT, 'agent/git/group.sh')));
  for (const [name, limit] of Object.entries(LIMITS)) expect((await stat(join(bundle.folder, name))).size, name).toBeLessThan(limit);
});

it.each(Object.keys(LIMITS))('has no letter in %s that would make V8 keep all of it in two bytes a letter', async (name) => {
  const text = await readFile(join(bundle.folder, name), 'utf8');
  expect(/[\u0100-\uffff]/.exec(text)?.[0]).toBeUndefined();
});

it.each(['lateen', 'lateen-agent', 'lateen-webhook'])('%s does not load what Node has and no program of ours calls', async (program) => {
  const preload = join(folder, 'loaded.cjs');
  await writeFile(
    preload,
    "process.on('exit', () => console.log('loaded', process.moduleLoadList.filter((name) => /undici/.test(name))));",
  );
  const args = ['--require', preload, join(bundle.folder, `${program}.mjs`), '--help'];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: folder, timeout: 20_000 });
  expect(stdout).toMatch(/loaded \[\]$/m);
});

it('runs lateen as from its sources', async () => {
  await writeFile(join(folder, 'map.yaml'), 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {answer: "on"}\n');
  for (const args of [['--version'], ['--help'], ['build', folder], ['build', folder, '-o', 'json']]) {
    const { status, stdout } = await lateen(args, { cwd: folder });
    expect(status).toBe(0);
    expect(await bundled('lateen', args), args.join(' ')).toBe(stdout);
  }
});

it('runs the agent and the webhook', async () => {
  expect(await bundled('lateen-agent', ['--help'])).toContain('--min-interval');
  expect(await bundled('lateen-webhook', ['--help'])).toContain('--kubeconfig');
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
