import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject } from 'vitest';
import type { TestProject } from 'vitest/node';
import { bundlePrograms } from '#dev/bundle-program.ts';
import { PROGRAM_STARTS } from '#dev/program-start.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Folder of the programs as they are shipped. */
    shipped: string;
  }
}

let folder: string | undefined;

/** vitest globalSetup: bundles the programs once for a run. From their sources each start would take a second or two. */
export async function setup(project: TestProject): Promise<void> {
  folder = await mkdtemp(join(tmpdir(), 'lateen-shipped-'));
  await bundlePrograms(folder);
  project.provide('shipped', folder);
}

export async function teardown(): Promise<void> {
  if (folder) await rm(folder, { recursive: true, force: true });
}

/** The command line that starts a program as the image does; its environment stands in PROGRAM_STARTS. */
export function shipped(name: keyof typeof PROGRAM_STARTS): [command: string, ...args: string[]] {
  const { options } = PROGRAM_STARTS[name];
  return [process.execPath, '--disable-warning=ExperimentalWarning', ...options, join(inject('shipped'), `${name}.mjs`)];
}
