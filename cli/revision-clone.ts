import type { Application } from '#api/application.ts';
import type { KubeObject } from '#api/kubernetes.ts';
import { API_VERSION, annotation } from '#api/names.ts';
import type { RevisionRecord } from './revision-record.ts';

/** The number behind all that were ever given: numbers only grow. */
export function nextNumber({ status }: Application, records: readonly RevisionRecord[]): number {
  return Math.max(0, status?.latestRevision?.revision ?? 0, ...records.map(({ number }) => number)) + 1;
}

export interface CloneOptions {
  number: number;
  version: string;
  /** Who asks; undefined where the API server does not tell. */
  requestedBy: string | undefined;
}

/** A revision again under another version, as `vela up --publish-version --revision` makes it (spec/kubevela.md §3.7). */
export function cloneOf({ object }: RevisionRecord, { metadata }: Application, options: CloneOptions): KubeObject {
  const { number, version, requestedBy } = options;
  const { name, namespace, uid = '' } = metadata;
  const { [annotation.requestedBy]: _, ...annotations } = object.metadata.annotations ?? {};
  return {
    apiVersion: API_VERSION,
    kind: 'ApplicationRevision',
    metadata: {
      name: `${name}-v${number}`,
      namespace,
      ...(object.metadata.labels ? { labels: object.metadata.labels } : {}),
      annotations: {
        ...annotations,
        [annotation.publishVersion]: version,
        ...(requestedBy === undefined ? {} : { [annotation.requestedBy]: requestedBy }),
      },
      ownerReferences: [{ apiVersion: API_VERSION, kind: 'Application', name, uid, controller: true }],
    },
    spec: object['spec'],
  };
}
