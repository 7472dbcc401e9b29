import { readFileSync } from 'node:fs';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { Application } from '#api/application.ts';
import type { KubeObject } from '#api/kubernetes.ts';
import { findRevision, recordedApplication, recordedExternals, recordsOf, type RevisionRecord } from '#cli/revision-record.ts';
import { cloneOf, nextNumber } from '#cli/revision-clone.ts';
import { bytesText, revisionsTable, statusOf } from '#cli/revision-table.ts';
import { revisionText } from '#cli/revision-text.ts';
import { rollbackChoice } from '#cli/rollback-target.ts';
import podinfo from '#test/fixtures/oracle/publish-version/application.json' with { type: 'json' };
import recorded from '#test/fixtures/oracle/publish-version/applicationrevisions.json' with { type: 'json' };

const printed = readFileSync(new URL('../../fixtures/oracle-cli/revision-list.txt', import.meta.url), 'utf8');
const application = podinfo as unknown as Application;
const objects = recorded.items as unknown as KubeObject[];
const records = recordsOf('podinfo', objects);
const KIB = 1_024;

function changed(object: KubeObject, change: Partial<KubeObject> & { metadata?: KubeObject['metadata'] }): KubeObject {
  return { ...object, ...change, metadata: { ...object.metadata, ...change.metadata } };
}

describe('vela revision list', () => {
  it('is printed byte by byte', () => {
    // The recording leaves out the definitions, which were most of the bytes.
    const bytes = [44.8, 44.8, 44.6].map((kib) => kib * KIB);
    const table = revisionsTable(
      records.map((record, index) => ({ record, bytes: bytes[index] ?? 0 })),
      'UTC',
    );
    expect(printed.endsWith(table)).toBe(true);
  });

  it('names the state as vela does', () => {
    const workflow = { mode: 'DAG-DAG', suspend: false, terminated: false, finished: false };
    expect([
      statusOf(undefined),
      statusOf({ ...workflow, status: 'succeeded', finished: true }),
      statusOf({ ...workflow, status: 'executing' }),
      statusOf({ ...workflow, terminated: true, finished: true }),
      statusOf({ ...workflow, suspend: true }),
    ]).toEqual(['NotStart', 'Succeeded', 'Executing or Failed', 'Failed', 'Failed']);
  });

  it('sorts by number, not by name', () => {
    const more = [10, 9].map((number) => changed(objects[0]!, { metadata: { name: `podinfo-v${number}` } }));
    expect(recordsOf('podinfo', [...more, ...objects]).map(({ number }) => number)).toEqual([1, 2, 3, 9, 10]);
  });

  it.each([
    [1_023, '1023 B'],
    [1_024, '1.0 KiB'],
    [45_875, '44.8 KiB'],
    [5 * KIB * KIB, '5.0 MiB'],
  ])('writes %i bytes as %s', (bytes, text) => {
    expect(bytesText(bytes)).toBe(text);
  });
});

describe('lateen revision get', () => {
  it('shows what a revision holds, and who asked', () => {
    const commits = JSON.stringify({ podinfo: `main@sha1:${'3f0c9a1d'.repeat(5)}` });
    const [one] = recordsOf('podinfo', [
      changed(objects[1]!, {
        metadata: { annotations: { ...objects[1]!.metadata.annotations, 'lateen.dev/requested-by': 'Alice <a@x>' } },
        status: { ...(objects[1]!['status'] as object), workflowContext: { commits } },
      }),
    ]);
    const lines = revisionText({ record: one!, bytes: 512 }, { timeZone: 'UTC', heading: (text) => text }).split('\n');
    expect(lines.map((line) => line.replaceAll(/ *\t/g, ' | ').trimEnd())).toEqual([
      'NAME | PUBLISH_VERSION | SUCCEEDED | HASH | BEGIN_TIME | STATUS | SIZE',
      'podinfo-v2 | alpha2 | true | 1d9863aa32509f02 | 2026-11-22 09:54:25 | Succeeded | 512 B',
      '',
      'About:',
      '',
      '  Publish version: | alpha2',
      '  Asked for by: | Alice <a@x>',
      '',
      'Components:',
      '',
      '  NAME | TYPE | TRAITS | COMMIT',
      `  podinfo | webservice |  | main@sha1:${'3f0c9a1d'.repeat(5)}`,
      '',
    ]);
  });
});

describe('the name of a revision', () => {
  const found = (wanted: string, from: readonly RevisionRecord[] = records): string => findRevision(from, wanted, 'podinfo').name;

  it('is APP-vN, vN or a publishVersion', () => {
    expect(['podinfo-v2', 'v2', 'alpha2', 'beta1'].map((wanted) => found(wanted))).toEqual([
      'podinfo-v2',
      'podinfo-v2',
      'podinfo-v2',
      'podinfo-v3',
    ]);
  });

  it('means the newest of several with one version', () => {
    const again = changed(objects[1]!, { metadata: { name: 'podinfo-v4' } });
    expect(found('alpha2', recordsOf('podinfo', [...objects, again]))).toBe('podinfo-v4');
  });

  it('is refused where it means two', () => {
    const named = changed(objects[1]!, { metadata: { name: 'podinfo-v4', annotations: { 'app.oam.dev/publishVersion': 'v1' } } });
    const all = recordsOf('podinfo', [...objects, named]);
    expect(() => found('v1', all)).toThrow('"v1" is podinfo-v1, and the publishVersion of podinfo-v4');
    expect(found('podinfo-v1', all)).toBe('podinfo-v1');
    expect(found('podinfo-v4', all)).toBe('podinfo-v4');
  });

  it('is no other thing: what there is is named', () => {
    expect(() => found('v9')).toThrow(
      expect.objectContaining({
        message: 'the Application podinfo has no revision "v9"',
        remedy: 'it has podinfo-v3 (beta1), podinfo-v2 (alpha2), podinfo-v1 (alpha1)',
      }),
    );
  });
});

