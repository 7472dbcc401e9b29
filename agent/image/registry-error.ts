import { Failure } from '#api/failure.ts';
import { messageOf, oneLine } from '#core/errors.ts';
import { type HttpAnswer, TooManyBytes } from '#core/http.ts';

/** Longer waits are not believed. */
const MAX_RETRY_AFTER_MS = 24 * 3_600_000;

/** What an answer that is no 200 means. `who` says which credentials were used, without showing them. */
export function failureOfAnswer(answer: HttpAnswer, image: string, who: string): Failure {
  const { status } = answer;
  const words = wordsOf(answer);
  if (status === 401 || status === 403) return unauthorized(status, image, who, words);
  if (status === 404)
    return new Failure('ImageNotFound', `the registry does not know ${image} (404${words})`, {
      remedy: `check the name, and whether it is private (${who})`,
    });
  const retryAfterMs = retryAfter(answer);
  const wait = retryAfterMs === undefined ? {} : { retryAfterMs };
  if (status === 429)
    return new Failure('RateLimited', `the registry is asked too often for ${image} (429${words})`, {
      remedy: 'raise imageRepository.interval, or name a Secret with credentials',
      ...wait,
    });
  if (status >= 300 && status < 400)
    return new Failure('RegistryFailed', `the registry redirects ${image} to another place (${status}), and redirects are not followed`, {
      kind: 'stalled',
      remedy: 'name the registry that it redirects to',
    });
  return new Failure('RegistryFailed', `the registry answered ${status} for ${image}${words}`, {
    remedy: 'ask who runs the registry',
    ...wait,
  });
}

function unauthorized(status: number, image: string, who: string, words: string): Failure {
  return new Failure('RegistryAuthFailed', `the registry does not let us list the tags of ${image} (${status}${words}): ${who}`, {
    remedy: 'make the Secret that imageRepository.secretRef names anew: the password may have expired, or lack the right to pull',
  });
}

/** `: CODE: message` of the first error of the registry (OCI distribution specification, "Error Codes"). */
function wordsOf({ body }: HttpAnswer): string {
  try {
    const parsed: unknown = JSON.parse(body.subarray(0, 65_536).toString('utf8'));
    const errors = (parsed as { errors?: { code?: unknown; message?: unknown }[] }).errors;
    const [first] = Array.isArray(errors) ? errors : [];
    const words = [first?.code, first?.message].filter((part) => typeof part === 'string' && part !== '').join(': ');
    return words === '' ? '' : `, ${oneLine(words, 200)}`;
  } catch {
    return '';
  }
}

/** Seconds or a date (RFC 9110 §10.2.3), in milliseconds. */
export function retryAfter({ headers }: Pick<HttpAnswer, 'headers'>, nowMs = Date.now()): number | undefined {
  const text = headers['retry-after'];
  if (text === undefined) return undefined;
  const ms = /^\d+$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - nowMs;
  return Number.isNaN(ms) ? undefined : Math.min(MAX_RETRY_AFTER_MS, Math.max(0, ms));
}

/** What went wrong before there was an answer. */
export function failureOfSocket(error: unknown, host: string): Failure {
  if (error instanceof Failure) return error;
  if (error instanceof TooManyBytes)
    return new Failure('TooLarge', `the registry ${host} sends too much: ${error.message}`, {
      remedy: 'ask who runs the registry',
      cause: error,
    });
  const words = oneLine(messageOf(error), 300);
  const code = (error as { code?: unknown }).code;
  if (typeof code === 'string' && /CERT|SELF_SIGNED|UNABLE_TO|ALTNAME/.test(code))
    return new Failure('TLSFailed', `the registry ${host} has no certificate that is trusted: ${words}`, {
      remedy: 'put the certificate of its authority as ca.crt into the Secret that imageRepository.secretRef names',
      cause: error,
    });
  const remedy = isNotTls(error)
    ? "it does not speak https: add it to the agent's setting insecure-registries, or give it a certificate"
    : 'check the host in imageRepository.image, and the network to it';
  return new Failure('RegistryUnreachable', `the registry ${host} cannot be reached: ${words}`, { remedy, cause: error });
}

/** Whether a server answered https with something that is not TLS. */
export function isNotTls(error: unknown): boolean {
  const { code, message } = error as { code?: unknown; message?: unknown };
  return (
    code === 'EPROTO' ||
    (typeof code === 'string' && code.startsWith('ERR_SSL')) ||
    /wrong version number|packet length/.test(String(message))
  );
}
