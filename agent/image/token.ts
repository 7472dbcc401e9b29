import { Failure } from '#api/failure.ts';
import type { Http, HttpAnswer } from '#core/http.ts';
import type { Challenge } from './challenge.ts';
import type { RegistryCredentials } from './docker-config.ts';
import { failureOfAnswer, failureOfSocket } from './registry-error.ts';
import { isLoopback, isPrivateAddress } from './registry-host.ts';

const MAX_BYTES = 64 * 1024;

export interface TokenRequest {
  challenge: Challenge;
  /** Origin of the registry. */
  origin: URL;
  repository: string;
  image: string;
  credentials: RegistryCredentials | undefined;
  /** Which credentials they are, in words. */
  who: string;
}

/** An access token for reading one repository (distribution's token and oauth2 specifications). Throws Failure. */
export async function fetchToken(http: Http, request: TokenRequest): Promise<string> {
  const realm = realmOf(request);
  try {
    const posted = request.credentials?.identityToken ? await post(http, realm, request) : undefined;
    // Registries without the newer endpoint answer 404 to it.
    const answer = posted && posted.status !== 404 ? posted : await get(http, realm, request);
    if (answer.status !== 200) throw failureOfAnswer(answer, request.image, request.who);
    return tokenOf(answer, request);
  } catch (error) {
    throw failureOfSocket(error, realm.host);
  }
}

/** A realm may lead to another host, but not into a network that the registry has no business in, nor from https to http. */
function realmOf({ challenge, origin, image }: TokenRequest): URL {
  const text = challenge.parameters.get('realm') ?? '';
  const refuse = (why: string): Failure =>
    new Failure('RegistryFailed', `the registry of ${image} wants a token from a place that ${why}`, {
      remedy: 'ask who runs the registry',
    });
  if (!URL.canParse(text)) throw refuse('is no URL');
  const realm = new URL(text);
  if (realm.username !== '' || realm.password !== '') throw refuse('has a password in its URL');
  if (realm.protocol !== 'https:' && !(realm.protocol === 'http:' && origin.protocol === 'http:')) throw refuse('is not https');
  const beside = realm.host === origin.host || (isLoopback(realm.host) && isLoopback(origin.host));
  if (isPrivateAddress(realm.hostname) && !beside) throw refuse('is an address of a private network');
  return realm;
}

function scopeOf({ repository }: TokenRequest): string {
  return `repository:${repository}:pull`;
}

function get(http: Http, realm: URL, request: TokenRequest): Promise<HttpAnswer> {
  const url = new URL(realm);
  const service = request.challenge.parameters.get('service');
  url.searchParams.append('scope', scopeOf(request));
  if (service !== undefined) url.searchParams.append('service', service);
  return http.send({ url, maxBytes: MAX_BYTES, headers: basicHeader(request.credentials) });
}

function post(http: Http, url: URL, request: TokenRequest): Promise<HttpAnswer> {
  const body = new URLSearchParams({
    grant_type: 'refresh_token',
    client_id: 'lateen',
    refresh_token: request.credentials?.identityToken ?? '',
    scope: scopeOf(request),
    service: request.challenge.parameters.get('service') ?? '',
  }).toString();
  return http.send({ url, method: 'POST', body, maxBytes: MAX_BYTES, headers: { 'content-type': 'application/x-www-form-urlencoded' } });
}

export function basicHeader(credentials: RegistryCredentials | undefined): Record<string, string> {
  const { username, password } = credentials ?? {};
  if (username === undefined || password === undefined) return {};
  return { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` };
}

function tokenOf({ body }: HttpAnswer, { image }: TokenRequest): string {
  try {
    const answer = JSON.parse(body.toString('utf8')) as { token?: unknown; access_token?: unknown };
    const token = answer.access_token ?? answer.token;
    // What is no token (RFC 6750 §2.1) would end the header.
    if (typeof token === 'string' && /^[\u0021-\u007e]+$/.test(token)) return token;
  } catch {
    // Said below, without the answer, which may hold a token.
  }
  throw new Failure('RegistryFailed', `the registry of ${image} gives no token`, { remedy: 'ask who runs the registry' });
}
