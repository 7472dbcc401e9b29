import type { KubeObject, ObjectReference } from '#api/kubernetes.ts';
import { FIELD_MANAGER } from '#api/names.ts';
import type { Log } from '#core/log.ts';
import { ApiError } from './api-error.ts';
import { asking, type Caller, createCaller } from './caller.ts';
import type { Connection } from './connection.ts';
import { apiVersionOf, createKinds, type KindInfo, type Kinds, pathOf } from './kinds.ts';
import { isTooLarge, PAGE, smallerPage } from './page-size.ts';
import { type Answered, createTransport, type Transport } from './transport.ts';

export { ApiError } from './api-error.ts';

export interface CallOptions {
  signal?: AbortSignal;
  timeoutMs?: number;
  /** Gives way to requests that have none. A status always has. */
  hasTime?: boolean;
}

export interface ListOptions extends CallOptions {
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
  /** Objects in a page. */
  limit?: number;
}

export interface DeleteOptions extends CallOptions {
  /** Delete only the object with this UID. */
  uid?: string;
  resourceVersion?: string;
  propagation?: 'Background' | 'Foreground' | 'Orphan';
}

/** The requests that Lateen makes, on raw JSON: nothing is dropped, nothing is added. Throws ApiError for a refusal. */
export interface Client {
  readonly kinds: Kinds;
  readonly transport: Transport;
  /** Undefined where there is no such object. */
  get(reference: ObjectReference, options?: CallOptions): Promise<KubeObject | undefined>;
  /** All pages. */
  list(kind: KindInfo, options?: ListOptions): Promise<KubeObject[]>;
  create(object: KubeObject, options?: CallOptions & { dryRun?: boolean }): Promise<KubeObject>;
  /** Server-side apply, taking fields over from other managers. */
  apply(object: KubeObject, options?: CallOptions & { dryRun?: boolean; force?: boolean; fieldManager?: string }): Promise<KubeObject>;
  mergePatch(reference: ObjectReference, patch: unknown, options?: CallOptions & { subresource?: 'status' }): Promise<KubeObject>;
  /** `gone`: there was no such object, or another one has its name by now. */
  delete(reference: ObjectReference, options?: DeleteOptions): Promise<'deleted' | 'gone'>;
}

export interface ClientOptions {
  log: Log;
  userAgent: string;
  /** Requests in flight; watches do not count. Default 32. */
  maxInFlight?: number;
  /** Monotonic milliseconds, for the age of what discovery said. */
  now?: () => number;
  /** Called before each request that changes something; throws where that is not allowed (any more). */
  beforeWrite?: () => void;
  onAnswer?: (answered: Answered) => void;
}

export function createClient(connection: Connection, options: ClientOptions): Client {
  const transport = createTransport(connection, options);
  const kinds = createKinds(transport, options.now);
  const caller = createCaller(transport, kinds, options.beforeWrite);
  return { kinds, transport, ...reads(caller), ...writes(caller), delete: deletion(caller) };
}

function reads({ kindOf, call }: Caller): Pick<Client, 'get' | 'list'> {
  return {
    async get(reference, calls = {}) {
      const kind = await kindOf(reference);
      try {
        const { body } = await call(asking('get', kind, reference), { method: 'GET', path: pathOf(kind, reference), ...calls });
        return body as KubeObject;
      } catch (error) {
        if (error instanceof ApiError && error.status === 404) return undefined;
        throw error;
      }
    },

    list: (kind, listing = {}) => listAll(call, { kind, ...listing }),
  };
}

