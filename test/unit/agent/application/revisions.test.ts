import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { type Present, Revisions, type RevisionsContext } from '#agent/application/revisions.ts';
import { NO_EXTERNALS } from '#agent/revision/externals.ts';
import { snapshot, specHash } from '#agent/revision/snapshot.ts';
import type { Application } from '#api/application.ts';
import type { KubeObject, ObjectReference } from '#api/kubernetes.ts';
import { annotation, API_VERSION } from '#api/names.ts';

const signal = new AbortController().signal;

function application(image: string, hold?: string, uid = 'u'): Application {
  const annotations = hold === undefined ? {} : { [annotation.hold]: hold };
  const spec = { components: [{ name: 'web', type: 'webservice', properties: { image } }] };
  return {
    apiVersion: API_VERSION,
    kind: 'Application',
    metadata: { name: 'app', namespace: 'a', uid, generation: 3, annotations },
    spec,
    status: { latestRevision: { name: 'app-v1', revision: 1, revisionHash: 'x' } },
  } as Application;
}

function revision(number: number, of: Application): KubeObject {
  return snapshot(of, { name: `app-v${number}`, number, hash: specHash(of) });
}

it('takes a revision that comes while the one that runs instead is being read', async () => {
  const there = [revision(1, application('one'))];
  const reads: (() => void)[] = [];
  const client = {
    get: async ({ name }: ObjectReference) => {
      await new Promise<void>((read) => reads.push(read));
      return there.find(({ metadata }) => metadata.name === name);
    },
  };
  const revisions = new Revisions({ client, live: { revisionsOf: () => there }, revisionLimit: 10 } as unknown as RevisionsContext);
  const wanted = application('three', 'app-v2');
  const settling = revisions.settle({ application: wanted, spec: wanted.spec, externals: NO_EXTERNALS }, signal);
  await turn();
  // The hold was told before the revision that it names; the watch tells of that now.
  there.push(revision(2, application('two')));
  expect(revisions.changed()).toBe(false);
  for (let read = reads.shift(); read; read = reads.shift()) {
    read();
    await turn();
  }
  expect(await settling).toMatchObject({ note: 'Held', revision: { name: 'app-v2' } });
});

it('knows nothing of the revisions of an Application that had the name before', async () => {
  const there: KubeObject[] = [];
  const client = {
    create: async (object: KubeObject) => object,
    get: async ({ name }: ObjectReference) => there.find(({ metadata }) => metadata.name === name),
  };
  const revisions = new Revisions({ client, live: { revisionsOf: () => there }, revisionLimit: 10 } as unknown as RevisionsContext);
  const presentOf = (one: Application): Present => ({ application: one, spec: one.spec, externals: NO_EXTERNALS });
  const settle = async (one: Application): Promise<unknown> => revisions.settle(presentOf(one), signal);
  // A hold reads what it names.
  there.push(revision(1, application('one')));
  expect(await settle(application('two', 'app-v1'))).toMatchObject({ spec: application('one').spec });
  await revisions.make(presentOf(application('two')), { name: 'app-v2', number: 2, hash: specHash(application('two')) }, 'me', signal);
  expect(await settle(application('two'))).toMatchObject({ isNew: false });

  const again = { ...application('two', undefined, 'other'), status: undefined } as unknown as Application;
  there.splice(0);
  expect(await settle(again)).toMatchObject({ isNew: true, revision: { name: 'app-v1' } });
  there.push(revision(1, again));
  expect(await settle(application('three', 'app-v1', 'other'))).toMatchObject({ spec: again.spec });
});

it('knows a revision that it has made no longer once the watch has shown it and its end', async () => {
  const there: KubeObject[] = [];
  const client = { create: async (object: KubeObject) => object, get: async () => undefined };
  const revisions = new Revisions({ client, live: { revisionsOf: () => there }, revisionLimit: 10 } as unknown as RevisionsContext);
  const settle = async (one: Application): Promise<unknown> =>
    revisions.settle({ application: one, spec: one.spec, externals: NO_EXTERNALS }, signal);
  const [one, two] = [application('one'), application('two')];
  await revisions.make(
    { application: one, spec: one.spec, externals: NO_EXTERNALS },
    { name: 'app-v1', number: 1, hash: specHash(one) },
    'me',
    signal,
  );
  there.push(revision(1, one));
  expect(await settle(one)).toMatchObject({ isNew: false });
  there.splice(0, 1, revision(2, two));
  expect(await settle(application('two', 'app-v1'))).toMatchObject({ note: 'RevisionNotFound', revision: { name: 'app-v2' } });
});
