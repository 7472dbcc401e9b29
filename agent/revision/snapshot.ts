import type { Application } from '#api/application.ts';
import type { KubeObject } from '#api/kubernetes.ts';
import { API_VERSION, annotation, label } from '#api/names.ts';
import { specDigest } from '#api/publish-version.ts';

export interface RevisionName {
  /** `<application>-vN`. */
  name: string;
  number: number;
  /** 16 hex digits over the spec; the label app.oam.dev/app-revision-hash. */
  hash: string;
}

/**
 * KubeVela's own hash is over Go structs and cannot be made elsewhere; any stable 16 digits serve (spec/kubevela.md §3.3).
 * Ours is over what the user decided: defaults that a webhook has written make no new revision.
 */
export function specHash(application: Application): string {
  return specDigest(application.spec).slice(0, 16);
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
  const newest = newestOf(application, existing);
  const lastMade = made?.number ?? 0;
  if (newest.number > lastMade && newest.hash === hash) {
    return { revision: { name: `${name}-v${newest.number}`, number: newest.number, hash }, isNew: false };
  }
  const last = Math.max(newest.number, application.status?.latestRevision?.revision ?? 0, lastMade);
  return { revision: { name: `${name}-v${last + 1}`, number: last + 1, hash }, isNew: true };
}

/**
 * The highest number among the revisions of an Application, 0 where there is none, and the hash that it carries. One that
 * belongs to an earlier Application of the name is about to be collected with it: it counts for the number alone.
 */
function newestOf({ metadata: { name, uid } }: Application, existing: readonly KubeObject[]): { number: number; hash: string | undefined } {
  const numbered = existing.map(({ metadata }) => {
    const owned = metadata.ownerReferences?.some((owner) => owner.uid === uid) ?? false;
    return {
      number: revisionNumber(name, metadata.name ?? '') ?? 0,
      hash: owned ? metadata.labels?.[label.appRevisionHash] : undefined,
    };
  });
  return numbered.reduce((newest, one) => (one.number > newest.number ? one : newest), { number: 0, hash: undefined });
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
