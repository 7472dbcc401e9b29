import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, expect, it, onTestFinished } from 'vitest';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const OXLINT = join(ROOT, 'node_modules/oxlint/bin/oxlint');
const CONFIG = '.oxlintrc.json';

const SUB_ROOMS = ['cluster', 'git', 'image', 'manifest', 'render', 'revision'].map((name) => `agent/${name}`);
const ROOMS = ['api', 'core', 'certs', 'webhook', 'agent', 'cli', 'dev', 'test'];
const PLACES = [...ROOMS, ...SUB_ROOMS, 'agent/sync', 'agent/application'];
const SHIPPED = PLACES.filter((place) => place !== 'dev' && place !== 'test');

/** The arrows between the rooms (ARCHITECTURE.md): what a file at a place may import by `#`. */
const MAY: Record<string, string[]> = {
  api: [],
  core: [],
  certs: ['core'],
  webhook: ['api', 'core', 'certs'],
  cli: ['api', 'core', ...SUB_ROOMS.filter((place) => place !== 'agent/git')],
  dev: [...SHIPPED, 'dev'],
  test: PLACES,
  ...Object.fromEntries(['agent', ...SUB_ROOMS, 'agent/sync', 'agent/application'].map((place) => [place, ['api', 'core']])),
};

/** The joins inside of agent/, which go by relative paths. */
const JOINS: Record<string, string[]> = {
  agent: [...SUB_ROOMS, 'agent/sync', 'agent/application'],
  'agent/sync': SUB_ROOMS,
  'agent/application': [...SUB_ROOMS, 'agent/sync'],
};

/** Files that may load a package; the places where its types may be used as well. */
const PACKAGES: Record<string, { load: string[]; types?: string[] }> = {
  express: { load: ['webhook/app.ts', 'webhook/server.ts'], types: ['webhook'] },
  'simple-git': { load: ['agent/git/client.ts'], types: SUB_ROOMS.filter((place) => place !== 'agent/image') },
  '@kubernetes/client-node': {
    load: ['agent/cluster/kubeconfig.ts', 'webhook/kubeconfig.ts', 'dev', 'test'],
    types: ['certs', 'webhook', 'cli', 'agent', 'agent/sync', 'agent/application', ...SUB_ROOMS.filter((place) => place !== 'agent/image')],
  },
  'node-forge': { load: ['certs'] },
  'fast-json-patch': { load: ['webhook', 'test'] },
  re2js: { load: ['api', 'agent/image', 'test'] },
  supertest: { load: ['test'] },
  vitest: { load: ['test'] },
  commander: { load: ['cli'] },
  'node:fs': { load: PLACES.filter((place) => place !== 'api') },
  'node:fs/promises': { load: PLACES.filter((place) => place !== 'api') },
  'node:http': { load: PLACES.filter((place) => place !== 'api') },
  fs: { load: [] },
  '/etc/passwd': { load: [] },
};

