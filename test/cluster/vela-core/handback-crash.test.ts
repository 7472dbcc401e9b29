import { expect, it } from 'vitest';
import type { Client } from '#agent/cluster/client.ts';
import { letGo, takeClaimOff } from '#agent/cluster/handback.ts';
import { inventoryName, toConfigMap } from '#agent/manifest/inventory.ts';
import type { Application } from '#api/application.ts';
import type { KubeObject } from '#api/kubernetes.ts';
import { holdingOf } from '#cli/inventory-holding.ts';
import { adminConnection, configMap, testClient } from '#test/support/api-client.ts';
import { createNamespace } from '#test/support/namespace.ts';

const CLAIM = 'app.oam.dev/controller-version-require';
const OURS = { 'lateen.dev/application': 'app', 'lateen.dev/component': 'c' };
const NAMES = ['one', 'two', 'three'];

interface Scene {
  client: Client;
  namespace: string;
  uids: (string | undefined)[];
}

/** An Application of ours with three objects and its inventory, as an agent leaves them. */
async function scene(): Promise<Scene> {
  const client = testClient(await adminConnection());
  const namespace = await createNamespace();
  const metadata = { name: 'app', namespace, annotations: { [CLAIM]: 'lateen', 'lateen.dev/handed-back': 'true' } };
  const application: KubeObject = { apiVersion: 'core.oam.dev/v1beta1', kind: 'Application', metadata, spec: { components: [] } };
  const { metadata: stored } = await client.create(application);
  const made = await Promise.all(
    NAMES.map((name) => {
      const object = configMap(namespace, { key: 'value' }, name);
      return client.apply({ ...object, metadata: { ...object.metadata, labels: OURS } });
    }),
  );
  const entries = made.map(({ apiVersion, kind, metadata: { name = '', uid = '' } }) => ({
    component: 'c',
    apiVersion,
    kind,
    namespace,
    name,
    uid,
  }));
  await client.apply(toConfigMap({ application: 'app', uid: stored.uid ?? '', keep: [], entries }, namespace));
  return { client, namespace, uids: made.map((object) => object.metadata.uid) };
}

/** Ends as a killed process does at its n-th write: either before it, or after it without an answer. */
function killed(client: Client, at: number, arrives: boolean): Client {
  let writes = 0;
  const doing = async <Answer>(write: () => Promise<Answer>): Promise<Answer> => {
    writes++;
    if (writes < at) return write();
    if (writes === at && arrives) await write();
    throw new Error('killed');
  };
  return {
    ...client,
    apply: (...args) => doing(() => client.apply(...args)),
    mergePatch: (...args) => doing(() => client.mergePatch(...args)),
    delete: (...args) => doing(() => client.delete(...args)),
  };
}

/** What `lateen handback` does where no agent runs; the agent does the same. */
async function handBack(client: Client, namespace: string, inventory: Parameters<typeof holdingOf>[0] | undefined): Promise<void> {
  const reference = { apiVersion: 'core.oam.dev/v1beta1', kind: 'Application', namespace, name: 'app' };
  const application = (await client.get(reference)) as unknown as Application;
  const cluster = { client, server: '', namespace };
  await letGo(application, inventory && holdingOf(inventory, cluster), { client, now: '2026-01-01T00:00:00Z' });
  await takeClaimOff(reference, { client });
}

async function inventoryOf({ client, namespace }: Scene): Promise<Parameters<typeof holdingOf>[0] | undefined> {
  const object = await client.get({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name: inventoryName('app') });
  const text = (object?.['data'] as Record<string, string> | undefined)?.['inventory.json'];
  return text === undefined ? undefined : (JSON.parse(text) as Parameters<typeof holdingOf>[0]);
}

/** keep, three objects, inventory, status, claim. */
const WRITES = 7;

it.each(Array.from({ length: WRITES }, (_, index) => index + 1))(
  'killed at write %i, whether it arrived or not, nothing is lost, and the next call ends it',
  async (at) => {
    for (const arrives of [false, true]) {
      const one = await scene();
      const { client, namespace, uids } = one;
      await expect(handBack(killed(client, at, arrives), namespace, await inventoryOf(one))).rejects.toThrow('killed');
      const left = await inventoryOf(one);
      // Were the Application deleted now, the agent would spare whatever the inventory still lists.
      if (left && (at > 1 || arrives)) expect(left.keep).toEqual(['c']);
      await handBack(client, namespace, left);
      const objects = await Promise.all(NAMES.map((name) => client.get({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name })));
      expect(objects.map((object) => object?.metadata.uid)).toEqual(uids);
      for (const object of objects) expect(object?.metadata.labels).toBeUndefined();
      expect(await inventoryOf(one)).toBeUndefined();
      const application = await client.get({ apiVersion: 'core.oam.dev/v1beta1', kind: 'Application', namespace, name: 'app' });
      expect(application?.metadata.annotations).not.toHaveProperty([CLAIM]);
      expect((application as unknown as Application).status?.conditions).toMatchObject([{ reason: 'HandedBack' }]);
    }
  },
);

it('takes so many writes', async () => {
  const one = await scene();
  await handBack(killed(one.client, WRITES + 1, false), one.namespace, await inventoryOf(one));
  expect(await inventoryOf(one)).toBeUndefined();
});
