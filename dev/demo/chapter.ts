import type { Client } from '#agent/cluster/client.ts';
import type { Keeper } from '../keeper.ts';

/** What a chapter plays on: everything runs, the agent of namespace `default` too. */
export interface Bench {
  keeper: Keeper;
  /** All rights; for preparing and waiting, which print nothing. */
  client: Client;
  /** Log file of the agent of namespace `default`. */
  agentLog: string;
  /** Progress that is no part of the play, to standard error. */
  log: (line: string) => void;
  /** The play itself, to standard output. */
  print: (text: string) => void;
  signal: AbortSignal;
}

/** How a chapter speaks to the person who watches. */
export interface Stage {
  /** One line of prose, printed as a comment of sh, in front of what follows. */
  say: (line: string) => void;
  /**
   * Prints a command as a person can paste it, runs it with sh in the checkout, and prints what it prints. Rejects
   * where it fails and after a minute. A command of several lines ends all but the last with a backslash.
   */
  run: (command: string) => Promise<void>;
  /**
   * Waits without a word until `isTrue`; a check that throws counts as no. Resolves to the seconds that it took.
   * `what` completes "waited 30 s until …". Rejects after `deadlineMs` (default: 30 s), with the end of the agent's log.
   */
  until: (what: string, isTrue: () => Promise<boolean>, deadlineMs?: number) => Promise<number>;
}

/** Something to do by hand after the play. */
export interface Try {
  what: string;
  commands: string[];
}

export interface Chapter {
  /** As in `make demo CHAPTER=sync`. */
  name: string;
  title: string;
  /** Starts what only this chapter needs, and removes what an earlier run left. Nothing of it is part of the play. */
  prepare(bench: Bench): Promise<void>;
  /** At most 30 s. Ends with all of it still running. */
  play(stage: Stage, bench: Bench): Promise<void>;
  /** Each can be pasted on its own, in this order. */
  tries(bench: Bench): Try[];
}