function writes({ kindOf, call }: Caller): Pick<Client, 'create' | 'apply' | 'mergePatch'> {
  return {
    async create(object, { dryRun, ...calls } = {}) {
      const kind = await kindOf(object);
      const { namespace, name } = object.metadata;
      const query = { dryRun: dryRun ? 'All' : undefined, fieldManager: FIELD_MANAGER };
      const { body } = await call(asking('create', kind, { namespace, name }), {
        method: 'POST',
        path: pathOf(kind, { namespace }),
        query,
        body: object,
        ...calls,
      });
      return body as KubeObject;
    },

    async apply(object, { dryRun, force = true, fieldManager = FIELD_MANAGER, ...calls } = {}) {
      const kind = await kindOf(object);
      const { namespace, name = '' } = object.metadata;
      const query = { fieldManager, force: String(force), fieldValidation: 'Strict', dryRun: dryRun ? 'All' : undefined };
      const { body } = await call(asking('patch', kind, { namespace, name }), {
        method: 'PATCH',
        path: pathOf(kind, { namespace, name }),
        query,
        body: object,
        contentType: 'application/apply-patch+yaml',
        ...calls,
      });
      return body as KubeObject;
    },

    async mergePatch(reference, patch, { subresource, ...calls } = {}) {
      const kind = await kindOf(reference);
      const asked = asking('patch', { ...kind, plural: subresource ? `${kind.plural}/${subresource}` : kind.plural }, reference);
      const path = pathOf(kind, { ...reference, ...(subresource ? { subresource } : {}) });
      const { body } = await call(asked, {
        method: 'PATCH',
        path,
        body: patch,
        contentType: 'application/merge-patch+json',
        hasTime: subresource === 'status',
        ...calls,
      });
      return body as KubeObject;
    },
  };
}

function deletion({ kindOf, call }: Caller): Client['delete'] {
  return async (reference, { uid, resourceVersion, propagation = 'Background', ...calls } = {}) => {
    const kind = await kindOf(reference);
    const preconditions = { ...(uid ? { uid } : {}), ...(resourceVersion ? { resourceVersion } : {}) };
    const body = { kind: 'DeleteOptions', apiVersion: 'v1', propagationPolicy: propagation, preconditions };
    try {
      await call(asking('delete', kind, reference), { method: 'DELETE', path: pathOf(kind, reference), body, ...calls });
      return 'deleted';
    } catch (error) {
      if (isGone(error, uid)) return 'gone';
      throw error;
    }
  };
}

/** 404, or a conflict about the UID: the object that was meant is not there any more. */
function isGone(error: unknown, uid: string | undefined): boolean {
  if (!(error instanceof ApiError)) return false;
  return error.status === 404 || (error.status === 409 && uid !== undefined && UID_CONFLICT.test(error.message));
}

/** Two places of the API server check it, each with its own words. */
const UID_CONFLICT = /UID in (the )?precondition/;

type Listing = ListOptions & { kind: KindInfo };

async function listAll(call: Caller['call'], options: Listing): Promise<KubeObject[]> {
  try {
    return await listPages(call, options);
  } catch (error) {
    // The server has forgotten the list that the pages came from: once more from the start.
    if (error instanceof ApiError && error.status === 410) return listPages(call, options);
    const { limit = PAGE } = options;
    if (isTooLarge(error) && limit > 1) return listAll(call, { ...options, limit: smallerPage(limit) });
    throw error;
  }
}

async function listPages(call: Caller['call'], options: Listing): Promise<KubeObject[]> {
  const { kind, namespace, labelSelector, fieldSelector, limit = PAGE, ...calls } = options;
  const apiVersion = apiVersionOf(kind);
  const items: KubeObject[] = [];
  let next: string | undefined;
  do {
    const query = { limit: String(limit), labelSelector, fieldSelector, continue: next };
    const { body } = await call(asking('list', kind, { namespace }), { method: 'GET', path: pathOf(kind, { namespace }), query, ...calls });
    const page = body as { metadata?: { continue?: string }; items?: KubeObject[] };
    // The items of a list carry neither apiVersion nor kind.
    for (const item of page.items ?? []) items.push({ ...item, apiVersion, kind: kind.kind });
    next = page.metadata?.continue || undefined;
  } while (next);
  return items;
}