describe('a snapshot', () => {
  it.each([
    ['gzip', gzipSync],
    ['zstd', zstdCompressSync],
  ])('that vela-core packed with %s is read', (type, pack) => {
    const [plain] = objects;
    const fields = plain!['spec'] as Record<string, unknown>;
    const data = pack(JSON.stringify({ application: fields['application'], policies: { 'g-pub/one': { type: 'override' } } })).toString(
      'base64',
    );
    const stub = { application: { spec: { components: [] } }, compression: { type, data } };
    const [packed] = recordsOf('podinfo', [changed(plain!, { spec: stub })]);
    expect(recordedApplication(packed!)).toEqual(recordedApplication(records[0]!));
    expect(recordedExternals(packed!).policies).toEqual({ one: { type: 'override' } });
  });

  it('that cannot be unpacked is said to be', () => {
    const spec = { application: {}, compression: { type: 'gzip', data: 'AAAA' } };
    const [broken] = recordsOf('podinfo', [changed(objects[0]!, { spec })]);
    expect(() => recordedApplication(broken!)).toThrow('the snapshot of "podinfo-v1" cannot be unpacked');
  });

  it('is shown under the version that it ran under', () => {
    // vela copies the snapshot with the version of the first run into it.
    expect(recordedApplication(records[2]!).metadata.annotations?.['app.oam.dev/publishVersion']).toBe('beta1');
  });
});

describe('a clone', () => {
  it('has the next number, the new version, and belongs to the Application', () => {
    const from = changed(objects[0]!, {
      metadata: { annotations: { ...objects[0]!.metadata.annotations, 'lateen.dev/requested-by': 'alice' } },
    });
    const [record] = recordsOf('podinfo', [from]);
    const number = nextNumber(application, records);
    const clone = cloneOf(record!, application, { number, version: 'gamma', requestedBy: 'bob' });
    expect(clone).toEqual({
      apiVersion: 'core.oam.dev/v1beta1',
      kind: 'ApplicationRevision',
      metadata: {
        name: 'podinfo-v4',
        namespace: 'g-pub',
        labels: objects[0]!.metadata.labels,
        annotations: { ...objects[0]!.metadata.annotations, 'app.oam.dev/publishVersion': 'gamma', 'lateen.dev/requested-by': 'bob' },
        ownerReferences: [
          { apiVersion: 'core.oam.dev/v1beta1', kind: 'Application', name: 'podinfo', uid: application.metadata.uid, controller: true },
        ],
      },
      spec: objects[0]!['spec'],
    });
  });

  it('says nothing of who asked where nobody knows: never who asked for the first one', () => {
    const from = changed(objects[0]!, { metadata: { annotations: { 'lateen.dev/requested-by': 'alice' } } });
    const [record] = recordsOf('podinfo', [from]);
    const { metadata } = cloneOf(record!, application, { number: 4, version: 'gamma', requestedBy: undefined });
    expect(metadata.annotations).toEqual({ 'app.oam.dev/publishVersion': 'gamma' });
  });

  it('has a number above all that were ever given', () => {
    const status = { ...application.status, latestRevision: { name: 'podinfo-v7', revision: 7, revisionHash: '' } };
    expect([nextNumber({ ...application, status }, records), nextNumber({ ...application, status: {} }, [])]).toEqual([8, 1]);
  });
});

describe('where a rollback goes', () => {
  const failed = { mode: 'DAG-DAG', suspend: false, terminated: true, finished: true, status: 'failed', appRevision: 'beta1' };
  const withWorkflow = (workflow: object): Application => ({ ...application, status: { ...application.status, workflow } }) as Application;
  const names = (of: readonly RevisionRecord[]): string[] => of.map(({ name }) => name);

  it('to the newest other one that succeeded, from one that failed, runs or is suspended', () => {
    for (const workflow of [failed, { ...failed, terminated: false, finished: false }, { ...failed, suspend: true, finished: false }]) {
      const { runningSucceeded, candidates } = rollbackChoice(withWorkflow(workflow), records);
      expect([runningSucceeded, names(candidates)]).toEqual([false, ['podinfo-v2', 'podinfo-v1']]);
    }
  });

  it('nowhere from one that succeeded', () => {
    expect(rollbackChoice(application, records)).toMatchObject({ runningSucceeded: true, running: { name: 'podinfo-v3' } });
  });

  it('past those that did not succeed', () => {
    const unwell = changed(objects[1]!, { status: { succeeded: false, workflow: failed } });
    const { candidates } = rollbackChoice(withWorkflow(failed), recordsOf('podinfo', [objects[0]!, unwell, objects[2]!]));
    expect(names(candidates)).toEqual(['podinfo-v1']);
  });
});
