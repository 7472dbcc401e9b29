import { Failure } from '#api/failure.ts';
import type { KubeObject } from '#api/kubernetes.ts';
import { ApiError } from '../cluster/client.ts';

/** The first version that etcd ever gave: no object has it, so an apply with it makes one, or is answered with 409. */
export const ONLY_NEW = { resourceVersion: '1' };

/** Nothing was written: the object that was meant is gone, or another one has its name. */
export function isAnotherObject(error: unknown): boolean {
  if (!(error instanceof ApiError)) return false;
  return error.status === 409 || error.causes.some(({ field }) => field === 'metadata.uid');
}

/** Somebody else has a ConfigMap where an inventory is to stand: it is neither written nor deleted. */
export function placeTaken({ metadata: { name, uid = '' } }: KubeObject): Failure {
  return new Failure(
    'NotAdopted',
    `ConfigMap/${name ?? ''} (UID ${uid}) was not made by this agent, and the inventory of the Application is to stand there`,
    { kind: 'stalled', remedy: 'give that ConfigMap another name or delete it, or give the Application another name' },
  );
}

export function isPlaceTaken(error: unknown): boolean {
  return error instanceof Failure && error.reason === 'NotAdopted';
}
