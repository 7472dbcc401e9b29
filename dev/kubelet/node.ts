import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '#agent/cluster/client.ts';
import type { KubeObject } from '#api/kubernetes.ts';

/** Half of the time after which the API server calls a node lost is 25 s. */
const HEARTBEAT_MS = 10_000;
const LEASE_NAMESPACE = 'kube-node-lease';
const LEASE_SECONDS = 40;
const RESOURCES = { cpu: '100', memory: '100Gi', pods: '1000' };
/** Only Pods that ask for this node come here: others are played by kwok. */
export const NODE_LABEL = 'lateen.dev/workbench';
const FIELD_MANAGER = 'lateen-workbench';

/** A node whose Pods are run here. Resolves when it is there; goes on telling that it lives until the signal. */
export async function joinNode(client: Client, name: string, signal: AbortSignal): Promise<void> {
  const taint = { key: NODE_LABEL, value: name, effect: 'NoSchedule' };
  const metadata = { name, labels: { [NODE_LABEL]: name, 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux' } };
  const node: KubeObject = { apiVersion: 'v1', kind: 'Node', metadata, spec: { taints: [taint] } };
  await client.apply(node, { signal, fieldManager: FIELD_MANAGER });
  const now = new Date().toISOString();
  const ready = { type: 'Ready', status: 'True', reason: 'WorkbenchReady', message: '', lastHeartbeatTime: now, lastTransitionTime: now };
  const status = { capacity: RESOURCES, allocatable: RESOURCES, conditions: [ready] };
  await client.mergePatch({ apiVersion: 'v1', kind: 'Node', name }, { status }, { subresource: 'status', signal });
  await renew(client, name);
  void beat(client, name, signal);
}

async function beat(client: Client, name: string, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await sleep(HEARTBEAT_MS, undefined, { signal }).catch(() => undefined);
    if (!signal.aborted) await renew(client, name).catch(() => undefined);
  }
}

async function renew(client: Client, name: string): Promise<void> {
  const spec = { holderIdentity: name, leaseDurationSeconds: LEASE_SECONDS, renewTime: `${new Date().toISOString().slice(0, -1)}000Z` };
  const metadata = { name, namespace: LEASE_NAMESPACE };
  await client.apply({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec }, { fieldManager: FIELD_MANAGER });
}
