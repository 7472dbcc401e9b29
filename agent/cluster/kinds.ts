import { Failure } from '#api/failure.ts';
import { groupOf } from '#api/kubernetes.ts';
import { ApiError } from './api-error.ts';
import type { Transport } from './transport.ts';

/** How objects of a kind are addressed. */
export interface KindInfo {
  group: string;
  version: string;
  kind: string;
  plural: string;
  namespaced: boolean;
  verbs: string[];
}

export interface Kinds {
  /** Undefined: the API server does not serve it. Throws ApiDown, or where no answer can be known. */
  find(apiVersion: string, kind: string): Promise<KindInfo | undefined>;
  /**
   * The kind in this version or, where that is served no longer, in the version of its group that the server prefers: they
   * are the same objects. After `doubt` the server is asked anew at once. Throws where the answer cannot be known.
   */
  served(apiVersion: string, kind: string): Promise<KindInfo | undefined>;
  /** The server denied a resource that we thought it had: the next `find` asks anew (at most every 5 s). */
  doubt(): void;
}

/** The aggregated form of discovery: two requests for everything (Kubernetes 1.30 and newer). */
const ACCEPT = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json';
/** A kind that is not known is looked for again at most this often. */
const REFRESH_MS = 5_000;

interface Discovered {
  kinds: Map<string, KindInfo>;
  /** Groups and versions that the API server knows but could not ask (an aggregated API that is down). */
  stale: Set<string>;
  atMs: number;
}

interface RawResource {
  resource?: string;
  responseKind?: { group?: string; version?: string; kind?: string };
  scope?: string;
  verbs?: string[];
}

interface RawGroup {
  metadata?: { name?: string };
  versions?: { version?: string; freshness?: string; resources?: RawResource[] }[];
}

/** What the server has said last; one question at a time. */
class Discovery {
  readonly #ask: () => Promise<Discovered>;
  known: Discovered | undefined;
  #pending: Promise<Discovered> | undefined;
  #doubts = 0;
  /** So many doubts had come when what is known was asked for. */
  #settled = 0;

  constructor(ask: () => Promise<Discovered>) {
    this.#ask = ask;
  }

  get isDoubted(): boolean {
    return this.#doubts > this.#settled;
  }

  doubt(): void {
    this.#doubts++;
  }

  /** What is under way may have been asked before the last doubt. */
  refresh(): Promise<Discovered> {
    this.#pending ??= this.#refreshNow(this.#doubts).finally(() => {
      this.#pending = undefined;
    });
    return this.#pending;
  }

  async #refreshNow(doubts: number): Promise<Discovered> {
    this.known = await this.#ask();
    this.#settled = doubts;
    return this.known;
  }
}

export function createKinds(transport: Transport, now: () => number = () => performance.now()): Kinds {
  const discovery = new Discovery(() => discover(transport, now));

  async function find(apiVersion: string, kind: string): Promise<KindInfo | undefined> {
    const key = `${apiVersion}/${kind}`;
    const current = discovery.known ?? (await discovery.refresh());
    const found = current.kinds.get(key);
    if (found && !discovery.isDoubted) return found;
    const latest = now() - current.atMs < REFRESH_MS ? current : await discovery.refresh();
    if (!latest.kinds.has(key) && latest.stale.has(apiVersion)) throw down(apiVersion);
    return latest.kinds.get(key);
  }

  return {
    find,
    async served(apiVersion, kind) {
      if (discovery.isDoubted) await discovery.refresh();
      if (discovery.isDoubted) await discovery.refresh();
      const found = await find(apiVersion, kind);
      const { known } = discovery;
      if (found || !known) return found;
      const group = groupOf(apiVersion);
      // The server lists the versions of a group in the order of its preference.
      const other = [...known.kinds.values()].find((one) => one.group === group && one.kind === kind);
      const silent = [...known.stale].find((version) => groupOf(version) === group);
      if (!other && silent !== undefined) throw down(silent);
      return other;
    },
    doubt: () => discovery.doubt(),
  };
}

/** The server behind one aggregated API does not answer; all others do. */
export class ApiDown extends Failure {}

function down(apiVersion: string): ApiDown {
  return new ApiDown('ClusterUnavailable', `the API server cannot say which kinds ${apiVersion} has: the server behind that API is down`, {
    remedy: `look at the condition Available of the APIService of ${apiVersion}`,
  });
}

async function discover(transport: Transport, now: () => number): Promise<Discovered> {
  const found: Discovered = { kinds: new Map(), stale: new Set(), atMs: now() };
  const answers = await Promise.all(['/api', '/apis'].map((path) => transport.request({ method: 'GET', path, accept: ACCEPT })));
  for (const { status, body } of answers) {
    const groups = (body as { items?: RawGroup[] } | undefined)?.items;
    if (status >= 300) throw new ApiError(status, body, { verb: 'get', resource: 'the list of kinds', group: '' });
    if (!Array.isArray(groups)) {
      throw new Failure('ClusterUnavailable', 'the API server does not list its kinds in the aggregated form', {
        kind: 'stalled',
        remedy: 'use Kubernetes 1.30 or newer',
      });
    }
    for (const group of groups) addGroup(found, group);
  }
  return found;
}

function addGroup(found: Discovered, { metadata, versions = [] }: RawGroup): void {
  const group = metadata?.name ?? '';
  for (const { version = '', freshness, resources = [] } of versions) {
    const apiVersion = group === '' ? version : `${group}/${version}`;
    if (freshness === 'Stale') found.stale.add(apiVersion);
    for (const { resource, responseKind, scope, verbs = [] } of resources) {
      const kind = responseKind?.kind;
      // Subresources stand inside their resource; what is listed here is addressed by its plural.
      if (!resource || !kind) continue;
      found.kinds.set(`${apiVersion}/${kind}`, { group, version, kind, plural: resource, namespaced: scope === 'Namespaced', verbs });
    }
  }
}

/** `apps/v1`, `v1`. */
export function apiVersionOf({ group, version }: KindInfo): string {
  return group === '' ? version : `${group}/${version}`;
}

/** `/apis/apps/v1/namespaces/NS/deployments/NAME/status`. */
export function pathOf(kind: KindInfo, where: { namespace?: string | undefined; name?: string; subresource?: string }): string {
  const root = kind.group === '' ? `/api/${kind.version}` : `/apis/${kind.group}/${kind.version}`;
  const namespace = kind.namespaced && where.namespace ? `/namespaces/${encodeURIComponent(where.namespace)}` : '';
  const name = where.name === undefined ? '' : `/${encodeURIComponent(where.name)}`;
  return `${root}${namespace}/${kind.plural}${name}${where.subresource ? `/${where.subresource}` : ''}`;
}
