import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lsRefsRequest, parseLsRefs } from '#agent/git/ls-refs.ts';

const A = 'a'.repeat(40);
const B = 'b'.repeat(64);

/** A pkt-line (gitprotocol-common). */
const line = (text: string): string => (Buffer.byteLength(text) + 4).toString(16).padStart(4, '0') + text;
const answer = (...lines: string[]): Buffer => Buffer.from(`${lines.map(line).join('')}0000`);

it('asks as gitprotocol-v2 has it', () => {
  expect(lsRefsRequest('refs/heads/main')).toBe('0014command=ls-refs\n0001000csymrefs\n001fref-prefix refs/heads/main\n0000');
  expect(lsRefsRequest('refs/heads/größe')).toContain('0022ref-prefix refs/heads/größe\n');
});

describe('an answer', () => {
  it('is refs of SHA-1 and SHA-256, HEAD with its branch, and attributes that say nothing to us', () => {
    const body = answer(`${A} HEAD symref-target:refs/heads/größe peeled:${B}\n`, `${B} refs/heads/größe\n`, `${A} refs/heads/x`);
    const commits = new Map([
      ['HEAD', A],
      ['refs/heads/größe', B],
      ['refs/heads/x', A],
    ]);
    expect(parseLsRefs(body)).toEqual({ commits, head: 'größe' });
    expect(parseLsRefs(answer())).toEqual({ commits: new Map(), head: undefined });
  });

  it('may have a HEAD without a commit, or one that names no branch', () => {
    expect(parseLsRefs(answer('unborn HEAD symref-target:refs/heads/main\n'))).toEqual({ commits: new Map(), head: 'main' });
    expect(parseLsRefs(answer(`${A} HEAD\n`))?.head).toBeUndefined();
    expect(parseLsRefs(answer(`${A} HEAD symref-target:refs/tags/v1\n`))?.head).toBeUndefined();
  });

  it.each([
    ['nothing', ''],
    ['no flush at its end', line(`${A} refs/heads/main\n`)],
    ['something behind the flush', `${line(`${A} refs/heads/main\n`)}0000x`],
    ['a line that is cut', answer(`${A} refs/heads/main\n`).toString().slice(0, 40)],
    ['an error of the server', answer('ERR access denied\n').toString()],
    ['a length that is none', `00x5${A}`],
    ['a length that goes on for ever', `00010000`],
    ['the advertisement of version 1', answer(`${A} refs/heads/main\0 side-band-64k\n`).toString().replace('main', 'ma n')],
    ['a page', '<html><body>Sign in</body></html>'],
  ])('with %s is none', (_what, text) => {
    expect(parseLsRefs(Buffer.from(text))).toBeUndefined();
  });

  it('that is damaged at any place never throws', () => {
    const body = answer(`${A} HEAD symref-target:refs/heads/main\n`, `${A} refs/heads/main\n`);
    fc.assert(
      fc.property(fc.nat(body.length - 1), fc.integer({ min: 0, max: 255 }), (at, byte) => {
        const damaged = Buffer.from(body);
        damaged[at] = byte;
        for (const [ref, commit] of parseLsRefs(damaged)?.commits ?? [])
          expect([ref, commit]).toEqual([expect.any(String), expect.stringMatching(/^[0-9a-f]+$/)]);
        expect(parseLsRefs(body.subarray(0, at))).toBeUndefined();
      }),
    );
  });
});
