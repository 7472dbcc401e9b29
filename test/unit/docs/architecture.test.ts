import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';

const ROOT = new URL('../../../', import.meta.url);
const page = await readFile(new URL('ARCHITECTURE.md', ROOT), 'utf8');

/** Rows of the table under a heading, without the head; cells as they stand. */
function rows(heading: string): string[][] {
  const section = page.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  const lines = section.split('\n').filter((line) => line.startsWith('| '));
  return lines.slice(2).map((line) =>
    line
      .split('|')
      .map((cell) => cell.trim())
      .slice(1, -1),
  );
}

const SUBROOMS = new Set(['agent']);

/** `agent/git` for agent/git/client.ts, `dev` for dev/demo/main.ts. */
function roomOf(path: string): string {
  const [room = '', sub = ''] = path.split('/');
  return SUBROOMS.has(room) && path.split('/').length > 2 ? `${room}/${sub}` : room;
}

async function sources(): Promise<{ room: string; text: string }[]> {
  const rooms = ['api', 'core', 'certs', 'webhook', 'agent', 'cli', 'dev', 'test'].filter((room) => existsSync(new URL(room, ROOT)));
  const listed = await Promise.all(
    rooms.map(async (room) => (await readdir(new URL(room, ROOT), { recursive: true })).map((path) => `${room}/${path}`)),
  );
  const files = listed.flat().filter((path) => path.endsWith('.ts'));
  return Promise.all(files.map(async (path) => ({ room: roomOf(path), text: await readFile(new URL(path, ROOT), 'utf8') })));
}

/** Rooms that load the package; `import type` loads nothing. */
function roomsThatLoad(name: string, files: { room: string; text: string }[]): string[] {
  const loads = new RegExp(`^import (?!type )[^;]*from '${name}(/[^']*)?';|import\\('${name}'\\)`, 'm');
  return [...new Set(files.filter(({ text }) => loads.test(text)).map(({ room }) => room))].sort();
}

describe('ARCHITECTURE.md', () => {
  it('names for each package the rooms that import it', async () => {
    const files = await sources();
    const told = rows('Which package is used where').map(
      ([name = '', rooms = '']) => [name.replaceAll('`', ''), rooms.split(', ').sort()] as const,
    );
    const cards = ['express', '@kubernetes/client-node', 'fast-json-patch', 'simple-git', 'yaml', 'node-forge', 'supertest', 'vitest'];
    expect(told.map(([name]) => name)).toEqual(cards);
    const found = Object.fromEntries(
      cards.map((name) => [name, roomsThatLoad(name, files).filter((room) => room !== 'test' || ['vitest', 'supertest'].includes(name))]),
    );
    expect(found).toEqual(Object.fromEntries(told));
  });

  it('names files that are there', () => {
    const named = [...page.matchAll(/`((?:[\w-]+\/)*[\w-]+\.(?:ts|md))`/g)].map(([, path = '']) => path);
    const prefixes = ['', 'agent/', 'agent/application/', 'agent/sync/', 'agent/cluster/', 'agent/git/', 'webhook/'];
    const missing = named.filter((path) => !prefixes.some((prefix) => existsSync(new URL(prefix + path, ROOT))));
    expect(missing).toEqual([]);
    expect(named.length).toBeGreaterThan(30);
  });
});
