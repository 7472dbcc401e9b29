import { unpacked } from '#agent/revision/content.ts';
import type { Externals } from '#agent/revision/externals.ts';
import { revisionNumber } from '#agent/revision/snapshot.ts';
import type { Application, WorkflowStatus } from '#api/application.ts';
import type { KubeObject } from '#api/kubernetes.ts';
import { annotation, label } from '#api/names.ts';
import { isMap } from '#api/schema.ts';
import { quote } from '#api/wording.ts';
import { CommandError, type Exit, exit } from './exit.ts';

/** An ApplicationRevision as the commands read it. */
export interface RevisionRecord {
  name: string;
  number: number;
  /** Its publishVersion; '' where it has none. */
  version: string;
  succeeded: boolean;
  hash: string;
  /** Who asked for it; '' where nobody knows. */
  requestedBy: string;
  /** Written when its workflow ends, or something else takes its place. */
  workflow: WorkflowStatus | undefined;
  /** `main@sha1:<commit>` of each kustomize component. */
  commits: Readonly<Record<string, string>>;
  /** As the API server has it. */
  object: KubeObject;
}

export function recordOf(application: string, object: KubeObject): RevisionRecord {
  const { name = '', labels = {}, annotations = {} } = object.metadata;
  const status = isMap(object['status']) ? object['status'] : {};
  return {
    name,
    // vela sorts by the number behind the last `-v`, 0 where there is none.
    number: revisionNumber(application, name) ?? 0,
    version: annotations[annotation.publishVersion] ?? '',
    succeeded: status['succeeded'] === true,
    hash: labels[label.appRevisionHash] ?? '',
    requestedBy: annotations[annotation.requestedBy] ?? '',
    workflow: status['workflow'] as WorkflowStatus | undefined,
    commits: commitsOf(status['workflowContext']),
    object,
  };
}

/** By number, the oldest first. */
export function recordsOf(application: string, objects: readonly KubeObject[]): RevisionRecord[] {
  return objects.map((object) => recordOf(application, object)).toSorted((left, right) => left.number - right.number);
}

function commitsOf(context: unknown): Record<string, string> {
  const text = isMap(context) ? context['commits'] : undefined;
  if (typeof text !== 'string') return {};
  try {
    const commits: unknown = JSON.parse(text);
    if (!isMap(commits)) return {};
    return Object.fromEntries(Object.entries(commits).filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
  } catch {
    return {};
  }
}

/** What it recorded of the Application: metadata as it was, with the publishVersion that it ran under. */
export function recordedApplication({ name, version, object }: RevisionRecord): Application {
  const { application } = unpacked(object)['spec'] as { application?: Application };
  if (!application?.spec || !Array.isArray(application.spec.components))
    throw new CommandError(exit.couldNotAsk, `${name} holds no Application`, 'take another revision');
  const { [annotation.publishVersion]: _, ...annotations } = application.metadata.annotations ?? {};
  const metadata = {
    ...application.metadata,
    annotations: { ...annotations, ...(version === '' ? {} : { [annotation.publishVersion]: version }) },
  };
  return { ...application, metadata };
}

/** The policies and the workflow that it names, as they were then. KubeVela keys them by namespace and name. */
export function recordedExternals({ object }: RevisionRecord): Externals {
  const { policies = {}, workflow } = unpacked(object)['spec'] as Partial<Externals>;
  const named = Object.entries(policies).map(([key, policy]) => [key.slice(key.indexOf('/') + 1), policy] as const);
  return { policies: Object.fromEntries(named), ...(workflow ? { workflow } : {}) };
}

/** `podinfo-v1 (alpha1)`. */
export function titleOf({ name, version }: Pick<RevisionRecord, 'name' | 'version'>): string {
  return version === '' ? name : `${name} (${version})`;
}

/**
 * The revision that a person means by `APP-vN`, `vN` or a publishVersion: of several with one version the newest. Throws a
 * CommandError with `status` where there is none, or where the word means two.
 */
export function findRevision(
  records: readonly RevisionRecord[],
  wanted: string,
  application: string,
  status: Exit = exit.no,
): RevisionRecord {
  const named = records.find(({ name }) => name === wanted) ?? records.find(({ name }) => name === `${application}-${wanted}`);
  const versioned = records.findLast(({ version }) => version === wanted);
  if (named && versioned && named.name !== wanted && named !== versioned) {
    throw new CommandError(
      status,
      `${quote(wanted)} is ${named.name}, and the publishVersion of ${versioned.name}`,
      `write ${named.name} or ${versioned.name}`,
    );
  }
  const found = named ?? versioned;
  if (found) return found;
  const newest = records.toReversed().slice(0, 10).map(titleOf);
  const there = newest.length === 0 ? 'it has none yet' : `it has ${newest.join(', ')}${records.length > 10 ? ' and older ones' : ''}`;
  throw new CommandError(status, `the Application ${application} has no revision ${quote(wanted)}`, there);
}
