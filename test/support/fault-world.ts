import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, inject } from 'vitest';
import { bundledAgent } from '#dev/faults/agent.ts';
import { openWorld, type World } from '#dev/faults/world.ts';
import { standingFor } from './standing-for.ts';

/** A namespace with an agent behind a proxy, for the tests of one file. */
export function faultWorld(): World {
  let folder: string;
  let world: World | undefined;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lateen-'));
    world = await openWorld(inject('plane'), await bundledAgent(join(folder, 'agent')));
  });

  afterAll(async () => {
    await world?.close();
    await rm(folder, { recursive: true, force: true });
  });

  return standingFor(() => world);
}
