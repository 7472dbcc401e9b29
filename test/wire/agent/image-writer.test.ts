import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ImageMember } from '#agent/sync/image-member.ts';
import type { ImagePlan } from '#agent/sync/image-plan.ts';
import { ImageWriter } from '#agent/sync/image-writer.ts';
import { type Source, Sources } from '#agent/sync/source.ts';
import { AgentMetrics } from '#agent/metrics.ts';
import type { Failure } from '#api/failure.ts';
import type { KustomizeProperties } from '#api/kustomize.ts';
import { type Clock, systemClock } from '#core/clock.ts';
import { silentLog } from '#core/log.ts';
import { branchTip, commitFiles, git } from '#dev/git-repository.ts';
import { type GitBench, startGitBench } from '#test/support/git.ts';

type Settled = { plan: ImagePlan; pushed?: string; failure?: Failure };

const RACE_SECONDS = Number(process.env['LATEEN_RACE'] ?? 0);

let bench: GitBench;
let directory: string;
let stops: (() => Promise<unknown>)[];

beforeEach(async () => {
  stops = [];
  bench = await startGitBench();
  directory = await bench.server.createRepository('config');
});

afterEach(async () => {
  for (const stop of stops.reverse()) await stop();
  await bench.close();
});

/** A writer of one component `NAME`, as an agent of its own has it. */
async function writerOf(name: string, path = '', clock: Clock = systemClock) {
  const own = await startGitBench();
  stops.push(() => own.close());
  const url = bench.server.cloneUrl('config');
  const context = {
    namespace: 'default',
    git: own.git,
    clock,
    random: Math.random,
    log: silentLog,
    credentials: async () => ({}),
  };
  const sources = new Sources({ ...context, metrics: new AgentMetrics() });
  const { source } = sources.use({ url, branch: 'main' }, { intervalMs: 3_600_000, timeoutMs: 20_000, onChange: () => undefined });
  stops.push(() => sources.stop());
  const member = memberOf(name, path, source);
  const settled: Settled[] = [];
  const memory: Parameters<ImageMember['policy']>[0] = { markers: {} };
  const writer = new ImageWriter(
    source,
    { ...context, gitTimeoutMs: 20_000, quietWindowMs: 10 },
    {
      members: () => [member],
      policies: () => new Map([[member.policy(memory), member]]),
      intents: () => Object.values(memory.intents ?? {}),
      intend: async () => undefined,
      resolved: async () => undefined,
      async settled(plan, outcome) {
        settled.push({ plan, ...outcome });
        if (!outcome.failure) for (const seen of plan.memories.values()) memory.markers = seen;
      },
    },
  );
  stops.push(() => writer.stop());
  let version = 0;
  /** New tags; resolves when the writer has settled on them. */
  const tags = async (...list: string[]): Promise<Settled> => {
    member.scanned({ version: ++version, tags: list });
    const before = settled.length;
    writer.trigger();
    for (const end = Date.now() + 60_000; settled.length === before; ) {
      if (Date.now() > end) throw new Error(`${name} did not settle`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return settled.at(-1)!;
  };
  await source.pollNow();
  return { tags, source, writer, memory };
}

function memberOf(component: string, path: string, source: Source): ImageMember {
  const repository = {
    image: `ghcr.io/org/${component}`,
    interval: '5m',
    policy: { numerical: { order: 'asc' } },
    prereleases: 'any',
    allowDowngrade: false,
  };
  const application = {
    apiVersion: 'core.oam.dev/v1beta1',
    kind: 'Application',
    metadata: { name: component, namespace: 'default' },
    spec: { components: [] },
  };
  const made = ImageMember.of({
    application,
    component,
    repository: repository as unknown as NonNullable<KustomizeProperties['imageRepository']>,
    path,
    source,
    wake: () => undefined,
  });
  if (!(made instanceof ImageMember)) throw new Error(made.text);
  return made;
}

const line = (name: string, tag: string): string => `${name}: ghcr.io/org/${name}:${tag} # {"$imagepolicy": "default:${name}"}\n`;

describe('a writer', () => {
  it('makes one commit with one line, and none where nothing is to be changed', async () => {
    const first = await commitFiles(directory, 'main', { 'app.yaml': `a: 1\n\n${line('one', '1')}` }, { message: 'first' });
    const { tags } = await writerOf('one');
    expect(await tags('1')).toMatchObject({ plan: { changes: [] } });
    expect(await branchTip(directory, 'main')).toBe(first);
    const { pushed } = await tags('1', '2');
    expect(pushed).toBe(await branchTip(directory, 'main'));
    expect(await git(directory, ['show', 'main:app.yaml'])).toBe(`a: 1\n\n${line('one', '2')}`.trimEnd());
    expect(await git(directory, ['log', '-1', '--format=%an <%ae>%n%B', 'main'])).toBe(
      'kubevelabot <kubevelabot@users.noreply.github.com>\nUpdate image automatically.',
    );
  });

  it('looks below its path alone, follows no link, and reads what holds no marker once', async () => {
    await commitFiles(
      directory,
      'main',
      {
        'in/app.yaml': line('one', '1'),
        'out.yaml': line('one', '1'),
        'in/link.yaml': { symlink: '../out.yaml' },
        'in/plain.yaml': 'a: 1\n',
      },
      { message: 'first' },
    );
    const { tags } = await writerOf('one', 'in');
    expect((await tags('2')).plan.files.map(({ path }) => path)).toEqual(['in/app.yaml']);
    expect(await git(directory, ['show', 'main:out.yaml'])).toContain(':1 ');
  });

  it('computes its edits anew where somebody else was faster, and keeps what they wrote', async () => {
    await commitFiles(directory, 'main', { 'app.yaml': line('one', '1') }, { message: 'first' });
    const { tags } = await writerOf('one');
    await commitFiles(directory, 'main', { 'app.yaml': `# theirs\n${line('one', '1')}` }, { message: 'theirs' });
    expect(await tags('2')).toMatchObject({ pushed: await branchTip(directory, 'main') });
    expect(await git(directory, ['show', 'main:app.yaml'])).toBe(`# theirs\n${line('one', '2')}`.trimEnd());
  });

  it('yields to a revert that it learns of only by the race', async () => {
    await commitFiles(directory, 'main', { 'app.yaml': line('one', '1') }, { message: 'first' });
    const { tags } = await writerOf('one');
    await tags('2');
    const theirs = await commitFiles(directory, 'main', { 'app.yaml': line('one', '1') }, { message: 'revert' });
    const next = await tags('2', '1');
    expect(next.pushed).toBeUndefined();
    expect(await branchTip(directory, 'main')).toBe(theirs);
    const third = await tags('3');
    expect(third.pushed).toBe(await branchTip(directory, 'main'));
    expect(await git(directory, ['show', 'main:app.yaml'])).toBe(line('one', '3').trimEnd());
  });
});

it('lets others push before it goes on', async () => {
  await commitFiles(directory, 'main', { 'app.yaml': line('one', '1') }, { message: 'first' });
  const sleeps: number[] = [];
  const sleep: Clock['sleep'] = (ms, signal) => {
    sleeps.push(ms);
    return systemClock.sleep(ms, signal);
  };
  const { tags } = await writerOf('one', '', { ...systemClock, sleep });
  await tags('2');
  const before = sleeps.length;
  expect((await tags('3')).pushed).toBe(await branchTip(directory, 'main'));
  // Its own rest may have begun by now, beside that of the push before.
  expect(sleeps.slice(before).filter((ms) => ms > 0 && ms <= 5_000).length).toBeGreaterThan(0);
});

it('does not wait until a clock that was set back has caught up', async () => {
  await commitFiles(directory, 'main', { 'app.yaml': line('one', '1') }, { message: 'first' });
  let backMs = 0;
  const { tags } = await writerOf('one', '', { ...systemClock, now: () => Date.now() - backMs });
  await tags('2');
  backMs = 3_600_000;
  expect((await tags('3')).pushed).toBe(await branchTip(directory, 'main'));
});

it(
  'three writers race in one file: every tag lands, and no commit is lost',
  async () => {
    const names = ['one', 'two', 'three'];
    // `make test-race` lets it go on for two minutes.
    const endMs = Date.now() + RACE_SECONDS * 1_000;
    await commitFiles(directory, 'main', { 'app.yaml': names.map((name) => line(name, '0')).join('') }, { message: 'first' });
    const writers = await Promise.all(names.map((name) => writerOf(name)));
    const outcomes = await Promise.all(
      writers.map(async ({ tags }) => {
        const pushed: string[] = [];
        for (let round = 1; round <= 4 || Date.now() < endMs; round++) {
          const { pushed: commit, failure } = await tags(String(round));
          pushed.push(commit ?? failure?.sentence ?? 'nothing was pushed');
        }
        return pushed;
      }),
    );
    const commits = outcomes.flat();
    expect(commits.filter((commit) => !/^[0-9a-f]{40}$/.test(commit))).toEqual([]);
    expect(new Set((await git(directory, ['rev-list', 'main'])).split('\n'))).toEqual(
      new Set([...commits, await git(directory, ['rev-list', '--max-parents=0', 'main'])]),
    );
    expect(await git(directory, ['show', 'main:app.yaml'])).toBe(
      names
        .map((name, index) => line(name, String(outcomes[index]!.length)))
        .join('')
        .trimEnd(),
    );
  },
  120_000 + RACE_SECONDS * 1_000,
);
