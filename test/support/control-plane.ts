import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { installCrds } from '#dev/agent-access.ts';
import { CONTROL_PLANE_PROGRAMS, type ControlPlane, startControlPlane } from '#dev/control-plane.ts';
import { type Programs, programs } from '#dev/programs.ts';

const PROGRAMS = [...CONTROL_PLANE_PROGRAMS, 'kustomize', 'helm'] as const;

/** The control plane of this run, as plain data: `inject('plane')`. */
export interface Plane {
  kubeconfig: string;
  server: string;
  caFile: string;
  directory: string;
  auditLog: string;
  programs: Programs<(typeof PROGRAMS)[number]>;
}

declare module 'vitest' {
  export interface ProvidedContext {
    plane: Plane;
  }
}

let plane: ControlPlane | undefined;
let directory: string | undefined;

const log = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

/** vitest globalSetup: one control plane for all suites of the run. Throws, and so fails the run, where it cannot be had. */
export async function setup(project: TestProject): Promise<void> {
  const found = await programs(PROGRAMS, { log });
  directory = await mkdtemp(join(tmpdir(), 'lateen-'));
  plane = await startControlPlane({ directory: join(directory, 'plane'), programs: found, log });
  await installCrds(plane);
  const { kubeconfig, server, caFile, auditLog } = plane;
  project.provide('plane', { kubeconfig, server, caFile, directory: plane.directory, auditLog, programs: found });
}

export async function teardown(): Promise<void> {
  await plane?.stop();
  if (directory) await rm(directory, { recursive: true, force: true });
}
