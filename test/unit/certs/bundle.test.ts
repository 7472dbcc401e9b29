import { beforeAll, describe, expect, it } from 'vitest';
import { bundle, certificatesIn, Guests } from '#certs/bundle.ts';
import { issueAuthority } from '#certs/issue.ts';

const NOW = Date.parse('2026-03-01T00:00:00Z');
const LIFE = 3_600_000;
const GRACE = 60_000;

let a: string;
let b: string;

beforeAll(async () => {
  [a, b] = (await Promise.all([1, 2].map(() => issueAuthority({ nowMs: NOW, lifeMs: LIFE })))).map(({ cert }) => cert) as [string, string];
});

describe('a bundle', () => {
  it('holds each certificate once, and is the same whoever writes it', () => {
    expect(bundle(a, b, a)).toBe(bundle(`${b}${a.trim()}`));
    expect(certificatesIn(bundle(a, b)).sort()).toEqual([a, b].sort());
    expect(bundle(a.replaceAll('\n', '\r\n'))).toBe(bundle(a));
  });

  it('holds nothing else', () => {
    const key = '-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n';
    expect(bundle(`# a comment\n${key}${a}`)).toBe(a);
    expect(bundle('')).toBe('');
  });
});

describe('authorities of others in a live bundle', () => {
  it('stay for a while after they were first seen', () => {
    const guests = new Guests(GRACE);
    expect(guests.stay([a, b], [a], NOW)).toEqual([b]);
    expect(guests.stay([a, b], [a], NOW + GRACE - 1)).toEqual([b]);
    expect(guests.stay([a, b], [a], NOW + GRACE)).toEqual([]);
  });

  it('stay anew where they come back', () => {
    const guests = new Guests(GRACE);
    guests.stay([a, b], [a], NOW);
    guests.stay([a], [a], NOW + GRACE);
    expect(guests.stay([a, b], [a], NOW + 2 * GRACE)).toEqual([b]);
  });

  it('count from the moment at which they are no longer ours', () => {
    const guests = new Guests(GRACE);
    guests.stay([a, b], [a, b], NOW);
    expect(guests.stay([a, b], [b], NOW + 10 * GRACE)).toEqual([a]);
  });

  it('go when they have expired, or are no certificates', () => {
    const guests = new Guests(2 * LIFE);
    const broken = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';
    expect(guests.stay([a, b, broken], [a], NOW)).toEqual([b]);
    expect(guests.stay([a, b], [a], NOW + LIFE)).toEqual([]);
  });
});
