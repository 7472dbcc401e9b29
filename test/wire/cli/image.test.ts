import { cp, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { json, startFaultyRegistry } from '#test/support/registry-faults.ts';
import { lateen, type Ran } from '#test/support/lateen.ts';

const TREES = new URL('../../fixtures/image/trees/', import.meta.url).pathname;
const TARGET = 'default:image-gitops=ghcr.io/fogdong/test-fog:master-c38379ba-1634977126';

let folder: string;
let made = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lateen-image-'));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

async function copyOf(name: string): Promise<string> {
  const copy = join(folder, String(++made));
  await cp(join(TREES, name, 'before'), copy, { recursive: true });
  return copy;
}

/** Every file below a folder with its bytes as Latin-1, so that a difference shows. */
async function contentOf(root: string): Promise<Record<string, string>> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  return Object.fromEntries(
    await Promise.all(files.map(async (file) => [file.slice(root.length), await readFile(file, 'latin1')] as const)),
  );
}

describe('lateen image set: golden trees', () => {
  it.each([
    ['seed', 0],
    ['crlf-bom', 0],
    ['list', 0],
    ['kustomization', 0],
    ['helm-chart', 0],
    ['publish-version', 0],
    ['broken', 0],
  ])('%s, byte for byte, and a second run changes nothing', async (name, status) => {
    const copy = await copyOf(name);
    const expected = await contentOf(join(TREES, name, 'after'));
    const first = await lateen(['image', 'set', TARGET, copy]);
    const after = await contentOf(copy);
    for (const [file, text] of Object.entries(after))
      after[file] = text.replace(/publishVersion: v-[0-9a-f]{10} /, 'publishVersion: VERSION ');
    expect([first.status, after]).toEqual([status, expected]);
    const now = await contentOf(copy);
    const again = await lateen(['image', 'set', TARGET, copy]);
    expect([again.status, again.stdout, await contentOf(copy)]).toEqual([status, '', now]);
  });

  it('says what it changed, and what it left', async () => {
    const copy = await copyOf('broken');
    const { stdout, stderr } = await lateen(['image', 'set', TARGET, '.'], { cwd: copy });
    expect(stdout).toBe('good.yaml:1: nginx -> ghcr.io/fogdong/test-fog:master-c38379ba-1634977126\n');
    expect(stderr).toMatch(/^bad\.yaml:1: MARKER_UNUSABLE: the file is not YAML \(line 3/);
  });

  it('prints the difference, or the file, and changes nothing', async () => {
    const copy = await copyOf('seed');
    const before = await contentOf(copy);
    const diff = await lateen(['image', 'set', TARGET, 'application', '--diff'], { cwd: copy });
    expect(diff.stdout.split('\n').filter((line) => /^[-+]/.test(line))).toEqual([
      '--- application/my-app.yaml',
      '+++ application/my-app.yaml',
      '-        image: nginx # {"$imagepolicy": "default:image-gitops"}',
      '+        image: ghcr.io/fogdong/test-fog:master-c38379ba-1634977126 # {"$imagepolicy": "default:image-gitops"}',
    ]);
    const printed = await lateen(['image', 'set', TARGET, 'application/my-app.yaml', '--stdout'], { cwd: copy });
    expect(printed.stdout).toBe(await readFile(join(TREES, 'seed/after/application/my-app.yaml'), 'utf8'));
    expect(await contentOf(copy)).toEqual(before);
  });

  it('writes a digest, which the agent never does', async () => {
    const file = join(folder, 'digest.yaml');
    await writeFile(file, 'd: x # {"$imagepolicy": "a:b:digest"}\nimage: y # {"$imagepolicy": "a:b"}\n');
    const digest = `sha256:${'0'.repeat(64)}`;
    await lateen(['image', 'set', `a:b=nginx:1@${digest}`, file]);
    expect(await readFile(file, 'utf8')).toBe(
      `d: ${digest} # {"$imagepolicy": "a:b:digest"}\nimage: nginx:1@${digest} # {"$imagepolicy": "a:b"}\n`,
    );
  });

  it('does not follow links out of the folder', async () => {
    const copy = await copyOf('seed');
    const outside = join(folder, 'outside.yaml');
    const text = 'image: nginx # {"$imagepolicy": "default:image-gitops"}\n';
    await writeFile(outside, text);
    await symlink(outside, join(copy, 'link.yaml'));
    await symlink(folder, join(copy, 'parent'));
    expect((await lateen(['image', 'set', TARGET, copy])).status).toBe(0);
    expect(await readFile(outside, 'utf8')).toBe(text);
  });

  it.each<[string[], number, RegExp]>([
    [['default:image-gitops', '.'], 2, /write NAMESPACE:NAME=IMAGE/],
    [['default:app=https://x/y', '.'], 2, /has a scheme/],
    [[TARGET, 'nowhere'], 2, /there is no file or folder nowhere/],
    [[TARGET], 2, /missing required argument/],
    [['default:none=nginx:1', '.'], 1, /no marker names default:none/],
  ])('%j', async (args, status, words) => {
    const ran = await lateen(['image', 'set', ...args], { cwd: await copyOf('seed') });
    expect([ran.status, ran.stderr]).toEqual([status, expect.stringMatching(words)]);
  });
});

describe('lateen image latest', () => {
  const seed = ['--pattern', '^master-[a-f0-9]+-(?P<ts>[0-9]+)', '--extract', '$ts'];
  const tags = 'master-cba5605f-1632714412\nmaster-c38379ba-1634977126\nlatest\nx.sig\n';
  const latest = (args: string[], stdin = tags): Promise<Ran> => lateen(['image', 'latest', ...args], { stdin });

  it('prints the tag', async () => {
    const file = join(folder, 'tags.txt');
    await writeFile(file, tags);
    expect(await latest(['--policy', 'numerical:asc', ...seed, '--tags', file])).toEqual({
      status: 0,
      stdout: 'master-c38379ba-1634977126\n',
      stderr: '',
    });
  });

  it.each<[string[], string, string]>([
    [['--policy', 'semver:>=1.0.0'], tags, 'NO_MATCH'],
    [['--policy', 'semver:>=1.0.0<2'], tags, 'INVALID_RANGE'],
    [['--policy', 'numerical:asc', '--pattern', '('], tags, 'INVALID_PATTERN'],
    [['--policy', 'numerical:up'], tags, 'INVALID_ORDER'],
    [['--policy', 'numerical:asc'], tags, 'NOT_A_NUMBER'],
    [['--policy', 'numerical:asc'], '', 'NO_TAGS'],
    [['--policy', 'numerical:asc', '--image', 'nginx:1'], tags, 'INVALID_IMAGE'],
  ])('%j gives the reason', async (args, stdin, code) => {
    const ran = await latest([...args, '--tags', '-'], stdin);
    expect([ran.status, ran.stdout]).toEqual([1, `${code}\n`]);
    expect(ran.stderr).toContain(`${code}: `);
  });

  it('explains every tag', async () => {
    const { stdout } = await latest(['--policy', 'numerical:asc', ...seed, '--tags', '-', '--explain']);
    expect(stdout).toBe(
      [
        'Policy:     numerical:asc',
        'Tags:       4 seen, 2 kept, 2 dropped',
        'Winner:     master-c38379ba-1634977126',
        'Runner-up:  master-cba5605f-1632714412',
        '',
        'kept     master-c38379ba-1634977126  ordered by 1634977126',
        'kept     master-cba5605f-1632714412  ordered by 1632714412',
        'dropped  latest                      NO_MATCH: it does not match the pattern',
        'dropped  x.sig                       NO_MATCH: the exclusion list names it',
        '',
      ].join('\n'),
    );
  });

  it('speaks JSON', async () => {
    const { stdout } = await latest(['--policy', 'semver:1.x', '--tags', '-', '-o', 'json'], '1.0.0\n1.1.0\n');
    expect(JSON.parse(stdout)).toEqual({ tag: '1.1.0', key: '1.1.0', runnerUp: '1.0.0', seen: 2 });
  });

  it('asks the registry', async () => {
    const { host } = await startFaultyRegistry((_, response) => json(response, 200, { tags: ['1.0.0', '1.2.0'] }));
    expect(await latest(['--policy', 'semver:1.x', '--image', `${host}/org/app`])).toMatchObject({ status: 0, stdout: '1.2.0\n' });
  });

  it.each([[[]], [['--policy', 'newest']], [['--policy', 'numerical:asc']]])('%j is wrong usage', async (args) => {
    expect((await latest(args)).status).toBe(2);
  });
});

describe('lateen image message', () => {
  it('prints what the template makes, and nothing else', async () => {
    const template = 'Image: {{range .Updated.Images}}{{println .}}{{end}}';
    const ran = await lateen(['image', 'message', '--template', template, '--data', '{"Updated":{"Images":["a:1","b:2"]}}']);
    expect(ran).toEqual({ status: 0, stdout: 'Image: a:1\nb:2\n', stderr: '' });
  });

  it('gives a mistake with its place', async () => {
    const ran = await lateen(['image', 'message', '--template', 'x\n{{range .A}}', '--data', '{}']);
    expect([ran.status, ran.stdout, ran.stderr]).toEqual([
      1,
      '',
      'lateen: INVALID_TEMPLATE: line 2, column 1: {{range}} without {{end}}\n',
    ]);
  });

  it.each([[[]], [['--template', 'x', '--data', '{']]])('%j is wrong usage', async (args) => {
    expect((await lateen(['image', 'message', ...args])).status).toBe(2);
  });
});
