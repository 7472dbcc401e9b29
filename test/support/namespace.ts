import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { inject } from 'vitest';

const run = promisify(execFile);
const DEADLINE_MS = 20_000;

/** Runs kubectl with all rights and resolves to what it printed; rejects with its error output. */
export async function kubectl(...args: string[]): Promise<string> {
  const { kubeconfig, programs } = inject('plane');
  const { stdout } = await run(programs.kubectl, ['--kubeconfig', kubeconfig, ...args], {
    timeout: DEADLINE_MS,
    maxBuffer: 64 * 1024 * 1024,
  });
  return stdout;
}

/** Applies objects with all rights, as `kubectl apply --server-side` does. */
export async function kubectlApply(items: readonly object[], ...flags: string[]): Promise<void> {
  const { kubeconfig, programs } = inject('plane');
  const args = ['--kubeconfig', kubeconfig, 'apply', '--server-side', '--force-conflicts', ...flags, '-f', '-'];
  const running = run(programs.kubectl, args, { timeout: DEADLINE_MS });
  running.child.stdin?.end(JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
  await running;
}

/** A new namespace of the control plane of this run. It is never removed: the control plane goes away as a whole. */
export async function createNamespace(options: { waitForServiceAccount?: boolean } = {}): Promise<string> {
  const name = `test-${randomBytes(4).toString('hex')}`;
  await kubectl('create', 'namespace', name);
  const until = Date.now() + DEADLINE_MS;
  while (options.waitForServiceAccount) {
    const found = await kubectl('get', 'serviceaccount', 'default', '-n', name, '--ignore-not-found', '-o', 'name');
    if (found !== '') break;
    if (Date.now() > until) throw new Error(`namespace ${name} has no default ServiceAccount after ${DEADLINE_MS / 1000} s`);
    await sleep(50);
  }
  return name;
}
