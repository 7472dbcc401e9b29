import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findPrograms, type ProgramOptions, ProgramsMissing, programs } from '#dev/programs.ts';

const run = promisify(execFile);

/** What stands in for a program: it says the version that is wanted. */
const scriptOf = (printed: string): string => `#!/bin/sh\necho '${printed}'\n`;
const sha256 = (bytes: Buffer | string): string => createHash('sha256').update(bytes).digest('hex');

let folder: string;
let servers: Server[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lateen-'));
  servers = [];
});

afterEach(async () => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
  await rm(folder, { recursive: true, force: true });
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Answers with the files by path, 404 for others, and writes down what was asked for. */
function files(content: Record<string, Buffer | string>, asked: string[] = []): RequestListener {
  return (request, response) => {
    asked.push(request.url!);
    const body = content[request.url!];
    response.writeHead(body === undefined ? 404 : 200).end(body);
  };
}

/** A port on which nobody listens. */
async function closedPort(): Promise<string> {
  const base = await serve(() => undefined);
  const server = servers.pop()!;
  await new Promise((resolve) => server.close(resolve));
  return base;
}

function options(host: string, more: Partial<ProgramOptions> = {}): ProgramOptions & { lines: string[] } {
  const lines: string[] = [];
  return {
    env: { PATH: join(folder, 'empty'), XDG_CACHE_HOME: join(folder, 'cache'), HOME: folder },
    hosts: { kubernetes: host, github: host, helm: host },
    limits: { connectMs: 1_000, silenceMs: 300 },
    build: false,
    log: (line) => lines.push(line),
    lines,
    ...more,
  };
}

const KUBECTL = scriptOf('Client Version: v1.35.4');
const arch = process.arch === 'x64' ? 'amd64' : process.arch;
const KUBECTL_PATH = `/release/v1.35.4/bin/${process.platform}/${arch}/kubectl`;
const cachedKubectl = (): string => join(folder, 'cache/lateen/programs/kubectl-v1.35.4/kubectl');

async function problemOf(asked: Promise<unknown>): Promise<ProgramsMissing> {
  const error = await asked.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(ProgramsMissing);
  return error as ProgramsMissing;
}

describe('a download', () => {
  it('with the right sum is taken into the cache and used from there', async () => {
    const asked: string[] = [];
    const host = await serve(files({ [KUBECTL_PATH]: KUBECTL, [`${KUBECTL_PATH}.sha256`]: sha256(KUBECTL) }, asked));
    const first = options(host);
    expect(await findPrograms(['kubectl'], first)).toEqual([
      { name: 'kubectl', path: cachedKubectl(), version: 'v1.35.4', source: 'download' },
    ]);
    expect(first.lines[0]).toMatch(/^kubectl v1\.35\.4: downloading from 127\.0\.0\.1/);
    expect(first.lines[1]).toMatch(/^kubectl v1\.35\.4: downloaded and checked in \d+ s$/);
    expect(asked).toEqual([`${KUBECTL_PATH}.sha256`, KUBECTL_PATH]);

    expect(await findPrograms(['kubectl'], options(host))).toMatchObject([{ path: cachedKubectl(), source: 'cache' }]);
    expect(asked).toHaveLength(2);
    expect(await readdir(join(folder, 'cache/lateen/programs/.work'))).toEqual([]);
  });

  it('with a wrong sum is refused and leaves nothing in the cache', async () => {
    const host = await serve(files({ [KUBECTL_PATH]: KUBECTL, [`${KUBECTL_PATH}.sha256`]: sha256('something else') }));
    const { message, names } = await problemOf(programs(['kubectl'], options(host)));
    expect(names).toEqual(['kubectl']);
    expect(message).toContain(`has the SHA-256 sum ${sha256(KUBECTL)}, its publisher says ${sha256('something else')}: it is not used`);
    await expect(readFile(cachedKubectl())).rejects.toThrow('ENOENT');
  });

  it('without a sum is not asked for', async () => {
    const asked: string[] = [];
    const host = await serve(files({ [KUBECTL_PATH]: KUBECTL }, asked));
    const { message } = await problemOf(programs(['kubectl'], options(host)));
    expect(message).toContain(`${KUBECTL_PATH}.sha256: answered 404`);
    expect(asked).toEqual([`${KUBECTL_PATH}.sha256`]);
  });

  it('that does not run here is refused', async () => {
    const broken = scriptOf('nothing to say');
    const host = await serve(files({ [KUBECTL_PATH]: broken, [`${KUBECTL_PATH}.sha256`]: sha256(broken) }));
    const { message } = await problemOf(programs(['kubectl'], options(host)));
    expect(message).toContain('what came as kubectl does not run here');
    await expect(readFile(cachedKubectl())).rejects.toThrow('ENOENT');
  });

  it('is unpacked from an archive whose sum stands in a list', async () => {
    const name = `etcd-v3.6.8-${process.platform}-${arch}`;
    await mkdir(join(folder, name));
    await writeFile(join(folder, name, 'etcd'), scriptOf('etcd Version: 3.6.8'), { mode: 0o755 });
    await run('tar', ['-czf', join(folder, 'etcd.tar.gz'), '-C', folder, name]);
    const archive = await readFile(join(folder, 'etcd.tar.gz'));
    const release = '/etcd-io/etcd/releases/download/v3.6.8';
    const sums = `${sha256('other')}  etcd-v3.6.8-plan9-amd64.tar.gz\n${sha256(archive)}  ${name}.tar.gz\n`;
    const storage = await serve(files({ '/storage': archive }));
    const host = await serve((request, response) => {
      if (request.url === `${release}/SHA256SUMS`) response.end(sums);
      else response.writeHead(302, { location: `${storage}/storage` }).end();
    });
    const [found] = await findPrograms(['etcd'], options(host));
    expect(found).toMatchObject({ version: 'v3.6.8', source: 'download' });
    expect((await run(found!.path)).stdout).toBe('etcd Version: 3.6.8\n');
  });
});

describe('a host', () => {
  it('that is silent is given up, and not asked again', async () => {
    let requests = 0;
    const host = await serve(() => {
      requests += 1;
    });
    const begun = performance.now();
    const { message } = await problemOf(programs(['kubectl', 'kube-apiserver', 'kube-scheduler'], options(host)));
    expect(performance.now() - begun).toBeLessThan(3_000);
    expect(requests).toBe(1);
    expect(message).toContain('silent for 0.3 s');
    expect(message).toMatch(/kube-apiserver v1\.35\.4\n.*\n {4}download: .*: not asked, since 127\.0\.0\.1:\d+ failed before/);
  });

  it('that stops in the middle is given up', async () => {
    const host = await serve((request, response) => {
      if (request.url?.endsWith('.sha256')) return void response.end(sha256(KUBECTL));
      response.writeHead(200, { 'content-length': '1000' });
      response.write('#!/bin/sh\n');
    });
    const { message } = await problemOf(programs(['kubectl'], options(host)));
    expect(message).toContain(`${KUBECTL_PATH}: `);
    await expect(readFile(cachedKubectl())).rejects.toThrow('ENOENT');
  });

  it('that refuses connections is given up at once', async () => {
    const begun = performance.now();
    const { message } = await problemOf(programs(['kubectl', 'helm'], options(await closedPort())));
    expect(performance.now() - begun).toBeLessThan(3_000);
    expect(message).toContain('ECONNREFUSED');
  });

  it('that has not got the file may still have another', async () => {
    const path = KUBECTL_PATH.replace('kubectl', 'kube-scheduler');
    const script = scriptOf('Kubernetes v1.35.4');
    const host = await serve(files({ [path]: script, [`${path}.sha256`]: sha256(script) }));
    const { message, names } = await problemOf(programs(['kubectl', 'kube-scheduler'], options(host)));
    expect(names).toEqual(['kubectl']);
    expect(message).toContain('answered 404');
  });
});

describe('an installed program', () => {
  async function install(name: string, printed: string): Promise<string> {
    const bin = await mkdtemp(join(folder, 'bin-'));
    await writeFile(join(bin, name), scriptOf(printed));
    await chmod(join(bin, name), 0o755);
    return bin;
  }

  it('is taken from the first folder whose version fits', async () => {
    const old = await install('kubectl', 'Client Version: v1.30.0');
    const good = await install('kubectl', 'Client Version: v1.34.2');
    const path = `${old}:${good}`;
    const found = await findPrograms(['kubectl'], options(await closedPort(), { env: { PATH: path, HOME: folder } }));
    expect(found).toEqual([{ name: 'kubectl', path: join(good, 'kubectl'), version: 'v1.34.2', source: 'PATH' }]);
  });

  it('is taken from KUBEBUILDER_ASSETS before PATH, each program by itself', async () => {
    const assets = await install('kubectl', 'Client Version: v1.35.1');
    const bin = await install('helm', 'v3.19.2+g1234567');
    const env = { PATH: bin, KUBEBUILDER_ASSETS: assets, HOME: folder };
    expect(await findPrograms(['helm', 'kubectl'], options(await closedPort(), { env }))).toEqual([
      { name: 'helm', path: join(bin, 'helm'), version: 'v3.19.2+g1234567', source: 'PATH' },
      { name: 'kubectl', path: join(assets, 'kubectl'), version: 'v1.35.1', source: 'KUBEBUILDER_ASSETS' },
    ]);
  });

  it('of a version that does not fit is named, with what would fit', async () => {
    const bin = await install('kubectl', 'Client Version: v1.32.4-dispatcher');
    const env = { PATH: bin, XDG_CACHE_HOME: join(folder, 'cache') };
    const { message } = await problemOf(programs(['kubectl'], options(await closedPort(), { env })));
    expect(message).toContain(`${join(bin, 'kubectl')} is v1.32.4-dispatcher (wanted: v1.34 to v1.36)`);
  });
});

it('says what to install where neither download nor go is there', async () => {
  const env = { PATH: join(folder, 'empty'), XDG_CACHE_HOME: join(folder, 'cache') };
  const { message } = await problemOf(programs(['kwok', 'kubectl'], options(await closedPort(), { env, build: true })));
  expect(message.replace(/127\.0\.0\.1:\d+/g, 'HOST').split('\n')).toEqual([
    'These programs could not be had:',
    '  kwok v0.7.0',
    '    installed: not in PATH or KUBEBUILDER_ASSETS',
    '    download: its publisher puts no checksum beside it, so it is only built',
    '    build: go is not installed',
    '  kubectl v1.35.4',
    '    installed: not in PATH or KUBEBUILDER_ASSETS',
    expect.stringMatching(/^ {4}download: http:\/\/HOST\/release\/.*ECONNREFUSED/),
    '    build: go is not installed',
    expect.stringMatching(/^What to do: install Go 1\.25 or newer \(https:\/\/go\.dev\/dl\), or .*PATH or KUBEBUILDER_ASSETS\./),
  ]);
});

it('says that go is too old', async () => {
  const bin = join(folder, 'go-bin');
  await mkdir(bin);
  await writeFile(join(bin, 'go'), scriptOf('go1.19.8'), { mode: 0o755 });
  const env = { PATH: bin, XDG_CACHE_HOME: join(folder, 'cache') };
  const { message } = await problemOf(programs(['kwok'], options(await closedPort(), { env, build: true })));
  expect(message).toContain('build: go1.19.8 is too old (wanted: go 1.25 or newer)');
});

it('shows the end of what go said where a build fails', async () => {
  const bin = join(folder, 'go-bin');
  await mkdir(bin);
  const go = '#!/bin/sh\n[ "$1" = env ] && echo go1.26.1 && exit\necho "cannot find module $*" >&2\nexit 1\n';
  await writeFile(join(bin, 'go'), go, { mode: 0o755 });
  const env = { PATH: bin, XDG_CACHE_HOME: join(folder, 'cache') };
  const { message } = await problemOf(programs(['kwok'], options(await closedPort(), { env, build: true })));
  expect(message).toContain('build: go install sigs.k8s.io/kwok/cmd/kwok@v0.7.0 failed:\n      cannot find module install -trimpath');
  expect(await readdir(join(folder, 'cache/lateen/programs/.work'))).toEqual([]);
});

it('lets two checkouts fill the cache at once', async () => {
  const host = await serve(files({ [KUBECTL_PATH]: KUBECTL, [`${KUBECTL_PATH}.sha256`]: sha256(KUBECTL) }));
  const both = await Promise.all([1, 2, 3].map(() => programs(['kubectl'], options(host))));
  expect(both).toEqual(Array.from({ length: 3 }, () => ({ kubectl: cachedKubectl() })));
  expect(await readFile(cachedKubectl(), 'utf8')).toBe(KUBECTL);
});
