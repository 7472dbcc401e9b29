import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiRequest } from './api-proxy.ts';
import type { World } from './world.ts';

const QUIET_MS = 500;
const REST_MS = 1_200;
/** Retries of what failed a moment ago may still be due: the longest wait is a minute. */
const SETTLE_MS = 75_000;

/** What the agent has written from the call on. */
export interface Traffic {
  names: string[];
  /** Of the last write, performance.now(). */
  lastMs(): number;
}

/** `PATCH configmaps/name`, as people read it. */
export function writeName({ method, path }: ApiRequest): string {
  const [plain = ''] = path.split('?');
  return `${method} ${plain.split('/').slice(-2).join('/')}${path.includes('dryRun') ? ' (dry run)' : ''}`;
}

/** Takes the place of the hooks that the proxy has. */
export function watchWrites(world: World): Traffic {
  const names: string[] = [];
  let last = performance.now();
  world.proxy.hooks = {
    before(request) {
      if (!request.write) return undefined;
      names.push(writeName(request));
      last = performance.now();
      return undefined;
    },
  };
  return { names, lastMs: () => last };
}

/** Resolves when no write has gone through for a while. */
export async function quiet({ lastMs }: Traffic): Promise<void> {
  while (performance.now() - lastMs() < QUIET_MS) await sleep(50);
}

/** Resolves when the agent has stopped writing; rejects where it never does (invariant I7 of spec/sync.md §6A). */
export async function comesToRest(world: World): Promise<void> {
  const traffic = watchWrites(world);
  const end = performance.now() + SETTLE_MS;
  while (performance.now() - traffic.lastMs() < QUIET_MS + REST_MS) {
    if (performance.now() > end) throw new Error(`it writes on and on: ${traffic.names.slice(-10).join(', ')}`);
    await sleep(100);
  }
}
