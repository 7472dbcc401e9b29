/** The API server writes a number of seconds; longer than this is not obeyed. */
const MAX_RETRY_AFTER_MS = 30_000;
/** Where a 429 does not say. */
const DEFAULT_MS = 1_000;

/** Milliseconds after which to ask again: for a 429, and for a 503 that says when (RFC 9110 §10.2.3). */
export function retryAfterMs({ status, headers }: { status: number; headers: Record<string, string> }): number | undefined {
  if (status !== 429 && status !== 503) return undefined;
  const text = headers['retry-after'] ?? '';
  if (!/^\d+$/.test(text)) return status === 429 ? DEFAULT_MS : undefined;
  return Math.min(MAX_RETRY_AFTER_MS, Number(text) * 1_000);
}
