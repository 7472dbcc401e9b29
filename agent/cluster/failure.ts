import { type Cause, Failure } from '#api/failure.ts';
import { messageOf, toError } from '#core/errors.ts';
import { ApiError } from './api-error.ts';
import { forbidden, type Needs } from './forbidden.ts';
import { manifestText } from './manifest-text.ts';
import { UnreachableError } from './wire.ts';

/**
 * What the API server answered, or that it did not, as a Failure. `doing` says what was under way: `apply
 * Deployment/web`.
 */
export function toFailure(error: unknown, doing: string, needs: Needs = 'what was asked'): Failure {
  if (error instanceof Failure) return error;
  if (error instanceof ApiError) return error.status === 403 ? forbidden(error, doing, needs) : ofAnswer(error, doing);
  if (isUnreachable(error)) {
    return new Failure('ClusterUnavailable', `${doing}: the API server cannot be reached (${messageOf(error)})`, {
      cause: error,
      ...(isTls(error) ? { remedy: 'check the certificate authority of the connection' } : {}),
    });
  }
  return new Failure('Internal', `${doing}: ${messageOf(error)}`, {
    cause: error,
    remedy: 'this is a defect of Lateen: please report it with the log',
  });
}

function isUnreachable(error: unknown): boolean {
  return error instanceof UnreachableError || toError(error).name === 'TimeoutError';
}

const TLS_CODE = /^(ERR_TLS_.*|UNABLE_TO_.*|SELF_SIGNED_.*|DEPTH_ZERO_.*|CERT_.*)$/;

function isTls(error: unknown): boolean {
  const { code } = (toError(error).cause ?? {}) as { code?: string };
  return TLS_CODE.test(code ?? '');
}

function ofAnswer(error: ApiError, doing: string): Failure {
  const { status, message, retryAfterMs } = error;
  if (status === 413)
    return new Failure('TooLarge', `${doing}: the object is larger than the API server takes`, { kind: 'stalled', cause: error });
  if (status === 400 || status === 422) return refused(error, doing);
  if (status === 500 && UNDECLARED.test(message)) {
    return new Failure('ApplyFailed', `${doing}: ${undeclared(message)}`, {
      kind: 'stalled',
      cause: error,
      remedy: 'correct the spelling or take the field out',
    });
  }
  const mistake = status === 500 ? manifestText(message) : undefined;
  if (mistake !== undefined) {
    return new Failure('ApplyFailed', `${doing}: ${mistake}`, { kind: 'stalled', cause: error, remedy: 'correct the manifest' });
  }
  if (status === 404 || status === 409) return new Failure('ApplyFailed', `${doing}: ${message}`, { cause: error });
  if (status === 401) {
    return new Failure('ClusterUnavailable', `${doing}: the API server does not accept the credentials (401)`, {
      cause: error,
      remedy: 'check the token or certificate of the kubeconfig, or that the ServiceAccount still exists',
    });
  }
  return new Failure('ClusterUnavailable', `${doing}: the API server answered ${status}: ${message}`, {
    cause: error,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

/** The words of the kinds of Kubernetes for a field that stays as it was made (measured: test/cluster/agent/cluster/immutable-fields.test.ts). */
const IMMUTABLE = /\bis immutable\b|may not change once set|cannot change roleRef|updates to .* are forbidden|pod updates may not/;

/** By `resource.group`. What goes with an object may be worth more than the change. */
const REMEDIES: Record<string, string> = {
  'persistentvolumeclaims.': 'take the change back',
  'statefulsets.apps': 'take the change back, or delete the StatefulSet with --cascade=orphan so that it is made anew',
};

/** A manifest that the API server does not take: a person has to mend it. */
function refused(error: ApiError, doing: string): Failure {
  const causes = error.causes.map(({ field = '', message = '' }): Cause => ({ path: field, code: 'ApplyFailed', message: message.trim() }));
  const remedy = IMMUTABLE.test(error.message) ? remedyFor(error) : 'correct the manifest';
  return new Failure('ApplyFailed', `${doing}: the API server refused it: ${error.message}`, {
    kind: 'stalled',
    cause: error,
    causes,
    remedy,
  });
}

function remedyFor({ asked: { resource, group } }: ApiError): string {
  return REMEDIES[`${resource}.${group}`] ?? 'take the change back, or delete the object so that it is made anew';
}

/** Server-side apply answers an unknown field with status 500 (measured: spec/dependencies.md §1.4). */
const UNDECLARED = /field not declared in schema/;

/** `.spec.replica: field not declared in schema` out of a sentence about typed patches. */
function undeclared(message: string): string {
  const fields = [...message.matchAll(/(?<![^\s:;])(\.[^\s:;]+): field not declared in schema/g)].map((match) => match[1]);
  return fields.length > 0 ? `the schema has no field ${fields.join(', ')}` : message;
}
