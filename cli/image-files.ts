import { readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { isCandidate } from '#agent/image/setter.ts';
import { CommandError, exit } from './exit.ts';

const MAX_FILES = 100_000;

/** The files that are meant: a file as it is named, of a folder all that may hold markers. Links in folders are not followed. */
export function filesUnder(cwd: string, paths: readonly string[]): string[] {
  const files = new Set<string>();
  for (const path of paths) {
    const found = statSync(resolve(cwd, path), { throwIfNoEntry: false });
    if (!found) throw new CommandError(exit.usage, `there is no file or folder ${path}`);
    if (found.isDirectory()) walk(cwd, path, files);
    else files.add(path);
  }
  return [...files];
}

function walk(cwd: string, folder: string, files: Set<string>): void {
  const entries = readdirSync(resolve(cwd, folder), { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && entry.name !== '.git') walk(cwd, path, files);
    else if (entry.isFile() && isCandidate(entry.name)) files.add(path);
    if (files.size > MAX_FILES) throw new CommandError(exit.no, `${folder} holds more than ${MAX_FILES} files`, 'name a folder in it');
  }
}
