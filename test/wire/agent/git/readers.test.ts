import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ObjectReaders } from '#agent/git/object-readers.ts';
import { commitFiles, git, initRepository } from '#dev/git-repository.ts';

let folder: string;
let readers: ObjectReaders;
const never = new AbortController().signal;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lateen-'));
  readers = new ObjectReaders();
});

afterEach(async () => {
  readers.close();
  await rm(folder, { recursive: true, force: true });
});

async function repository(
  name: string,
  files: Record<string, string>,
): Promise<{ directory: string; home: string; oids: Map<string, string> }> {
  const directory = join(folder, name);
  await initRepository(directory);
  await commitFiles(directory, 'main', files, { message: 'Begin' });
  const listing = await git(directory, ['ls-tree', '-r', 'main']);
  const oids = new Map(listing.split('\n').map((line) => [line.split('\t')[1]!, line.split(/\s/)[2]!]));
  return { directory, home: folder, oids };
}

/** Processes that read a repository of this test. */
async function processes(): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const [command, environment] = await Promise.all(
        ['cmdline', 'environ'].map((file) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '')),
      );
      return command?.startsWith('git\0cat-file') && environment?.includes(folder) ? [Number(pid)] : [];
    }),
  );
  return found.flat();
}

it('one process serves the reads of a repository, small and large, side by side', async () => {
  const large = 'x'.repeat(300_000);
  const files = Object.fromEntries(
    Array.from({ length: 200 }, (_, index) => [`f${index}`, index % 50 === 0 ? large + index : `text ${index}\n`]),
  );
  const { directory, home, oids } = await repository('many', files);
  const read = async (name: string): Promise<string | undefined> => {
    const oid = oids.get(name)!;
    const contents = await readers.read({ directory, home }, [{ oid, size: Buffer.byteLength(files[name]!) }], never);
    return contents.get(oid)?.toString('utf8');
  };
  const names = Object.keys(files);

  const texts = await Promise.all(names.map(read));

  expect(texts).toEqual(names.map((name) => files[name]));
  expect(await processes()).toHaveLength(1);
});

it('a read that is left, or that finds something else than was promised, does not spoil the next', async () => {
  const { directory, home, oids } = await repository('spoilt', { a: 'a'.repeat(200_000), b: 'b' });
  const [a, b] = [oids.get('a')!, oids.get('b')!];
  const leaving = new AbortController();
  const left = readers.read({ directory, home }, [{ oid: a, size: 200_000 }], leaving.signal);
  leaving.abort(new Error('left'));

  await expect(left).rejects.toThrow('left');
  await expect(readers.read({ directory, home }, [{ oid: a, size: 1 }], never)).rejects.toThrow('more output than the listing promised');
  await expect(readers.read({ directory, home }, [{ oid: '0'.repeat(40), size: 1 }], never)).rejects.toThrow('missing');

  const contents = await readers.read({ directory, home }, [{ oid: b, size: 1 }], never);
  expect(contents.get(b)?.toString('utf8')).toBe('b');
});

it('no more than four wait for the next read, and none after two seconds', async () => {
  for (let index = 0; index < 6; index++) {
    const { directory, home, oids } = await repository(`r${index}`, { a: String(index) });
    await readers.read({ directory, home }, [{ oid: oids.get('a')!, size: 1 }], never);
  }

  await expect.poll(processes, { timeout: 1_500 }).toHaveLength(4);
  await sleep(2_000);
  await expect.poll(processes, { timeout: 5_000 }).toHaveLength(0);
});
