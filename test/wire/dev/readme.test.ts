import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, it } from 'vitest';
import { maskDemo } from '#test/support/demo-mask.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

let readme: string;

beforeAll(async () => {
  readme = await readFile(`${ROOT}README.md`, 'utf8');
});

function consoleBlocks(): string[] {
  return [...readme.matchAll(/^```console\n([^]*?)^```$/gm)].map(([, block = '']) => block);
}

it('shows what the demo prints', async () => {
  const folder = `${ROOT}test/fixtures/demo/`;
  const golden = (await Promise.all((await readdir(folder)).map((name) => readFile(`${folder}${name}`, 'utf8')))).join('\n');
  const blocks = consoleBlocks().filter((block) => !block.startsWith('$ make'));
  expect(blocks.length).toBeGreaterThanOrEqual(4);
  for (const block of blocks) expect(golden).toContain(maskDemo(block));
});

it('names only files that are there', () => {
  const links = [...readme.matchAll(/\]\(([^)]+)\)/g)].map(([, target = '']) => target).filter((target) => !target.startsWith('https://'));
  expect(links).toContain('ARCHITECTURE.md');
  expect(links.filter((target) => !existsSync(`${ROOT}${target}`))).toEqual([]);
});

it('is short enough to be read', () => {
  expect(readme.split('\n').length).toBeLessThan(200);
});
