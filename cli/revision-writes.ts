import { ApiError } from '#agent/cluster/client.ts';
import type { KubeObject } from '#api/kubernetes.ts';
import { isMap } from '#api/schema.ts';
import type { Cluster } from './cluster.ts';

const DEADLINE_MS = 15_000;
/** Others may take a number at the same moment: the agent, or somebody who publishes too. */
const MAX_TRIES = 10;

/** Creates the revision that `make` makes with a number, at the first number from `from` on that is free. */
export async function createRevision({ client }: Cluster, from: number, make: (number: number) => KubeObject): Promise<KubeObject> {
  for (let number = from; ; number++) {
    try {
      return await client.create(make(number), { timeoutMs: DEADLINE_MS });
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 409 && number - from < MAX_TRIES)) throw error;
    }
  }
}

/** Removes a revision that was made for a roll-out which did not come about. */
export async function deleteRevision({ client }: Cluster, { apiVersion, kind, metadata }: KubeObject): Promise<void> {
  const { name = '', namespace = '', uid = '' } = metadata;
  await client.delete({ apiVersion, kind, name, namespace }, { uid, timeoutMs: DEADLINE_MS });
}

/** The name under which the API server knows whoever asks; undefined where it does not tell. */
export async function userName({ client }: Cluster): Promise<string | undefined> {
  const [apiVersion, kind] = ['authentication.k8s.io/v1', 'SelfSubjectReview'];
  const { status, body } = await client.transport.request({
    method: 'POST',
    path: `/apis/${apiVersion}/selfsubjectreviews`,
    body: { apiVersion, kind },
    timeoutMs: DEADLINE_MS,
  });
  const review = status < 300 && isMap(body) && isMap(body['status']) ? body['status'] : {};
  const name = isMap(review['userInfo']) ? review['userInfo']['username'] : undefined;
  return typeof name === 'string' ? name : undefined;
}
