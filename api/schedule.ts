/**
 * When a repository is asked for its refs. The times follow from the interval and the source alone, so that all
 * components of one source ask together, agents spread over the interval, and the CLI can tell the next pull without
 * the agent writing it anywhere (a status that changes with every poll would be a request that changes nothing).
 */

/** FNV-1a, 32 bit: spreads sources over an interval. Not for security. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193) >>> 0;
  }
  return value;
}

export interface PollSource {
  namespace: string;
  url: string;
  /** Absent: the default branch of the remote. */
  branch?: string;
}

/** The first pull after `nowMs` (both in milliseconds since the epoch). */
export function nextPullMs(source: PollSource, intervalMs: number, nowMs: number): number {
  const phase = hash(`${source.namespace} ${source.url} ${source.branch ?? ''}`);
  const sinceLast = (((nowMs - phase) % intervalMs) + intervalMs) % intervalMs;
  return nowMs + intervalMs - sinceLast;
}
