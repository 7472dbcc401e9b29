import { spawnSync } from 'node:child_process';
import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseDocument } from 'yaml';
import { commands } from '#cli/commands.ts';
import { MESSAGE_PREFIX } from '#api/image/message.ts';
import { parseMarker } from '#api/image/marker.ts';
import { codeBlocks } from '#test/support/markdown.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const blocks = await codeBlocks('update-images.md');

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lateen-docs-'));
  await copyFile(join(ROOT, 'docs/examples/my-app.yaml'), join(folder, 'my-app.yaml'));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

const plays = blocks.flatMap((block, index) => (block.language === 'sh' ? [[block.text, blocks[index + 1]] as const] : []));

it.each(plays)('prints what the page says: %s', (script, output) => {
  const env = { PATH: `${join(ROOT, 'bin')}:${process.env['PATH'] ?? ''}`, HOME: folder };
  const { stdout, stderr, status } = spawnSync('sh', ['-e', '-c', script], { cwd: folder, encoding: 'utf8', timeout: 30_000, env });
  expect({ status, stderr, stdout: stdout.trimEnd() }).toEqual({ status: 0, stderr: '', stdout: output?.text.trimEnd() });
  expect(output?.language).toBe('output');
});

it('shows three commands, and markers that can be read', () => {
  expect(plays).toHaveLength(3);
  const markers = blocks.filter(({ language }) => language === 'yaml').map(({ text }) => parseMarker(text.slice(text.indexOf('#')).trim()));
  expect(markers).toEqual([
    expect.objectContaining({ marker: expect.anything() as object }),
    expect.objectContaining({ marker: expect.anything() as object }),
  ]);
});

it('the filter for CI leaves our commits out, and nobody else’s', () => {
  const [block] = blocks.filter(({ language }) => language === 'ci');
  const condition = parseDocument(block?.text ?? '').getIn(['jobs', 'publish', 'if']) as string;
  const words = /^!contains\(github\.event\.head_commit\.message, '(.*)'\)$/.exec(condition)?.[1] ?? 'nothing';
  expect(`${MESSAGE_PREFIX}\nImage: a:1\n`).toContain(words);
  expect('Give the server another image').not.toContain(words);
});

it('names commands that there are', async () => {
  const text = await readFile(join(ROOT, 'docs/update-images.md'), 'utf8');
  const named = new Set([...text.matchAll(/lateen (image \w+)/g)].map(([, name]) => name));
  expect([...named].filter((name) => !commands.some((command) => command.name === name))).toEqual([]);
});
