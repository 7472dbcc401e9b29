import { execFile } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { ContainerPlan } from './container-plan.ts';
import type { ImageConfig } from './image.ts';

/** How a container is started on this machine. */
export interface Command {
  argv: string[];
  env: Record<string, string>;
}

export interface SandboxInput {
  plan: ContainerPlan;
  image: ImageConfig;
  /** The folder that `make rootfs` has made. */
  rootfs: string;
  /** Of this container alone; made here. */
  folder: string;
}

/** Turns what a container says into a command of this machine. */
export type Sandbox = (input: SandboxInput) => Promise<Command>;

const SCRIPT = fileURLToPath(new URL('./sandbox.sh', import.meta.url));
/** Behind all others in PATH. */
const STAND_INS = '/opt/stand-ins';
/** What the base image has, and this machine need not have. tini only reaps orphans, so here it may do nothing. */
const INIT = '#!/bin/sh\n[ "$1" != -- ] || shift\nexec "$@"\n';
const TMP = '/tmp';
const TEST_DEADLINE_MS = 10_000;

/**
 * A file tree of its own where this machine lets a user make namespaces: then a file that the image lacks, or a write into the
 * read-only root, fails as it would in a cluster. Else `relocated`.
 */
export async function findSandbox(image: ImageConfig, rootfs: string): Promise<{ sandbox: Sandbox; confined: boolean }> {
  const folder = await mkdtemp(join(tmpdir(), 'lateen-sandbox-'));
  try {
    const plan = { argv: ['node', '--version'], env: { PATH: image.path }, mounts: [], readOnlyRoot: true };
    const { argv, env } = await confined({ plan, image, rootfs, folder });
    await promisify(execFile)(argv[0]!, argv.slice(1), { env, timeout: TEST_DEADLINE_MS });
    return { sandbox: confined, confined: true };
  } catch {
    return { sandbox: relocated, confined: false };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** In a namespace of users and mounts, as the image's user. */
export async function confined({ plan, image, rootfs, folder }: SandboxInput): Promise<Command> {
  const [root, stands, passwd] = [join(folder, 'root'), join(folder, 'stand-ins'), join(folder, 'passwd')];
  await mkdir(root, { recursive: true });
  await writeStandIns(stands);
  await writeFile(passwd, `root:x:0:0:root:/root:/bin/sh\nlateen:x:${image.uid}:${image.gid}::/nonexistent:/usr/sbin/nologin\n`);
  const mounts = [{ source: stands, mountPath: STAND_INS, readOnly: true }, ...plan.mounts].flatMap(({ source, mountPath, readOnly }) => [
    source,
    mountPath,
    readOnly ? 'ro' : 'rw',
  ]);
  const tree = [root, join(rootfs, 'usr/local'), plan.readOnlyRoot ? 'yes' : 'no', passwd, ...mounts];
  const namespaces = ['--user', `--map-user=${image.uid}`, `--map-group=${image.gid}`, '--keep-caps', '--mount'];
  const env = { ...plan.env, PATH: `${plan.env['PATH']}${delimiter}${STAND_INS}` };
  // env: the script itself needs this machine's PATH.
  const inside = ['env', '-i', ...Object.entries(env).map(([name, value]) => `${name}=${value}`), ...plan.argv];
  return { argv: ['unshare', ...namespaces, '/bin/sh', SCRIPT, ...tree, '--', ...inside], env: { PATH: process.env['PATH'] ?? '' } };
}

/**
 * Among the files of this machine: the image's files are copied to a folder, and every path at which something is mounted is
 * rewritten to where it really is, in the arguments and in the texts of the image. It sees less: nothing is read-only, and the
 * user is who runs this.
 */
export async function relocated({ plan, rootfs, folder }: SandboxInput): Promise<Command> {
  const [tree, stands] = [join(folder, 'tree'), join(folder, 'stand-ins')];
  await writeStandIns(stands);
  // Programs ask for TMPDIR; the text "/tmp" may stand anywhere.
  const mounts = plan.mounts.filter(({ mountPath }) => mountPath !== TMP).toSorted((a, b) => b.mountPath.length - a.mountPath.length);
  const moved = (text: string): string => mounts.reduce((all, { mountPath, source }) => all.replaceAll(mountPath, source), text);
  await cp(join(rootfs, 'usr/local/lib'), join(tree, 'lib'), { recursive: true });
  await mkdir(join(tree, 'bin'), { recursive: true });
  for (const name of await readdir(join(rootfs, 'usr/local/bin'))) await relocateProgram(rootfs, tree, name);
  await rewriteTexts(join(tree, 'lib/lateen'), moved);
  const tmp = plan.mounts.find(({ mountPath }) => mountPath === TMP)?.source;
  const path = [join(tree, 'bin'), process.env['PATH'], stands].join(delimiter);
  return { argv: ['env', ...plan.argv.map(moved)], env: { ...plan.env, PATH: path, ...(tmp ? { TMPDIR: tmp } : {}) } };
}

/** A launcher finds what is beside itself, so it is copied; what is large is linked. */
async function relocateProgram(rootfs: string, tree: string, name: string): Promise<void> {
  const [from, to] = [join(rootfs, 'usr/local/bin', name), join(tree, 'bin', name)];
  if (name.startsWith('lateen')) await cp(from, to);
  else await symlink(from, to).catch(() => undefined);
}

async function rewriteTexts(folder: string, moved: (text: string) => string): Promise<void> {
  for (const name of await readdir(folder)) {
    const text = await readFile(join(folder, name), 'utf8');
    if (moved(text) !== text) await writeFile(join(folder, name), moved(text));
  }
}

async function writeStandIns(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'tini'), INIT);
  await chmod(join(folder, 'tini'), 0o755);
}
