import { describe, expect, it } from 'vitest';
import { createRedactor } from '#core/redact.ts';

describe('redactor', () => {
  it.each([
    ['in plain', 'password hunter22 refused', 'password *** refused'],
    ['in base64', `Authorization ${Buffer.from('hunter22').toString('base64')}`, 'Authorization ***'],
    ['URL-encoded', 'q=hunter%2F22', 'q=***'],
    ['as user info of a URL', 'clone https://bob:token@git.example/x failed', 'clone https://***@git.example/x failed'],
    ['as a token alone in a URL', 'https://token@git.example/x', 'https://***@git.example/x'],
    ['in an Authorization header', 'header authorization: Bearer abc.def', 'header authorization: Bearer ***'],
    ['as a private key', '-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----', '***'],
  ])('removes a secret %s', (_name, text, expected) => {
    const redactor = createRedactor();
    redactor.register('hunter22');
    redactor.register('hunter/22');

    expect(redactor.scrub(text)).toBe(expected);
  });

  it('looks through a megabyte of what could be a scheme without holding anybody up', () => {
    const begun = performance.now();

    expect(createRedactor().scrub(`${'a.'.repeat(500_000)} https://token@git.example`)).toMatch(/a\. https:\/\/\*\*\*@git\.example$/);
    expect(performance.now() - begun).toBeLessThan(1_000);
  });

  it('leaves ordinary text alone, and does not learn words that are too short', () => {
    const redactor = createRedactor();
    redactor.register('a');

    expect(redactor.scrub('a plain sentence about https://git.example/x')).toBe('a plain sentence about https://git.example/x');
  });
});
