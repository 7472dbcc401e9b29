import { execFile } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { agentKubeconfig } from '../agent-access.ts';
import type { ClientInput, ClientResult } from './clients.ts';
import { appName, ownedObjects } from './fixtures.ts';
import { CONCURRENCY, type Laboratory } from './laboratory.ts';

const run = promisify(execFile);
const PROGRAM = fileURLToPath(new URL('./clients.ts', import.meta.url));
const DEADLINE_MS = 600_000;

export interface Clients {
  objects: number;
  /** An apply and a read of each object. */
  requests: number;
  thin: ClientResult;
  library: ClientResult;
}

/** The same requests through both clients, each in a namespace and a process of its own. */
export async function clients(laboratory: Laboratory, applications: number): Promise<Clients> {
  const results: Partial<Record<'thin' | 'library', ClientResult>> = {};
  let objects = 0;
  for (const which of ['thin', 'library'] as const) {
    const { namespace } = await laboratory.place();
    const kubeconfig = await agentKubeconfig(laboratory.plane, { namespace, file: join(laboratory.folder, `${namespace}.kubeconfig`) });
    const input: ClientInput = {
      kubeconfig,
      concurrency: CONCURRENCY,
      objects: Array.from({ length: applications }, (_, index) => ownedObjects(appName(index), namespace)).flat(),
    };
    objects = input.objects.length;
    const file = join(laboratory.folder, `${namespace}.json`);
    await writeFile(file, JSON.stringify(input), { mode: 0o600 });
    const { stdout } = await run(process.execPath, ['--disable-warning=ExperimentalWarning', PROGRAM, which, file], {
      timeout: DEADLINE_MS,
    });
    await rm(file);
    results[which] = JSON.parse(stdout) as ClientResult;
    await laboratory.settle();
  }
  return { objects, requests: 2 * objects, thin: results.thin!, library: results.library! };
}
