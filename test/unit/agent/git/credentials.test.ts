import { describe, expect, it } from 'vitest';
import { credentialsFromSecret, requirePrivateTransport, secretsOf } from '#agent/git/credentials.ts';
import { authorization } from '#agent/git/environment.ts';
import { selfSignedCertificate } from '#test/support/certificate.ts';
import { secretObject } from '#test/support/git.ts';

const URL = 'https://git.example.com/infra';
const { cert } = selfSignedCertificate();

describe('credentialsFromSecret', () => {
  it.each([
    ['name and password', { username: 'u', password: 'p' }, { username: 'u', password: 'p' }],
    ['a trailing line break', { username: 'u\n', password: 'p q\r\n' }, { username: 'u', password: 'p q' }],
    ['a token in the place of the user', { username: 'token' }, { username: 'token' }],
    ['a bearer token, which wins', { username: 'u', password: 'p', bearerToken: 't' }, { bearerToken: 't' }],
    ['an authority alone', { 'ca.crt': cert }, { caCert: cert.trimEnd() }],
    [
      'an authority under its old key',
      { caFile: cert, username: 'u', password: 'p' },
      { username: 'u', password: 'p', caCert: cert.trimEnd() },
    ],
    ['ca.crt before caFile', { 'ca.crt': cert, caFile: 'x' }, { caCert: cert.trimEnd() }],
    ['other keys, which are left alone', { username: 'u', password: 'p', note: 'x' }, { username: 'u', password: 'p' }],
  ])('takes %s', (_, values, expected) => {
    expect(credentialsFromSecret(secretObject(values), 'git-secret', URL)).toEqual(expected);
  });

  it.each([
    ['no key', {}, 'the Secret git-secret has none of the keys that are expected; it has no key with a value'],
    [
      'empty values',
      { username: '', password: '\n' },
      'the Secret git-secret has none of the keys that are expected; it has no key with a value',
    ],
    ['other keys', { user: 'u', pass: 'very-secret' }, 'the Secret git-secret has none of the keys that are expected; it has pass, user'],
    ['a password alone', { password: 'very-secret' }, 'the Secret git-secret has a password without a username'],
    [
      'a colon in the name',
      { username: 'a:b', password: 'p' },
      'the Secret git-secret has a username with a colon, which Basic authentication cannot send',
    ],
    [
      'a token that would break the header',
      { bearerToken: 'a\nX: y' },
      'the Secret git-secret has a bearerToken with spaces or control characters',
    ],
    ['an authority that is none', { 'ca.crt': 'very-secret' }, 'the Secret git-secret has a ca.crt that is not a PEM certificate'],
  ])('refuses %s', (_, values, message) => {
    expect(() => credentialsFromSecret(secretObject(values), 'git-secret', URL)).toThrow(
      expect.objectContaining({
        reason: 'SecretInvalid',
        kind: 'stalled',
        message,
        remedy: 'use the keys username and password, bearerToken, ca.crt',
      }) as Error,
    );
  });

  it('takes a value of half a megabyte of line breaks as it is, without holding anybody up', () => {
    const password = `${'\n'.repeat(500_000)}x`;
    const begun = performance.now();
    expect(credentialsFromSecret(secretObject({ username: 'u', password: `${password}\n` }), 'git-secret', URL).password).toBe(password);
    expect(performance.now() - begun).toBeLessThan(1_000);
  });

  it.each([
    ['identity', 'SSH keys'],
    ['tls.crt', 'client certificates'],
    ['githubAppID', 'GitHub Apps'],
  ])('says that %s is not implemented', (key, what) => {
    expect(() => credentialsFromSecret(secretObject({ [key]: 'x', username: 'u' }), 'git-secret', URL)).toThrow(
      expect.objectContaining({
        reason: 'Unsupported',
        message: `the Secret git-secret holds ${key}: ${what} are not implemented in this version`,
      }) as Error,
    );
  });

  it('says when the Secret is not there', () => {
    expect(() => credentialsFromSecret(undefined, 'git-secret', URL)).toThrow(
      expect.objectContaining({
        reason: 'SecretNotFound',
        kind: 'transient',
        message: 'there is no Secret git-secret in the namespace',
      }) as Error,
    );
  });
});

describe('requirePrivateTransport', () => {
  const credentials = { username: 'u', password: 'p' };

  it.each(['https://git.example.com/x', 'http://127.0.0.1:8080/x', 'http://127.1/x', 'http://localhost/x', 'http://[::1]:80/x'])(
    'lets %s pass',
    (url) => {
      expect(requirePrivateTransport(url, credentials)).toBeUndefined();
    },
  );

  it.each([
    'http://git.example.com/x',
    'HTTP://git.example.com/x',
    'http://127.0.0.1.example.com/x',
    'http://localhost.example.com/x',
    'http://10.0.0.1/x',
    'http://[::2]/x',
  ])('refuses %s, but not without credentials', (url) => {
    expect(() => requirePrivateTransport(url, credentials)).toThrow(
      expect.objectContaining({ reason: 'SecretInvalid', kind: 'stalled' }) as Error,
    );
    expect(() => requirePrivateTransport(url, { bearerToken: 't' })).toThrow('unencrypted');
    expect(requirePrivateTransport(url, { caCert: cert })).toBeUndefined();
    expect(requirePrivateTransport(url, undefined)).toBeUndefined();
  });
});

it('names every secret of the credentials', () => {
  expect(secretsOf({ username: 'u', password: 'p' })).toEqual(['p', 'u:p']);
  expect(secretsOf({ username: 'token' })).toEqual(['token:', 'token']);
  expect(secretsOf({ bearerToken: 't', caCert: cert })).toEqual(['t']);
  expect(secretsOf(undefined)).toEqual([]);
});

it('writes the header of Basic and Bearer authentication', () => {
  expect(authorization({ username: 'ü', password: 'p:q' })).toBe('Basic w7w6cDpx');
  expect(authorization({ username: 'u', password: 'p', bearerToken: 't' })).toBe('Bearer t');
  expect(authorization({ caCert: cert })).toBeUndefined();
});
