import { X509Certificate } from 'node:crypto';
import { Failure } from '#api/failure.ts';
import type { KubeObject } from '#api/kubernetes.ts';
import { displayUrl } from '#api/source-url.ts';
import { oneLine } from '#core/errors.ts';
import { authorization } from './environment.ts';
import type { GitCredentials } from './types.ts';

const EXPECTED = 'username and password, bearerToken, ca.crt';
/** Keys that other tools know and this version cannot use yet. */
const UNSUPPORTED: Record<string, string> = {
  identity: 'SSH keys',
  'tls.crt': 'client certificates',
  'tls.key': 'client certificates',
  githubAppID: 'GitHub Apps',
};
const MAX_KEYS_SHOWN = 10;

/**
 * Credentials for `url` from a Secret (spec/sync.md §1.4): `username` and `password`, `bearerToken` (which wins), `ca.crt` or
 * the older `caFile`. `name` is shown. Throws Failure SecretNotFound, SecretInvalid or Unsupported; never shows a value.
 */
export function credentialsFromSecret(secret: KubeObject | undefined, name: string, url: string): GitCredentials {
  if (!secret) {
    throw new Failure('SecretNotFound', `there is no Secret ${name} in the namespace`, {
      remedy: `create it with the keys ${EXPECTED}, or correct secretRef`,
    });
  }
  const values = decode(secret['data']);
  const unsupported = [...values.keys()].find((key) => Object.hasOwn(UNSUPPORTED, key));
  if (unsupported) {
    throw new Failure(
      'Unsupported',
      `the Secret ${name} holds ${unsupported}: ${UNSUPPORTED[unsupported] ?? ''} are not implemented in this version`,
      {
        kind: 'stalled',
        remedy: `use the keys ${EXPECTED}`,
      },
    );
  }
  const credentials = pick(values);
  const mistake = mistakeOf(credentials, values);
  if (mistake) throw new Failure('SecretInvalid', `the Secret ${name} ${mistake}`, { kind: 'stalled', remedy: `use the keys ${EXPECTED}` });
  requirePrivateTransport(url, credentials);
  return credentials;
}

/** Throws Failure SecretInvalid where credentials would travel in the clear: over http to another machine. */
export function requirePrivateTransport(url: string, credentials: GitCredentials | undefined): void {
  if (!authorization(credentials) || !/^http:/i.test(url) || isLoopback(new URL(url).hostname)) return;
  throw new Failure('SecretInvalid', `${displayUrl(url)} would send the credentials unencrypted over http://`, {
    kind: 'stalled',
    remedy: 'use https:// in url, or remove secretRef',
  });
}

/** Everything in the credentials that must never be shown. */
export function secretsOf(credentials: GitCredentials | undefined): string[] {
  const { username, password, bearerToken } = credentials ?? {};
  const pair = username === undefined ? undefined : `${username}:${password ?? ''}`;
  // A user without a password is a token in the place of the user.
  const user = password === undefined ? username : undefined;
  return [password, bearerToken, pair, user].filter((secret) => secret !== undefined && secret !== '') as string[];
}

/** WHATWG URL writes every IPv4 spelling as four numbers. */
function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname);
}

/** Decoded values without trailing line breaks, which `base64 <<<` and editors leave; empty ones are left out. */
function decode(data: unknown): Map<string, string> {
  const values = new Map<string, string>();
  if (typeof data !== 'object' || data === null) return values;
  for (const [key, value] of Object.entries(data)) {
    if (typeof value !== 'string') continue;
    const text = Buffer.from(value, 'base64')
      .toString('utf8')
      .replace(/(?<![\r\n])[\r\n]+$/, '');
    if (text !== '') values.set(key, text);
  }
  return values;
}

function pick(values: Map<string, string>): GitCredentials {
  const caCert = values.get('ca.crt') ?? values.get('caFile');
  const bearerToken = values.get('bearerToken');
  const username = values.get('username');
  const password = values.get('password');
  const basic = { ...(username === undefined ? {} : { username }), ...(password === undefined ? {} : { password }) };
  return { ...(bearerToken === undefined ? basic : { bearerToken }), ...(caCert === undefined ? {} : { caCert }) };
}

function mistakeOf(credentials: GitCredentials, values: Map<string, string>): string | undefined {
  const { username, password, bearerToken, caCert } = credentials;
  if (password !== undefined && username === undefined) return 'has a password without a username';
  if (username?.includes(':')) return 'has a username with a colon, which Basic authentication cannot send';
  // oxlint-disable-next-line no-control-regex -- a line break would end the header (RFC 9110 §5.5)
  if (bearerToken !== undefined && /[\u0000-\u0020\u007f]/.test(bearerToken)) return 'has a bearerToken with spaces or control characters';
  if (caCert !== undefined && !isCertificate(caCert)) return 'has a ca.crt that is not a PEM certificate';
  if (username === undefined && bearerToken === undefined && caCert === undefined)
    return `has none of the keys that are expected; it has ${keysOf(values)}`;
  return undefined;
}

function keysOf(values: Map<string, string>): string {
  const keys = [...values.keys()].sort();
  if (keys.length === 0) return 'no key with a value';
  const more = keys.length > MAX_KEYS_SHOWN ? ', …' : '';
  return oneLine(`${keys.slice(0, MAX_KEYS_SHOWN).join(', ')}${more}`);
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
}
