import { type Externals, resolved } from '#agent/revision/externals.ts';
import { planOf } from '#agent/revision/plan.ts';
import { componentTypes, renderComponent } from '#agent/render/render.ts';
import type { Application, ApplicationSpec } from '#api/application.ts';
import { detail } from '#api/details.ts';
import { Failure } from '#api/failure.ts';
import type { KubeObject } from '#api/kubernetes.ts';
import { annotation, label } from '#api/names.ts';
import { publishVersionOf } from '#api/publish-version.ts';
import type { RenderedObject } from './object-changes.ts';
import { recordedApplication, recordedExternals, type RevisionRecord, titleOf } from './revision-record.ts';

/** One side of a comparison: a revision, or the live Application. */
export interface Side {
  /** `podinfo-v1 (alpha1)` */
  title: string;
  /** Absent: the live Application. */
  revision?: string;
  version: string;
  application: Application;
  externals: Externals;
  /** With everything in it that it names elsewhere. */
  spec: ApplicationSpec;
  /** `main@sha1:<commit>` of kustomize components, as far as it is known. */
  commits: Readonly<Record<string, string>>;
}

export function liveSide(application: Application, externals: Externals): Side {
  const spec = resolved(application.spec, externals);
  const version = publishVersionOf(application) ?? '';
  const title = version === '' ? 'live' : `live (${version})`;
  return { title, version, application, externals, spec, commits: liveCommits(application) };
}

/** What it recorded; of the revision that runs, the commits are those of now. */
export function revisionSide(record: RevisionRecord, live: Application): Side {
  const [application, externals] = [recordedApplication(record), recordedExternals(record)];
  const runs = live.status?.latestRevision?.name === record.name;
  return {
    title: titleOf(record),
    revision: record.name,
    version: record.version,
    application,
    externals,
    spec: resolved(application.spec, externals),
    commits: { ...(runs ? liveCommits(live) : {}), ...record.commits },
  };
}

function liveCommits({ status }: Application): Record<string, string> {
  const commits = (status?.services ?? []).flatMap(({ name, details = {} }) => {
    const commit = details[detail.commit];
    return commit ? [[name, `${details[detail.branch] ?? ''}@sha1:${commit}`] as const] : [];
  });
  return Object.fromEntries(commits);
}

/** The objects that the agent makes of the components which it renders itself, and why it cannot for some of them. */
export function renderedObjects({ application, spec }: Side): { objects: RenderedObject[]; notes: string[] } {
  const objects: RenderedObject[] = [];
  const notes: string[] = [];
  for (const component of planOf(spec).components) {
    if (component.type === 'kustomize') continue;
    if (!componentTypes.includes(component.type)) {
      notes.push(`component ${component.name}: type ${component.type} is not rendered by this version, so its objects are not compared`);
      continue;
    }
    try {
      // Name and digest of the revision differ between any two: they are not compared.
      const rendered = renderComponent({ application, component, revision: { name: '', hash: '' } });
      objects.push(...rendered.map((object) => ({ component: component.name, object })));
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      notes.push(`component ${component.name} cannot be rendered: ${error.sentence}`);
    }
  }
  return { objects, notes };
}

/** What vela leaves out, and what is ours: none of it is about what the Application does. */
const LEFT_OUT: readonly string[] = [
  label.appRevision,
  'oam.dev/kubevela-version',
  'app.oam.dev/app-revision',
  annotation.kubectlLastApplied,
];

/** The Application as `vela live-diff` compares it (spec/kubevela.md §2.6). */
export function comparedApplication({ application }: Side): Record<string, unknown> {
  const { apiVersion, kind, metadata, spec } = application;
  const { name, namespace } = metadata;
  const [labels, annotations] = [comparedMap(metadata.labels), comparedMap(metadata.annotations)];
  return { apiVersion, kind, metadata: { ...annotations('annotations'), ...labels('labels'), name, namespace }, spec, status: {} };
}

function comparedMap(map: Record<string, string> = {}): (key: string) => Record<string, unknown> {
  const kept = Object.entries(map).filter(([key]) => !LEFT_OUT.includes(key) && !key.startsWith('lateen.dev/'));
  return (key) => (kept.length > 0 ? { [key]: Object.fromEntries(kept) } : {});
}

/** A Policy or Workflow without what the API server keeps about it. */
export function comparedExternal({ apiVersion, kind, metadata: { name, namespace }, ...fields }: KubeObject): Record<string, unknown> {
  const { ownership: _, status: _status, ...content } = fields as Record<string, unknown>;
  return { apiVersion, kind, metadata: { name, namespace }, ...content };
}
