import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { VERSION } from '#agent/version.ts';
import { type ImageConfig, imageConfig } from '#dev/kubelet/image.ts';
import { confined, findSandbox, relocated, type Sandbox } from '#dev/kubelet/sandbox.ts';
import { FILE_LIST, makeRootfs, type RootfsFile } from '#dev/rootfs.ts';

const run = promisify(execFile);
const CHECKOUT = fileURLToPath(new URL('../../../', import.meta.url));
const DEADLINE_MS = 60_000;
/** Bytes. Node alone is 125 MB, kustomize 16. */
const LARGEST = 160 * 1024 * 1024;

let folder: string;
let rootfs: string;
let files: RootfsFile[];
let image: ImageConfig;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lateen-'));
  rootfs = join(folder, 'rootfs');
  files = await makeRootfs(rootfs);
  image = await imageConfig();
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe('make rootfs', () => {
  it('holds the programs, what they need, and nothing else', () => {
    const bin = ['kustomize', 'lateen', 'lateen-agent', 'lateen-webhook', 'node'].map((name) => `/usr/local/bin/${name}`);
    const lib = ['group.sh', 'lateen-agent.mjs', 'lateen-webhook.mjs', 'lateen.mjs'].map((name) => `/usr/local/lib/lateen/${name}`);
    expect(files.map(({ path }) => path)).toEqual([...bin, ...lib, '/usr/local/share/lateen/LICENSE']);
    for (const { path, mode } of files) expect(mode, path).toBe(path.includes('/bin/') ? '755' : '644');
    expect(bytesIn(files)).toBeLessThan(LARGEST);
  });

  it('is as large as docs/install.md says', async () => {
    const [, megabytes] = /^Its own files are (\d+) MB/m.exec(await readFile(join(CHECKOUT, 'docs/install.md'), 'utf8')) ?? [];
    expect(Math.abs(bytesIn(files) / 1024 / 1024 - Number(megabytes))).toBeLessThan(5);
  });

  it('makes the same files from what the Dockerfile gets, and lists them', { timeout: DEADLINE_MS }, async () => {
    const context = join(folder, 'context');
    await copyBuildContext(context);
    const again = join(folder, 'again');
    const args = ['--disable-warning=ExperimentalWarning', join(context, 'dev/rootfs.ts'), again];
    const { stdout } = await run(process.execPath, args, { cwd: context, timeout: DEADLINE_MS });
    expect(stdout).toContain(`${files.length} files`);
    const listed = JSON.parse(await readFile(join(again, FILE_LIST), 'utf8')) as { files: RootfsFile[] };
    expect(listed.files.map(comparable)).toEqual(files.map(comparable));
    for (const program of ['lateen', 'lateen-agent', 'lateen-webhook'])
      expect((await run(join(again, 'usr/local/bin', program), ['--version'])).stdout).toBe(`${VERSION}\n`);
  });
});

function bytesIn(all: readonly RootfsFile[]): number {
  return all.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** A bundle holds the paths of its packages, and here those lead out of the folder. */
function comparable({ path, mode, sha256 }: RootfsFile): string {
  return path.endsWith('.mjs') ? `${path} ${mode}` : `${path} ${mode} ${sha256}`;
}

/** What .dockerignore lets through, as a container engine would see it. */
async function copyBuildContext(to: string): Promise<void> {
  const lines = (await readFile(join(CHECKOUT, '.dockerignore'), 'utf8'))
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  expect(lines[0]).toBe('*');
  await mkdir(to);
  for (const line of lines.slice(1)) {
    expect(line.startsWith('!')).toBe(true);
    await cp(join(CHECKOUT, line.slice(1)), join(to, line.slice(1)), { recursive: true });
  }
  // The Dockerfile installs them itself.
  await symlink(join(CHECKOUT, 'node_modules'), join(to, 'node_modules'));
}

describe('the Dockerfile', () => {
  it('takes the files of make rootfs and nothing else of Lateen', async () => {
    const lines = (await readFile(join(CHECKOUT, 'Dockerfile'), 'utf8')).split('\n');
    const last = lines.slice(lines.findLastIndex((line) => line.startsWith('FROM ')));
    expect(lines).toContain('RUN make rootfs OUT=/rootfs');
    expect(last.filter((line) => line.startsWith('COPY'))).toEqual(['COPY --from=build /rootfs/ /']);
    for (const program of ['git', 'openssh-client', 'tini', 'ca-certificates'])
      expect(last.join('\n')).toMatch(new RegExp(`install.* ${program}\\b`));
  });

  it('runs as a user without rights, under an init', () => {
    expect(image).toEqual({ path: '/usr/local/bin:/usr/bin:/bin', uid: 65532, gid: 65532, entrypoint: ['tini', '--'] });
  });
});

/** Runs a command as a container with the image's files and one mounted folder, and prints. */
async function contained(sandbox: Sandbox, argv: string[], readOnlyRoot = true): Promise<string> {
  const source = await mkdtemp(join(folder, 'mount-'));
  await writeFile(join(source, 'token'), 'the token');
  const mounts = [{ name: 'token', mountPath: '/var/run/secrets/kubernetes.io/serviceaccount', source, readOnly: true }];
  const input = { plan: { argv, env: { PATH: image.path, HOME: '/' }, mounts, readOnlyRoot }, image, rootfs };
  const { argv: command, env } = await sandbox({ ...input, folder: await mkdtemp(join(folder, 'container-')) });
  const ran = await run(command[0]!, command.slice(1), { env, timeout: DEADLINE_MS });
  return ran.stdout;
}

describe('a container on this machine', () => {
  it.each([
    ['beside the files of this machine', relocated],
    ['as well as this machine can', (input) => findSandbox(image, rootfs).then(({ sandbox }) => sandbox(input))],
  ] satisfies [string, Sandbox][])('%s runs the programs of the image and sees what is mounted', async (_name, sandbox) => {
    for (const program of ['lateen', 'lateen-agent', 'lateen-webhook'])
      expect(await contained(sandbox, ['tini', '--', program, '--version'])).toBe(`${VERSION}\n`);
    expect(await contained(sandbox, ['git', '--version'])).toContain('git version');
    expect(await contained(sandbox, ['cat', '/var/run/secrets/kubernetes.io/serviceaccount/token'])).toBe('the token');
  });

  it('is confined where this machine allows it: no write into the image, no rights, no name of another user', async () => {
    const found = await findSandbox(image, rootfs);
    // Without namespaces there is nothing to see; then the other way is taken.
    if (!found.confined) return;
    const script =
      'id -u; for f in / /etc /usr /usr/local/bin /var/run/secrets/kubernetes.io/serviceaccount; do touch $f/x 2>/dev/null && echo $f; done; grep CapEff /proc/self/status';
    expect(await contained(confined, ['sh', '-c', script])).toBe('65532\nCapEff:\t0000000000000000\n');
    expect(await contained(confined, ['sh', '-c', 'command -v node; ls /tmp 2>&1 || true'])).toMatch(
      /^\/usr\/local\/bin\/node\n.*No such file/,
    );
  });
});
