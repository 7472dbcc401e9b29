import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installCrds } from '../agent-access.ts';
import { CONTROL_PLANE_PROGRAMS, startControlPlane } from '../control-plane.ts';
import { programs } from '../programs.ts';
import { bundledAgent } from './agent.ts';
import type { FaultPlane } from './world.ts';

export interface FaultBench {
  plane: FaultPlane;
  /** The command that starts an agent. */
  command: readonly string[];
  close(): Promise<void>;
}

/** A control plane of its own and the agent as it ships. */
export async function openBench(signal: AbortSignal, log: (line: string) => void): Promise<FaultBench> {
  const found = await programs([...CONTROL_PLANE_PROGRAMS, 'kustomize', 'helm'], { log, signal });
  const folder = await mkdtemp(join(tmpdir(), 'lateen-faults-'));
  const plane = await startControlPlane({ directory: join(folder, 'plane'), programs: found, auditLog: false, signal, log });
  const close = async (): Promise<void> => {
    await plane.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await installCrds(plane);
    return { plane: { ...plane, programs: found }, command: await bundledAgent(join(folder, 'agent')), close };
  } catch (error) {
    await close();
    throw error;
  }
}
