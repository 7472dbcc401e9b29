import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { VERSION } from '#agent/version.ts';
import { makeRootfs } from '#dev/rootfs.ts';
import { formerRelease } from '#test/support/former-release.ts';

const run = promisify(execFile);
const CHECKOUT = fileURLToPath(new URL('../../../', import.meta.url));
const SETUP_MS = 180_000;

let folder: string;
let rootfs: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lateen-'));
  rootfs = join(folder, 'rootfs');
  await makeRootfs(rootfs);
}, SETUP_MS);

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function versionOf(tree: string): Promise<string> {
  return (await run(join(tree, 'usr/local/bin/lateen-agent'), ['--version'])).stdout.trim();
}

/** A clone of what is committed here, with a tag or without. */
async function clone(name: string, tag?: string): Promise<string> {
  const path = join(folder, name);
  await run('git', ['clone', '--quiet', '--shared', '--no-tags', CHECKOUT, path]);
  await symlink(join(CHECKOUT, 'node_modules'), join(path, 'node_modules'));
  if (tag !== undefined) await run('git', ['-C', path, 'tag', tag]);
  return path;
}

describe('the former release', () => {
  it('is the one at the last tag', { timeout: SETUP_MS }, async () => {
    const former = await formerRelease(await clone('tagged', `v${VERSION}`), { rootfs, folder: join(folder, 'from-tag') });
    expect(former.version).toBe(VERSION);
    expect(await versionOf(former.rootfs)).toBe(VERSION);
    expect(await readFile(join(former.charts, 'lateen/Chart.yaml'), 'utf8')).toContain('name: lateen');
  });

  it('is this one by an older name, before there is a tag', { timeout: SETUP_MS }, async () => {
    const former = await formerRelease(await clone('untagged'), { rootfs, folder: join(folder, 'renamed') });
    expect(former.version).not.toBe(VERSION);
    expect(await versionOf(former.rootfs)).toBe(former.version);
    expect(await versionOf(rootfs)).toBe(VERSION);
    for (const name of ['lateen', 'lateen-agent'])
      expect(await readFile(join(former.charts, name, 'Chart.yaml'), 'utf8')).toContain(`appVersion: ${former.version}\n`);
  });
});
