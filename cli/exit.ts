/** Exit status of every command (design §6). */
export const exit = {
  /** Yes: done, healthy, equal. */
  yes: 0,
  /** No: refused, failed, not found. */
  no: 1,
  /** The command line is wrong. */
  usage: 2,
  /** The question could not be asked: no cluster, no right. */
  couldNotAsk: 3,
  /** `lateen wait`: what was waited for is held back until somebody resumes it. */
  held: 4,
  /** `lateen wait`: something else has taken its place. */
  superseded: 5,
  /** The time given with --timeout is over. */
  timeout: 6,
} as const;

export type Exit = (typeof exit)[keyof typeof exit];

/** Ends a command with one sentence on stderr. */
export class CommandError extends Error {
  readonly exit: Exit;
  readonly remedy: string | undefined;

  constructor(status: Exit, message: string, remedy?: string) {
    super(message);
    this.name = 'CommandError';
    this.exit = status;
    this.remedy = remedy;
  }
}
