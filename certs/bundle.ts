import { X509Certificate } from 'node:crypto';

/** A bundle: certificates of authorities as one PEM text, each once and in an order that does not depend on who writes it. */

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/g;

/** The certificates in PEM texts, each once. */
export function certificatesIn(...texts: string[]): string[] {
  return [...new Set(texts.flatMap((text) => text.match(CERTIFICATE) ?? []).map((pem) => `${pem.replaceAll('\r\n', '\n')}\n`))];
}

/** One bundle of all that is in the texts. */
export function bundle(...texts: string[]): string {
  return certificatesIn(...texts)
    .sort()
    .join('');
}

/**
 * Authorities of others in a live bundle. While certificates are exchanged (the files of one replica are newer than those of
 * another, or an upgrade changed where they come from) another replica may still serve one of theirs, so they stay for a
 * while after they were first seen; then they go, since nobody here vouches for them.
 */
export class Guests {
  readonly #graceMs: number;
  readonly #seenMs = new Map<string, number>();

  constructor(graceMs: number) {
    this.#graceMs = graceMs;
  }

  /** The certificates of a live bundle that are not `own`, and still may stay. */
  stay(live: readonly string[], own: readonly string[], nowMs: number): string[] {
    const guests = live.filter((pem) => !own.includes(pem));
    for (const pem of this.#seenMs.keys()) if (!guests.includes(pem)) this.#seenMs.delete(pem);
    for (const pem of guests) if (!this.#seenMs.has(pem)) this.#seenMs.set(pem, nowMs);
    return guests.filter((pem) => nowMs - this.#seenMs.get(pem)! < this.#graceMs && isAlive(pem, nowMs));
  }
}

function isAlive(pem: string, nowMs: number): boolean {
  try {
    return Date.parse(new X509Certificate(pem).validTo) > nowMs;
  } catch {
    return false;
  }
}
