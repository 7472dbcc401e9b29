import { describe, expect, it } from 'vitest';
import { backoffMs, jitterMs } from '#core/backoff.ts';
import { messageOf, oneLine, sentences } from '#core/errors.ts';
import { createLog } from '#core/log.ts';
import { createRedactor } from '#core/redact.ts';

describe('backoff', () => {
  it('doubles from two seconds to ten minutes, shortened by up to a half', () => {
    const longest = [0, 1, 2, 7, 8, 9, 50].map((attempt) => backoffMs(attempt, 1));
    const shortest = [0, 1, 2].map((attempt) => backoffMs(attempt, 0));

    expect(longest).toEqual([2_000, 4_000, 8_000, 256_000, 512_000, 600_000, 600_000]);
    expect(shortest).toEqual([1_000, 2_000, 4_000]);
  });

  it('spreads an interval by five percent to both sides', () => {
    expect([jitterMs(1_000, 0), jitterMs(1_000, 0.5), jitterMs(1_000, 1)]).toEqual([950, 1_000, 1_050]);
  });
});

describe('errors', () => {
  it('joins the messages of the causes', () => {
    expect(messageOf(new Error('list tags', { cause: new Error('refused') }))).toBe('list tags: refused');
  });

  it('puts sentences one after the other, each with one mark at its end', () => {
    expect(sentences(['a is wrong', 'did you mean "b"?', 'c…', 'And 1 more'])).toBe('a is wrong. did you mean "b"? c… And 1 more');
    expect(sentences([])).toBe('');
  });

  it('makes one safe line of what strangers wrote', () => {
    expect(oneLine('first\r\n  second\u001b[31m red\u0007\u202e')).toBe('first second[31m red');
    expect(oneLine('x'.repeat(20), 10)).toBe('xxxxxxxxx…');
    expect(oneLine('a  b \r\n\n c')).toBe('a  b c');
  });

  it('makes one line of a megabyte of spaces without holding anybody up', () => {
    const begun = performance.now();

    expect(oneLine(`x${' '.repeat(1_000_000)}x`, 10)).toBe('x        …');
    expect(performance.now() - begun).toBeLessThan(1_000);
  });
});

describe('log', () => {
  it('writes JSON lines at or above its level, with bindings and without secrets', () => {
    const lines: string[] = [];
    const redactor = createRedactor();
    redactor.register('hunter22');
    const log = createLog({ level: 'info', redactor, write: (line) => lines.push(line), now: () => 0 });

    log.debug('quiet');
    log.child({ application: 'a' }).warn('pull failed', { error: new Error('bad hunter22') });

    expect(lines).toEqual([
      '{"time":"1970-01-01T00:00:00.000Z","level":"warn","message":"pull failed","application":"a","error":"bad ***"}\n',
    ]);
  });
});
