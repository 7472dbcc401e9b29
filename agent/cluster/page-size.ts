import { Failure } from '#api/failure.ts';

/** Objects in a page of a list. Most have a few kilobytes. */
export const PAGE = 500;

/** Where the objects of a page were more than an answer may be: with a megabyte each, 63 are less. */
export function smallerPage(limit: number): number {
  return Math.ceil(limit / 8);
}

export function isTooLarge(error: unknown): boolean {
  return error instanceof Failure && error.reason === 'TooLarge';
}
