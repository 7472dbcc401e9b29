import type { Application, ApplicationSpec, PolicyObject, WorkflowObject } from '#api/application.ts';
import type { KubeObject } from '#api/kubernetes.ts';
import { API_VERSION, annotation, label } from '#api/names.ts';
import { specDigest } from '#api/publish-version.ts';
import { specContent } from '#api/spec-defaults.ts';
import { externalContent, type Externals, NO_EXTERNALS, resolved } from './externals.ts';

export interface RevisionName {
  /** `<application>-vN`. */
  name: string;
  number: number;
  /** 16 hex digits over the spec; the label app.oam.dev/app-revision-hash. */
  hash: string;
}

/**
 * KubeVela's own hash is over Go structs and cannot be made elsewhere; any stable 16 digits serve (spec/kubevela.md §3.3).
 * Ours is over what the user decided, the Policy and Workflow objects that the spec names included: defaults that a webhook
 * has written make no new revision.
 */
export function contentHash(spec: ApplicationSpec, externals: Externals): string {
  const content = externalContent(externals);
  if (content === undefined) return specDigest(spec).slice(0, 16);
  return specDigest({ spec: specContent(spec), externals: content }).slice(0, 16);
}

/** The same for an Application that names no objects. */
export function specHash(application: Application): string {
  return contentHash(application.spec, NO_EXTERNALS);
}

/** The number in `<application>-vN`, or undefined for a name of another form. */
export function revisionNumber(application: string, name: string): number | undefined {
  if (!name.startsWith(`${application}-v`)) return undefined;
  const digits = name.slice(application.length + 2);
  return /^[1-9]\d*$/.test(digits) ? Number(digits) : undefined;
}

export interface SnapshotOptions {
  externals?: Externals;
  /** Who asked for it: the author of a commit, or a user of the cluster. */
  requestedBy?: string;
}

/** The ApplicationRevision object of spec/kubevela.md §3.3. */
export function snapshot(
  application: Application,
  revision: RevisionName,
  { externals = NO_EXTERNALS, requestedBy }: SnapshotOptions = {},
): KubeObject {
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
      ...(hasAnnotations || requestedBy
        ? { annotations: { ...annotations, ...(requestedBy ? { [annotation.requestedBy]: requestedBy } : {}) } }
        : {}),
      ownerReferences: [{ apiVersion: API_VERSION, kind: 'Application', name, uid, controller: true }],
    },
    spec: {
      application: { apiVersion: API_VERSION, kind: 'Application', metadata, spec: application.spec, status: {} },
      ...externalFields(namespace, externals),
      compression: {},
    },
  };
}

/** KubeVela keys them by namespace and name. */
function externalFields(namespace: string, { policies, workflow }: Externals): Record<string, unknown> {
  const entries = Object.entries(policies).map(([name, policy]) => [`${namespace}/${name}`, bare(policy)]);
  return { ...(entries.length > 0 ? { policies: Object.fromEntries(entries) } : {}), ...(workflow ? { workflow: bare(workflow) } : {}) };
}

/** An object without what the API server keeps about it. */
function bare({ metadata: { name, namespace, labels }, ...rest }: KubeObject): Record<string, unknown> {
  const { ownership: _, ...fields } = rest as Record<string, unknown>;
  return { ...fields, metadata: { name, namespace, ...(labels ? { labels } : {}) } };
}

/** The spec that a revision recorded: as it was written, with everything in it that it names elsewhere, and its digest. */
export interface RecordedSpec {
  written: ApplicationSpec;
  spec: ApplicationSpec;
  hash: string;
}

/** Undefined where a revision holds no Application that could be run. */
export function recordedSpec(revision: KubeObject): RecordedSpec | undefined {
  const { application, policies = {}, workflow } = (revision['spec'] ?? {}) as RecordedFields;
  const recorded = application?.spec;
  if (!recorded || !Array.isArray(recorded.components)) return undefined;
  const named = Object.entries(policies).map(([key, policy]) => [key.slice(key.indexOf('/') + 1), policy] as const);
  const externals: Externals = { policies: Object.fromEntries(named), ...(workflow ? { workflow } : {}) };
  return { written: recorded, spec: resolved(recorded, externals), hash: contentHash(recorded, externals) };
}

interface RecordedFields {
  application?: { spec?: ApplicationSpec };
  policies?: Record<string, PolicyObject>;
  workflow?: WorkflowObject;
}

/** Labels or annotations without `lateen.dev/…`: those are about the Application itself, never about what it creates. */
function withoutOurs(map: Record<string, string> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(map).filter(([key]) => !key.startsWith('lateen.dev/')));
}
