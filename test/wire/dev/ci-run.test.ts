import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const REPORTER = 'test/support/count-reporter.ts';
const VITEST = `'${process.execPath}' '${join(ROOT, 'node_modules/vitest/vitest.mjs')}' run`;

let folder: string;

/** A small checkout of its own with the real `.ci/run` and the real reporter, in a place from which vitest is found. */
beforeEach(async () => {
  await mkdir(join(ROOT, '.run'), { recursive: true });
  folder = await mkdtemp(join(ROOT, '.run/ci-'));
  for (const path of ['.ci/run', REPORTER]) await cp(join(ROOT, path), join(folder, path));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

async function files(contents: Record<string, string>): Promise<void> {
  for (const [name, text] of Object.entries(contents)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
}

/** Its closing line and exit code, with `make test` doing what `recipe` says. */
async function ciRun(recipe: string): Promise<[closingLine: string | undefined, code: number]> {
  const { lines, code } = await printed(recipe);
  return [lines.at(-1), code];
}

async function printed(recipe: string): Promise<{ lines: string[]; code: number }> {
  await files({ Makefile: `.PHONY: test\ntest:\n\t@${recipe}\n` });
  const { MAKEFLAGS: _flags, MAKELEVEL: _level, VITEST: _vitest, ...env } = process.env;
  const ran = promisify(execFile)(join(folder, '.ci/run'), [], { env, timeout: 60_000 });
  const { stdout, code } = await ran.then(({ stdout }) => ({ stdout, code: 0 })).catch((error: { stdout: string; code: number }) => error);
  return { lines: stdout.trimEnd().split('\n'), code };
}

const config = (more = ''): string => `export default { test: { reporters: ['default', './${REPORTER}'], ${more} } };\n`;
const passing = "import { it } from 'vitest';\nit('is well', () => {});\nit('is well too', () => {});\n";

it.each<{ name: string; planted: Record<string, string>; more?: string; expected: [string, number] }>([
  { name: 'tests that pass', planted: {}, expected: ['2 passed, 0 failed', 0] },
  {
    name: 'a test that fails',
    planted: { 'b.test.ts': "import { it } from 'vitest';\nit('is not', () => { throw new Error('no'); });\nit('is', () => {});\n" },
    expected: ['3 passed, 1 failed', 1],
  },
  { name: 'a file that does not load', planted: { 'b.test.ts': "import './missing.ts';\n" }, expected: ['2 passed, 1 failed', 1] },
  {
    name: 'a file whose set-up fails',
    planted: {
      'b.test.ts': "import { beforeAll, it } from 'vitest';\nbeforeAll(() => { throw new Error('no'); });\nit('waits', () => {});\n",
    },
    expected: ['2 passed, 1 failed', 1],
  },
  {
    name: 'a rejection that nobody handles',
    planted: { 'b.test.ts': "import { it } from 'vitest';\nit('is', () => { void Promise.reject(new Error('lost')); });\n" },
    expected: ['3 passed, 1 failed', 1],
  },
  {
    name: 'servers that do not start',
    planted: { 'setup.ts': "export default () => { throw new Error('no etcd'); };\n" },
    more: "globalSetup: './setup.ts'",
    expected: ['0 passed, 1 failed', 1],
  },
])('counts $name', async ({ planted, more, expected }) => {
  await files({ 'vitest.config.ts': config(more), 'a.test.ts': passing, ...planted });
  expect(await ciRun(VITEST)).toEqual(expected);
});

it.each<{ name: string; recipe: string; expected: [string, number] }>([
  { name: 'no test ran', recipe: 'echo 0 0 > .run/test-counts', expected: ['0 passed, 1 failed', 1] },
  { name: 'the run left no counts', recipe: 'rm -f .run/test-counts', expected: ['0 passed, 1 failed', 1] },
  { name: 'the run was killed', recipe: 'sh -c "kill -KILL $$$$"', expected: ['0 passed, 1 failed', 1] },
  { name: 'only the lint failed', recipe: 'echo 7 0 > .run/test-counts; false', expected: ['7 passed, 1 failed', 1] },
  { name: 'a test failed', recipe: 'echo 7 2 > .run/test-counts; false', expected: ['7 passed, 2 failed', 1] },
])('fails where $name', async ({ recipe, expected }) => {
  // What an earlier, better run has left.
  await files({ '.run/test-counts': '9 0\n' });
  expect(await ciRun(recipe)).toEqual(expected);
});

it('says above its closing line what failed', async () => {
  const failing =
    "import { expect, it } from 'vitest';\n" +
    "it('is not', () => { throw new Error('no'); });\n" +
    "it('differs', () => { expect('one\\ntwo').toBe('one\\nthree'); });\n";
  await files({ 'vitest.config.ts': config(), 'a.test.ts': passing, 'b.test.ts': failing, 'c.test.ts': "import './missing.ts';\n" });
  const { lines } = await printed(VITEST);
  const expected = ['b.test.ts: is not', '  no', 'b.test.ts: differs', '  - Expected', '  + Received', '  - three', '  + two'];
  expect(lines.slice(-10, -3)).toEqual(expected);
  expect(lines.slice(-3)).toEqual(['c.test.ts', expect.stringMatching(/^ {2}.*missing\.ts/), '2 passed, 3 failed']);
});
