import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseChallenges, usableChallenge } from '#agent/image/challenge.ts';

function read(header: string): [string, Record<string, string>][] {
  return parseChallenges(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);
}

describe('WWW-Authenticate (RFC 9110 §11.6.1)', () => {
  it.each<[string, [string, Record<string, string>][]]>([
    ['Basic realm="x"', [['basic', { realm: 'x' }]]],
    [
      'Bearer realm="https://a/token",service="a b, c",scope="repository:x:pull"',
      [['bearer', { realm: 'https://a/token', service: 'a b, c', scope: 'repository:x:pull' }]],
    ],
    [
      'Negotiate, Basic realm="x"',
      [
        ['negotiate', {}],
        ['basic', { realm: 'x' }],
      ],
    ],
    [
      'Bearer realm="a", Basic realm="b"',
      [
        ['bearer', { realm: 'a' }],
        ['basic', { realm: 'b' }],
      ],
    ],
    ['bearer REALM = tok , Service=s', [['bearer', { realm: 'tok', service: 's' }]]],
    ['Basic realm="a \\"b\\""', [['basic', { realm: 'a "b"' }]]],
    ['Basic', [['basic', {}]]],
    ['', []],
  ])('%s', (header, challenges) => {
    expect(read(header)).toEqual(challenges);
  });

  it('takes the first that can be met', () => {
    expect(usableChallenge('Negotiate abc==, Bearer realm="a", Basic realm="b"')?.scheme).toBe('bearer');
    expect(usableChallenge('Negotiate')).toBeUndefined();
  });

  it('reads anything to its end', () => {
    const header = fc.oneof(fc.string(), fc.stringMatching(/^[A-Za-z ="\\,]{0,40}$/));
    fc.assert(
      fc.property(header, (text) => {
        expect(Array.isArray(parseChallenges(text))).toBe(true);
      }),
    );
  });
});
