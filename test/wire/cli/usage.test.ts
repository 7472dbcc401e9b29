import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lateen } from '#test/support/lateen.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lateen-'));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

async function kubeconfig(server: string): Promise<string> {
  const file = join(folder, 'kubeconfig');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'one',
    contexts: [{ name: 'one', context: { cluster: 'one', user: 'one' } }],
    clusters: [{ name: 'one', cluster: { server } }],
    users: [{ name: 'one', user: {} }],
  };
  await writeFile(file, JSON.stringify(config));
  return file;
}

/** A port where nothing listens. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe('wrong usage', () => {
  it.each([
    [['lss'], "lateen: unknown command 'lss'\n(Did you mean ls?)\nlateen --help lists the commands.\n"],
    [['ls', '--foo'], "lateen: unknown option '--foo'\nlateen ls --help shows how it is used.\n"],
    [
      ['ls', '--all-namespace'],
      "lateen: unknown option '--all-namespace'\n(Did you mean --all-namespaces?)\nlateen ls --help shows how it is used.\n",
    ],
    [['status'], "lateen: missing required argument 'app'\nlateen status --help shows how it is used.\n"],
    [
      ['status', 'a', 'b'],
      "lateen: too many arguments for 'status'. Expected 1 argument but got 2: a, b.\nlateen status --help shows how it is used.\n",
    ],
    [
      ['ls', '-o', 'xml'],
      "lateen: option '-o, --output <format>' argument 'xml' is invalid. Allowed choices are table, json, yaml.\nlateen ls --help shows how it is used.\n",
    ],
    [
      ['diff', 'a', 'v1', 'v2', 'v3'],
      "lateen: too many arguments for 'diff'. Expected 3 arguments but got 4: a, v1, v2, v3.\nlateen diff --help shows how it is used.\n",
    ],
    [['publish', 'a'], 'lateen: --version is missing; write the new publishVersion: lateen publish a --version VERSION\n'],
    [['wait', 'a'], 'lateen: one of --commit and --version is needed; write lateen wait a --commit SHA\n'],
    [['wait', 'a', '--commit', 'main'], 'lateen: --commit: received "main"; write the id of a commit, seven digits or more\n'],
    [['reconcile', 'a', '--timeout', '1d'], 'lateen: --timeout: received "1d"; write a Go duration such as 60s or 5m\n'],
  ])('%j is answered with the remedy', async (args, stderr) => {
    expect(await lateen(args)).toEqual({ status: 2, stdout: '', stderr });
  });

  it('shows the help without a command', async () => {
    const { status, stdout, stderr } = await lateen([]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(/^Usage: lateen /);
  });
});

describe('help', () => {
  const commands = [
    'ls',
    'status',
    'reconcile',
    'build',
    'render',
    'revision list',
    'revision get',
    'diff',
    'publish',
    'rollback',
    'resume',
    'wait',
  ];
  it.each(commands)('of %s shows examples', async (command) => {
    const { status, stdout, stderr } = await lateen([...command.split(' '), '--help']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain(`\nExamples:\n  `);
    expect(stdout).toContain('--kubeconfig <file>');
  });

  it('prints the version of the package', async () => {
    expect(await lateen(['--version'])).toEqual({ status: 0, stdout: '0.1.0\n', stderr: '' });
  });
});

describe('no cluster', () => {
  it('names the kubeconfig that is not there', async () => {
    const stderr = 'lateen: there is no kubeconfig /nonexistent/config; pass --kubeconfig FILE, or set KUBECONFIG\n';
    expect(await lateen(['ls', '--kubeconfig', '/nonexistent/config'])).toEqual({ status: 3, stdout: '', stderr });
    expect(await lateen(['ls'], { env: { KUBECONFIG: '/nonexistent/config' } })).toEqual({ status: 3, stdout: '', stderr });
  });

  it('says that there is no kubeconfig at all', async () => {
    const stderr = 'lateen: there is no kubeconfig: KUBECONFIG is not set and ~/.kube/config does not exist; pass --kubeconfig FILE\n';
    expect(await lateen(['ls'])).toEqual({ status: 3, stdout: '', stderr });
  });

  it('says in one line that a kubeconfig cannot be read', async () => {
    const file = join(folder, 'broken');
    await writeFile(file, 'a: [b');
    const { status, stderr } = await lateen(['ls', '--kubeconfig', file]);
    expect(status).toBe(3);
    expect(stderr.split('\n')).toEqual([expect.stringContaining(`the kubeconfig ${file} cannot be read`), '']);
  });

  it('names the contexts that there are', async () => {
    const file = await kubeconfig('https://127.0.0.1:1');
    const { status, stderr } = await lateen(['ls', '--kubeconfig', file, '--context', 'two']);
    expect(status).toBe(3);
    expect(stderr).toBe(
      `lateen: the kubeconfig ${file} has no context "two"; it has one; pass --kubeconfig FILE and, if needed, --context NAME\n`,
    );
  });

  it.each([['ls'], ['status', 'a'], ['reconcile', 'a']])('%s names the server that refuses the connection', async (...args) => {
    const server = `https://127.0.0.1:${await freePort()}`;
    const remedy = 'check that it runs, or choose another with --context or --kubeconfig';
    const stderr = `lateen: cannot reach the API server ${server}: it refuses the connection; ${remedy}\n`;
    expect(await lateen([...args, '--kubeconfig', await kubeconfig(server)])).toEqual({ status: 3, stdout: '', stderr });
  });
});

it('ends quietly where the reader of its output goes away', async () => {
  const program = fileURLToPath(new URL('../../../bin/lateen', import.meta.url));
  const run = promisify(execFile);
  const { stderr } = await run('/bin/sh', ['-c', `"${program}" --help | true`]);
  expect(stderr).toBe('');
});
