import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { VERSION } from '#agent/version.ts';

const run = promisify(execFile);
/** Before the first tag there is no release: this version has all the same content. */
const BEFORE_THE_FIRST = '0.0.9';
const DEADLINE_MS = 120_000;

export interface Release {
  version: string;
  /** With a slash at its end, as CHARTS. */
  charts: string;
  rootfs: string;
}

/**
 * What somebody has installed before this checkout: the charts and the files of the image at the last tag; before the first
 * one those of this checkout, called an older version.
 */
export async function formerRelease(checkout: string, { rootfs, folder }: { rootfs: string; folder: string }): Promise<Release> {
  const tag = await run('git', ['-C', checkout, 'describe', '--tags', '--abbrev=0', '--match=v*', 'HEAD']).then(
    ({ stdout }) => stdout.trim(),
    () => undefined,
  );
  await mkdir(folder, { recursive: true });
  return tag === undefined ? renamed(checkout, rootfs, folder) : tagged(checkout, tag, folder);
}

async function tagged(checkout: string, tag: string, folder: string): Promise<Release> {
  const [source, rootfs, archive] = [join(folder, 'source'), join(folder, 'rootfs'), join(folder, 'source.tar')];
  await mkdir(source);
  await run('git', ['-C', checkout, 'archive', '--output', archive, tag]);
  await run('tar', ['-xf', archive, '-C', source]);
  await symlink(join(checkout, 'node_modules'), join(source, 'node_modules'));
  await run(process.execPath, [join(source, 'dev/rootfs.ts'), rootfs], { cwd: source, timeout: DEADLINE_MS });
  return { version: tag.slice(1), charts: join(source, 'charts/'), rootfs };
}

async function renamed(checkout: string, from: string, folder: string): Promise<Release> {
  const [charts, rootfs] = [join(folder, 'charts/'), join(folder, 'rootfs')];
  await cp(join(checkout, 'charts'), charts, { recursive: true });
  await cp(from, rootfs, { recursive: true });
  const lib = join(rootfs, 'usr/local/lib/lateen');
  const programs = (await readdir(lib)).filter((name) => name.endsWith('.mjs')).map((name) => join(lib, name));
  const manifests = ['lateen', 'lateen-agent'].map((name) => join(charts, name, 'Chart.yaml'));
  for (const file of [...programs, ...manifests]) {
    const text = await readFile(file, 'utf8');
    if (!text.includes(VERSION)) throw new Error(`${file} does not name the version ${VERSION}`);
    await writeFile(file, text.replaceAll(VERSION, BEFORE_THE_FIRST));
  }
  return { version: BEFORE_THE_FIRST, charts, rootfs };
}
