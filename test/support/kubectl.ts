import { execFile } from 'node:child_process';
import { inject } from 'vitest';

const DEADLINE_MS = 30_000;

export interface Printed {
  status: number;
  stdout: string;
  stderr: string;
}

/** Runs kubectl with all rights and resolves to what it printed, whatever its status. */
export function runKubectl(...args: string[]): Promise<Printed> {
  const { kubeconfig, programs } = inject('plane');
  return new Promise((resolve) => {
    execFile(programs.kubectl, ['--kubeconfig', kubeconfig, ...args], { timeout: DEADLINE_MS }, (error, stdout, stderr) => {
      const code = error ? (error as { code?: unknown }).code : 0;
      resolve({ status: typeof code === 'number' ? code : 1, stdout, stderr });
    });
  });
}
