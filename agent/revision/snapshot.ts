import { createHash } from 'node:crypto';
import type { Application } from '#api/application.ts';
import type { KubeObject } from '#api/kubernetes.ts';
import { API_VERSION, annotation, label } from '#api/names.ts';

export interface RevisionName {
  /** `<application>-vN`. */
  name: string;
  number: number;
  /** 16 hex digits over the spec; the label app.oam.dev/app-revision-hash. */
  hash: string;
}

/** JSON with sorted keys: equal values give equal text, whoever wrote them. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null';
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  const sorted = entries.sort(([left], [right]) => (left < right ? -1 : 1));
  return `{${sorted.map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`).join(',')}}`;
}

/** KubeVela's own hash is over Go structs and cannot be made elsewhere; any stable 16 digits serve (spec/kubevela.md §3.3). */
export function specHash(application: Application): string {
  return createHash('sha256').update(canonical(application.spec)).digest('hex').slice(0, 16);
}

/** The number in `<application>-vN`, or undefined for a name of another form. */
export function revisionNumber(application: string, name: string): number | undefined {
  if (!name.startsWith(`${application}-v`)) return undefined;
  const digits = name.slice(application.length + 2);
  return /^[1-9]\d*$/.test(digits) ? Number(digits) : undefined;
}

/**
 * The revision that the spec of an Application is, and whether it must be made. Numbers only grow: a spec that returns
 * to an older state gets a new number, so no snapshot is ever overwritten (spec/kubevela.md §9 item 8).
 */
export function currentRevision(
  application: Application,
  existing: readonly KubeObject[],
  made?: RevisionName,
): { revision: RevisionName; isNew: boolean } {
  const hash = specHash(application);
  // What this agent has just made may not have come back through the watch yet.
  if (made?.hash === hash) return { revision: made, isNew: false };
  const { name } = application.metadata;
  const numbered = existing
    .map((object) => ({ object, number: revisionNumber(name, object.metadata.name ?? '') ?? 0 }))
    .sort((left, right) => right.number - left.number);
  const newest = numbered[0];
  const newestHash = newest?.object.metadata.labels?.[label.appRevisionHash];
  if (newest && newest.number > (made?.number ?? 0) && newestHash === hash) {
    return { revision: { name: `${name}-v${newest.number}`, number: newest.number, hash }, isNew: false };
  }
  const last = Math.max(newest?.number ?? 0, application.status?.latestRevision?.revision ?? 0, made?.number ?? 0);
  return { revision: { name: `${name}-v${last + 1}`, number: last + 1, hash }, isNew: true };
}

/** The ApplicationRevision object of spec/kubevela.md §3.3. */
export function snapshot(application: Application, revision: RevisionName): KubeObject {
  const { name, namespace, uid = '', finalizers } = application.metadata;
  const labels = withoutOurs(application.metadata.labels);
  const { [annotation.kubectlLastApplied]: _, ...annotations } = withoutOurs(application.metadata.annotations);
  const hasAnnotations = Object.keys(annotations).length > 0;
  const metadata = {
    name,
    namespace,
    ...(Object.keys(labels).length > 0 ? { labels } : {}),
    ...(hasAnnotations ? { annotations } : {}),
    ...(finalizers ? { finalizers } : {}),
  };
  return {
    apiVersion: API_VERSION,
    kind: 'ApplicationRevision',
    metadata: {
      name: revision.name,
      namespace,
      labels: { ...labels, [label.appName]: name, [label.appRevisionHash]: revision.hash },
      ...(hasAnnotations ? { annotations } : {}),
      ownerReferences: [{ apiVersion: API_VERSION, kind: 'Application', name, uid, controller: true }],
    },
    spec: {
      application: { apiVersion: API_VERSION, kind: 'Application', metadata, spec: application.spec, status: {} },
      compression: {},
    },
  };
}

/** Labels or annotations without `lateen.dev/…`: those are about the Application itself, never about what it creates. */
function withoutOurs(map: Record<string, string> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(map).filter(([key]) => !key.startsWith('lateen.dev/')));
}
