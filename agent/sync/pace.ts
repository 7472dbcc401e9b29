import pLimit, { type LimitFunction } from 'p-limit';

/** Requests of one component side by side: half of the client's, so that another component is never behind a large one. */
const CONCURRENCY = 16;
/** At first: of several components whose requests hang (an admission webhook that does not answer) no two take all places. */
const FIRST = 4;
/** While they hang. */
const SLOW = 2;
const SLOW_MS = 5_000;

/** Runs the requests of one component: more side by side as they are answered, few while they take long. */
export class Pace {
  readonly #limit: LimitFunction = pLimit(FIRST);
  readonly #now: () => number;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  run<T>(request: () => Promise<T>): Promise<T> {
    return this.#limit(async () => {
      const begunMs = this.#now();
      try {
        return await request();
      } finally {
        const isSlow = this.#now() - begunMs >= SLOW_MS;
        this.#limit.concurrency = isSlow ? SLOW : Math.min(CONCURRENCY, this.#limit.concurrency + 1);
      }
    });
  }
}
