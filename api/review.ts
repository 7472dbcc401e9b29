import { allowListsOf } from './allow-lists.ts';
import { checkApplication } from './check.ts';
import type { Cause } from './failure.ts';
import { sameJson } from './json.ts';
import { CLAIM, annotation, label } from './names.ts';
import { annotationsOf, publishVersionOf, specDigest } from './publish-version.ts';
import { isMap, own } from './schema.ts';
import { specContent } from './spec-defaults.ts';
import { suspicionsOf } from './suspicions.ts';
import { pathText, quote, shorten } from './wording.ts';

/** What is asked at admission and by `lateen check`: may this request pass, and what should its author know? Pure. */

/** A request to write an Application; both objects may be anything that JSON can be. */
export interface ApplicationRequest {
  object: unknown;
  /** What it replaces; absent: it is new. */
  oldObject?: unknown;
  /** The namespace that it is written to. */
  namespace?: string;
  /** Who asks. */
  user?: string;
}

/** What is known of the namespace of an Application. */
export interface NamespaceFacts {
  labels: Readonly<Record<string, string>>;
  annotations: Readonly<Record<string, string>>;
}

export interface ReviewOptions {
  /** Undefined: nothing is known of it, so nothing is said about it. */
  namespace?: NamespaceFacts | undefined;
  minIntervalMs?: number;
}

export interface Review {
  /** Why the request is refused, in the order of the fields; empty: it may pass. */
  denials: Cause[];
  /** Among them what the agent of this version refuses, in its own words. */
  warnings: Cause[];
}

/** What a request changes. */
export interface Changes {
  created: boolean;
  /** The spec differs in any way, were it by a default that was written out. */
  spec: boolean;
  /** The spec differs in what the user decided. */
  content: boolean;
  /** The publishVersion, space around it aside. */
  version: boolean;
  /** An annotation of ours. */
  ours: boolean;
}

export function changesOf({ object, oldObject }: ApplicationRequest): Changes {
  if (oldObject === undefined || oldObject === null) return { created: true, spec: true, content: true, version: true, ours: true };
  const [now, before] = [specOf(object), specOf(oldObject)];
  const spec = !sameJson(now, before);
  return {
    created: false,
    spec,
    content: spec && !sameJson(specContent(now), specContent(before)),
    version: publishVersionOf(object) !== publishVersionOf(oldObject),
    ours: !sameJson(oursOf(object), oursOf(oldObject)),
  };
}

/**
 * Whether a request concerns the rules at all. Finalizers, labels, status, a deletion, or an old object that today's
 * rules would refuse: nobody is ever locked out by them.
 */
export function isExempt(request: ApplicationRequest, changes: Changes): boolean {
  const metadata = isMap(request.object) ? own(request.object, 'metadata') : undefined;
  const deleted = !changes.created && isMap(metadata) && typeof own(metadata, 'deletionTimestamp') === 'string';
  return deleted || !(changes.spec || changes.version || changes.ours);
}

/** Every reason to refuse the request, and every warning. */
export function reviewApplication(request: ApplicationRequest, options: ReviewOptions = {}): Review {
  const changes = changesOf(request);
  if (isExempt(request, changes)) return { denials: [], warnings: [] };
  const { minIntervalMs, namespace } = options;
  const verdict = checkApplication(request.object, {
    ...(minIntervalMs === undefined ? {} : { minIntervalMs }),
    ...(request.namespace === undefined ? {} : { namespace: request.namespace }),
    ...(namespace === undefined ? {} : { allowed: allowListsOf(namespace.annotations) }),
  });
  const concerned = changes.spec || changes.version ? () => true : ofMetadata;
  const unchanged = unchangedVersion(request, changes);
  const denied = namespace?.annotations[annotation.unchangedVersion] === 'deny';
  return {
    denials: [...reusedVersion(request, changes), ...(denied ? unchanged : []), ...verdict.causes].filter(concerned),
    warnings: [
      ...(denied ? [] : unchanged),
      ...(changes.spec || changes.version ? noAgent(request, namespace) : []),
      ...(concernsAgent(request.object, namespace) ? verdict.unsupported : []),
      ...suspicionsOf(request.object),
    ].filter(concerned),
  };
}

function ofMetadata({ path }: Cause): boolean {
  return path.startsWith('metadata');
}

/** In a namespace where vela-core runs what is not GitOps, its Applications are none of our business. */
function concernsAgent(object: unknown, namespace: NamespaceFacts | undefined): boolean {
  const holder = own(annotationsOf(object), annotation.controllerVersionRequire);
  if (holder === CLAIM || hasKustomize(object)) return true;
  return holder === undefined && (namespace === undefined || namespace.labels[label.applications] === 'all');
}

/** Whether an Application has a `kustomize` component. */
export function hasKustomize(application: unknown): boolean {
  const components = own(mapOf(specOf(application)), 'components');
  return Array.isArray(components) && components.some((one: unknown) => isMap(one) && own(one, 'type') === 'kustomize');
}

function noAgent({ object, namespace: name }: ApplicationRequest, namespace: NamespaceFacts | undefined): Cause[] {
  if (!namespace || namespace.labels[label.applications] !== undefined || !hasKustomize(object)) return [];
  const message = `metadata.namespace ${quote(name ?? '')}: no agent is announced for this namespace; see docs/install.md`;
  return [{ path: 'metadata.namespace', code: 'NoAgent', message }];
}

const VERSION_PATH = pathText(['metadata', 'annotations', annotation.publishVersion]);

function unchangedVersion({ object }: ApplicationRequest, changes: Changes): Cause[] {
  const version = publishVersionOf(object);
  if (changes.created || !changes.content || changes.version || version === undefined || version === '') return [];
  const message = `${VERSION_PATH} is still ${quote(version)}, and the spec has changed: it takes effect only with a new publishVersion`;
  return [{ path: VERSION_PATH, code: 'PublishVersionUnchanged', message, value: shorten(version), remedy: 'change it with the spec' }];
}

/**
 * A version that is rolled out now, for a different spec. Only what our agent wrote into the status of the old object is
 * used; the agent knows all revisions and checks the rest.
 */
function reusedVersion({ object, oldObject }: ApplicationRequest, changes: Changes): Cause[] {
  const version = publishVersionOf(object);
  if (changes.created || !changes.version || !version) return [];
  if (own(annotationsOf(oldObject), annotation.controllerVersionRequire) !== CLAIM) return [];
  const status = mapOf(own(mapOf(oldObject), 'status'));
  const revision = mapOf(own(status, 'latestRevision'));
  const hash = own(revision, 'revisionHash');
  const running = own(mapOf(own(status, 'workflow')), 'appRevision') === version;
  // What Policy and Workflow objects hold is part of that digest, and only the agent reads them.
  if (!running || typeof hash !== 'string' || own(mapOf(specOf(object)), 'workflow') !== undefined) return [];
  if (hash === specDigest(specOf(object)).slice(0, hash.length)) return [];
  const message = `${VERSION_PATH} ${quote(version)} is rolled out already, with another spec (${String(own(revision, 'name'))})`;
  return [{ path: VERSION_PATH, code: 'VersionReused', message, value: shorten(version), remedy: 'take a version that was not used yet' }];
}

/** Our annotations. */
function oursOf(application: unknown): Record<string, unknown> {
  const entries = Object.entries(annotationsOf(application));
  return Object.fromEntries(entries.filter(([key]) => key.startsWith('lateen.dev/')));
}

function specOf(application: unknown): unknown {
  return isMap(application) ? own(application, 'spec') : undefined;
}

function mapOf(value: unknown): Record<string, unknown> {
  return isMap(value) ? value : {};
}
