import type { Reason } from '#api/reasons.ts';

/** What is remembered of one marker, so that the robot yields to people. */
export interface MarkerMemory {
  /** The value that we set, or found set as we would. */
  value: string;
  /** The tag that it came from. */
  tag: string;
  /** Somebody took that tag away: it is not set again. */
  held?: true;
}

export interface Wanted {
  value: string;
  tag: string;
}

export interface MarkerState {
  /** What stands in the file. */
  current: string;
  /** The tag in it, where it can be told. */
  currentTag: string | undefined;
  memory: MarkerMemory | undefined;
}

export interface Rules {
  /** Positive where the first tag is preferred; undefined where one of them does not count any more. */
  compare(a: string, b: string): number | undefined;
  allowDowngrade: boolean;
}

export type Decision =
  | { do: 'set'; memory: MarkerMemory }
  | { do: 'settled'; memory: MarkerMemory }
  | { do: 'leave'; reason: Reason; why: string; memory: MarkerMemory | undefined };

/**
 * Whether a marker is set. A value that is no longer what we had set was changed by somebody: that tag is held, until a
 * newer one appears or somebody resumes (design §5.8). Never backwards without leave.
 */
export function decide({ current, currentTag, memory }: MarkerState, wanted: Wanted, { compare, allowDowngrade }: Rules): Decision {
  const set = { value: wanted.value, tag: wanted.tag };
  if (current === wanted.value) return { do: 'settled', memory: set };
  const held = memory !== undefined && current !== memory.value;
  if (held && !isNewer(wanted.tag, memory.tag, compare)) {
    const why = `somebody changed it away from ${memory.tag}: it stays so until there is a newer tag than that`;
    return { do: 'leave', reason: 'ImageHeld', why, memory: { value: memory.value, tag: memory.tag, held: true } };
  }
  if (!allowDowngrade && currentTag !== undefined && (compare(currentTag, wanted.tag) ?? 0) > 0) {
    const why = `${wanted.tag} is older than ${currentTag}, and allowDowngrade is false`;
    return { do: 'leave', reason: 'DowngradeRefused', why, memory: held ? { ...memory, held: true } : memory };
  }
  return { do: 'set', memory: set };
}

function isNewer(tag: string, than: string, compare: Rules['compare']): boolean {
  if (tag === than) return false;
  // Where the old one no longer counts (the policy was changed), anything else is new.
  return (compare(tag, than) ?? 1) > 0;
}
