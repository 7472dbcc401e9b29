import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { networkSandbox } from '#agent/manifest/kustomize-process.ts';

const run = promisify(execFile);
const moduleOf = (path: string): string => JSON.stringify(fileURLToPath(new URL(`../../../../agent/${path}`, import.meta.url)));

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lateen-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

/** Calls each way to a process while no file can be opened, and again when that is over. */
const program = (): string => `
  import { closeSync, openSync } from 'node:fs';
  import { GROUP_WRAPPER, runGit } from ${moduleOf('git/client.ts')};
  import { makeCommit } from ${moduleOf('git/commit.ts')};
  import { gitEnvironment } from ${moduleOf('git/environment.ts')};
  import { ObjectReader } from ${moduleOf('git/object-reader.ts')};
  import { feedGit } from ${moduleOf('git/process-group.ts')};
  import { networkSandbox, runKustomize } from ${moduleOf('manifest/kustomize-process.ts')};

  const home = ${JSON.stringify(folder)};
  const signal = AbortSignal.timeout(20_000);
  const environment = gitEnvironment({ home, directory: home });
  const change = { author: { name: 'a', email: 'a@b' }, timeMs: 0, message: '', files: [] };
  const git = (args) => runGit({ args, environment, cwd: home, wrapper: GROUP_WRAPPER, maxOutputBytes: 1000, signal });
  const ways = {
    run: () => git(['rev-parse', '--git-dir']),
    feed: () => feedGit({ args: ['hash-object', '-w', '--stdin'], environment, cwd: home, input: Buffer.from('a'), signal }),
    commit: () => makeCommit('0'.repeat(40), change, { directory: home, home, signal }),
    read: () => new ObjectReader(home, home).read([{ oid: 'f'.repeat(40), size: 1 }], signal),
    build: () => runKustomize({ program: '/bin/true', work: home, folder: home, signal }),
  };
  const saidBy = async (way) => Promise.resolve().then(way).then(() => 'fine', (error) => String(error.message).trim());

  await git(['init', '--quiet', '--bare', '--template=']);
  const taken = [];
  try {
    for (;;) taken.push(openSync('/dev/null'));
  } catch {}
  const said = {};
  for (const [name, way] of Object.entries(ways)) {
    said[name] = await saidBy(way);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  for (const one of taken) closeSync(one);
  said.afterwards = await Promise.all([saidBy(ways.run), saidBy(ways.feed)]);
  said.sandbox = (await networkSandbox()) ?? 'none';
  console.log(JSON.stringify(said));
  process.exit();
`;

it('an agent with too many files open goes on, and says so', { timeout: 60_000 }, async () => {
  const file = join(folder, 'agent.mjs');
  await writeFile(file, program());
  const { stdout } = await run('sh', ['-c', 'ulimit -n 64; exec "$0" "$1"', process.execPath, file]);
  const tooMany = 'git could not be started: the agent has too many files open';
  expect(JSON.parse(stdout)).toEqual({
    run: tooMany,
    feed: tooMany,
    commit: tooMany,
    read: tooMany,
    build: 'kustomize could not be started: spawn /bin/true EMFILE',
    afterwards: ['fine', 'fine'],
    // It was not there while no process could be started.
    sandbox: (await networkSandbox()) ?? 'none',
  });
});