/** Forms of import that no-restricted-imports reads: `@` stands for what is imported, `#` makes a name unique. */
const TYPE_FORMS = ["import type { X# } from '@';", "export type { X# } from '@';"];
const FORMS = [
  "import { x# } from '@';",
  "import * as x# from '@';",
  "import x# from '@';",
  "import '@';",
  "export { x# } from '@';",
  "export * from '@';",
  "export * as x# from '@';",
  "const x# = await import('@');",
  "const x# = () => import('@').then(({ y }) => y);",
];
/** Forms that no-restricted-imports does not read; other rules refuse them everywhere. */
const UNREADABLE = [
  'const x# = await import(`@`);',
  "const x# = await import('@' + '');",
  "type X# = import('@').X#;",
  "const x# = require('@');",
  "import x# = require('@');",
];
const FENCES =
  /\[Error\/(?:eslint\(no-restricted-imports|lateen\(plain-import|typescript\((?:no-require-imports|consistent-type-imports))\)\]$/;

interface Planted {
  file: string;
  line: string;
  caught: boolean;
}

const planted: Planted[] = [];
let found: Set<string>;

function plant(file: string, specifier: string, { load, types }: { load: boolean; types: boolean }): void {
  const add = (form: string, caught: boolean): void => {
    planted.push({ file, line: form.replaceAll('#', String(planted.length)).replace('@', specifier), caught });
  };
  for (const form of FORMS) add(form, !load);
  for (const form of TYPE_FORMS) add(form, !types);
  for (const form of UNREADABLE) add(form, true);
}

/** Whatever leaves its folder by a relative path is caught, but for the joins. */
function plantRooms(place: string): void {
  const file = `${place}/planted.ts`;
  for (const target of PLACES) {
    const arrow = MAY[place]!.includes(target);
    plant(file, `#${target}/x.ts`, { load: arrow, types: arrow });
    const path = relative(place, `${target}/x.ts`);
    const inside = target === place || (JOINS[place]?.includes(target) ?? false);
    plant(file, path.startsWith('.') ? path : `./${path}`, { load: inside, types: inside });
  }
  for (const detour of ['./../api/x.ts', './../../api/x.ts', '#api/../cli/x.ts', '../agent/../cli/x.ts', '..']) {
    plant(file, detour, { load: false, types: false });
  }
}

function plantPackages(): void {
  for (const [name, { load, types = [] }] of Object.entries(PACKAGES)) {
    const files = new Set([...PLACES.map((place) => `${place}/planted.ts`), ...load.filter((file) => file.endsWith('.ts'))]);
    for (const file of files) {
      const place = dirname(file);
      const loads = load.includes(file) || load.includes(place);
      plant(file, name, { load: loads, types: loads || types.includes(place) });
    }
  }
}

async function oxlint(folder: string): Promise<string[]> {
  const ran = promisify(execFile)(process.execPath, [OXLINT, '-f', 'unix'], { cwd: folder, maxBuffer: 64 * 1024 * 1024 });
  const { stdout } = await ran.catch((error: { stdout: string }) => error);
  return stdout.split('\n');
}

/** A folder with the real configuration and nothing else. */
async function emptyTree(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'lateen-lint-'));
  for (const path of [CONFIG, 'package.json', 'dev/lint']) await cp(join(ROOT, path), join(folder, path), { recursive: true });
  return folder;
}

beforeAll(async () => {
  for (const place of PLACES) plantRooms(place);
  plantPackages();
  const folder = await emptyTree();
  try {
    const files = Map.groupBy(planted, ({ file }) => file);
    for (const [file, lines] of files) {
      await mkdir(join(folder, dirname(file)), { recursive: true });
      await writeFile(join(folder, file), lines.map(({ line }) => line).join('\n'));
    }
    const reported = (await oxlint(folder)).filter((line) => FENCES.test(line)).map((line) => line.split(':'));
    found = new Set(reported.map(([file, line]) => `${file}: ${files.get(file!)![Number(line) - 1]!.line}`));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

it.each(PLACES)('catches every forbidden import in %s, in every form, and no other', (place) => {
  const here = planted.filter(({ file }) => dirname(file) === place);
  const expected = here.filter(({ caught }) => caught).map(({ file, line }) => `${file}: ${line}`);
  expect(here.length).toBeGreaterThan(expected.length);
  expect([...found].filter((line) => line.startsWith(`${place}/`) && dirname(line.split(':')[0]!) === place).sort()).toEqual(
    [...new Set(expected)].sort(),
  );
});

it('catches a cycle', async () => {
  const folder = await emptyTree();
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await mkdir(join(folder, 'core'));
  await writeFile(join(folder, 'core/a.ts'), "export { b as a } from './b.ts';\n");
  await writeFile(join(folder, 'core/b.ts'), "export { a as b } from './a.ts';\n");
  expect((await oxlint(folder)).join('\n')).toMatch(/core\/a\.ts.*no-cycle/);
});

it('uses no look-around, which the linter would ignore without a word', async () => {
  expect(await readFile(join(ROOT, CONFIG), 'utf8')).not.toMatch(/\(\?[=!<]|"regex"/);
});

it('knows every room that has sources', async () => {
  const folders = async (path: string): Promise<string[]> => {
    const entries = await readdir(join(ROOT, path), { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map((entry) => join(path, entry.name));
  };
  const rooms = (await folders('.')).filter((name) => !/^(\..*|node_modules|dist|coverage|bin|charts|docs)$/.test(name));
  expect(PLACES).toEqual(expect.arrayContaining([...rooms, ...(await folders('agent'))]));
});
