import { Failure } from '#api/failure.ts';
import { ApiError, type Asked } from './api-error.ts';
import type { KindInfo, Kinds } from './kinds.ts';
import { retryAfterMs } from './retry-after.ts';
import type { Transport, TransportRequest, TransportResponse } from './transport.ts';

/** Requests about objects: their kinds are looked up, and a refusal is an ApiError. */
export interface Caller {
  /** Throws a Failure UnknownKind. */
  kindOf(object: { apiVersion: string; kind: string }): Promise<KindInfo>;
  /** Resolves to a 2xx answer with a JSON object; throws ApiError for any other status. */
  call(asked: Asked, request: TransportRequest): Promise<TransportResponse>;
}

export function createCaller(transport: Transport, kinds: Kinds, beforeWrite?: () => void): Caller {
  return {
    async kindOf({ apiVersion, kind }) {
      const found = await kinds.find(apiVersion, kind);
      if (found) return found;
      throw new Failure('UnknownKind', `the API server does not know ${kind} of ${apiVersion}`, {
        remedy: 'install its CustomResourceDefinition, or correct apiVersion and kind',
      });
    },

    async call(asked, request) {
      const writes = beforeWrite !== undefined && request.method !== 'GET';
      // Not only here: a request may wait for its turn, for a connection, or for as long as the server asks.
      if (writes) beforeWrite();
      const response = await transport.request(writes ? { ...request, beforeSend: beforeWrite } : request);
      const { status, headers, body } = response;
      if (status >= 300) {
        if (isUnservedResource(status, body)) kinds.doubt();
        throw new ApiError(status, body, asked, retryAfterMs({ status, headers }));
      }
      if (typeof body !== 'object' || body === null) {
        throw new Failure('ClusterUnavailable', `the API server answered ${asked.verb} ${asked.resource} with something that is not JSON`, {
          remedy: 'check that the server address is that of a Kubernetes API server',
        });
      }
      return response;
    },
  };
}

/** What is about to be asked, for messages. */
export function asking(
  verb: string,
  kind: KindInfo,
  { namespace, name }: { namespace?: string | undefined; name?: string | undefined },
): Asked {
  return { verb, resource: kind.plural, group: kind.group, namespace, name };
}

/** A 404 that names no object: the server does not serve the resource (any more). */
export function isUnservedResource(status: number, body: unknown): boolean {
  return status === 404 && !(body as { details?: { name?: string } } | null)?.details?.name;
}
