import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Revisions, type RevisionsContext } from '#agent/application/revisions.ts';
import { NO_EXTERNALS } from '#agent/revision/externals.ts';
import { snapshot, specHash } from '#agent/revision/snapshot.ts';
import type { Application } from '#api/application.ts';
import type { KubeObject, ObjectReference } from '#api/kubernetes.ts';
import { annotation, API_VERSION } from '#api/names.ts';

const signal = new AbortController().signal;

function application(image: string, hold?: string): Application {
  const annotations = hold === undefined ? {} : { [annotation.hold]: hold };
  const spec = { components: [{ name: 'web', type: 'webservice', properties: { image } }] };
  return {
    apiVersion: API_VERSION,
    kind: 'Application',
    metadata: { name: 'app', namespace: 'a', uid: 'u', generation: 3, annotations },
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
  const revisions = new Revisions({ client, live: { all: () => there }, revisionLimit: 10 } as unknown as RevisionsContext);
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
