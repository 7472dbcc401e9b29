import { type ApiServer, callApi } from './api-server.ts';

const NODE_NAME = 'node-1';

/** Large enough that no test waits for room. */
const NODE_RESOURCES = { cpu: '1000', memory: '1Ti', pods: '10000' };

/** Creates the one node of a cluster, which kwok plays: its pods become Ready and nothing runs in them. */
export async function createNode(api: ApiServer): Promise<void> {
  const node = {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: NODE_NAME,
      annotations: { 'kwok.x-k8s.io/node': 'fake' },
      labels: { 'kubernetes.io/hostname': NODE_NAME, 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': 'amd64' },
    },
    status: { allocatable: NODE_RESOURCES, capacity: NODE_RESOURCES },
  };
  const { status, body } = await callApi(api, '/api/v1/nodes', { method: 'POST', body: node });
  if (status !== 201) throw new Error(`creating the node ${NODE_NAME} was answered ${status}: ${body}`);
}

interface NodeObject {
  spec?: { taints?: unknown[] };
  status?: { conditions?: { type: string; status: string }[] };
}

/** Whether pods can be scheduled to it. */
export async function nodeIsReady(api: ApiServer): Promise<boolean> {
  const { status, body } = await callApi(api, `/api/v1/nodes/${NODE_NAME}`);
  if (status !== 200) return false;
  const node = JSON.parse(body) as NodeObject;
  const ready = node.status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True');
  return ready === true && (node.spec?.taints ?? []).length === 0;
}
