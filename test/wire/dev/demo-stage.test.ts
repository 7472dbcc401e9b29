import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { Bench } from '#dev/demo/chapter.ts';
import { createStage } from '#dev/demo/stage.ts';

let folder: string;
let bench: Bench;
let printed: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lateen's "));
  await writeFile(join(folder, 'agent.log'), '{"time":"T","level":"warn","message":"pass failed","error":"no branch x","stack":"at y"}\n');
});

afterAll(() => rm(folder, { recursive: true, force: true }));

beforeEach(() => {
  printed = '';
  const plane = { kubeconfig: join(folder, 'kubeconfig'), programs: { kubectl: join(folder, 'kubectl'), helm: join(folder, 'helm') } };
  // A stage needs of it no more than this.
  bench = {
    keeper: { plane },
    agentLog: join(folder, 'agent.log'),
    print: (text: string) => void (printed += text),
    log: () => undefined,
    signal: new AbortController().signal,
  } as unknown as Bench;
});

it('prints a command, then what it prints, errors where they came', async () => {
  const { say, run } = createStage(bench);
  say('Three lines:');
  await run('echo one; echo two >&2; \\\n    echo three');
  expect(printed).toBe('\n# Three lines:\n$ echo one; echo two >&2; \\\n    echo three\none\ntwo\nthree\n');
});

it('runs it in the checkout, with what the person was told to set', async () => {
  await createStage(bench).run('ls -d docs/examples; printf "%s\\n" "$KUBECONFIG"; command -v lateen; git config user.name || echo nobody');
  const [, ...lines] = printed.trimEnd().split('\n');
  expect(lines).toEqual(['docs/examples', join(folder, 'kubeconfig'), expect.stringMatching(/\/bin\/lateen$/), 'nobody']);
});

it('fails with a command, and shows the log of the agent without stacks', async () => {
  const failed = createStage(bench).run('echo before; exit 3');
  await expect(failed).rejects.toThrow(
    `The command failed: echo before; exit 3: it ended with exit status 3.\nThe end of the agent's log ${bench.agentLog}:\n` +
      '  T warn pass failed error=no branch x',
  );
  expect(printed).toBe('$ echo before; exit 3\nbefore\n');
});

it('kills what still runs when it is interrupted', async () => {
  const interrupt = new AbortController();
  const running = createStage({ ...bench, signal: interrupt.signal }).run('sleep 60 | cat');
  setTimeout(() => interrupt.abort(new Error('received SIGINT')), 100);
  const begun = performance.now();
  await expect(running).rejects.toThrow('received SIGINT');
  expect(performance.now() - begun).toBeLessThan(10_000);
});

it('waits until it is true, and gives up at the deadline with the log of the agent', async () => {
  const { until } = createStage(bench);
  let asked = 0;
  const third = async (): Promise<boolean> => {
    asked += 1;
    if (asked === 1) throw new Error('not there yet');
    return asked === 3;
  };
  expect(await until('it is asked a third time', third)).toBeGreaterThan(0);
  expect({ asked, printed }).toEqual({ asked: 3, printed: '' });
  const never = until('the cows come home', () => Promise.resolve(false), 200);
  await expect(never).rejects.toThrow(
    /^Waited 0\.2 s until the cows come home, in vain\.\nThe end of the agent's log .*:\n {2}T warn pass failed/,
  );
});
