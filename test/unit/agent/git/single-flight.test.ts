import { expect, it } from 'vitest';
import { SingleFlight } from '#agent/git/single-flight.ts';

const never = new AbortController().signal;

/** A run that ends when it is told to, or when its signal aborts. */
function controlled(): {
  work: (signal: AbortSignal) => Promise<string>;
  finish: (value: string) => void;
  runs: () => number;
  aborted: () => boolean;
} {
  let runs = 0;
  let aborted = false;
  let finish: (value: string) => void = () => {};
  const work = (signal: AbortSignal): Promise<string> => {
    runs++;
    return new Promise((resolve, reject) => {
      finish = resolve;
      signal.addEventListener('abort', () => {
        aborted = true;
        reject(signal.reason as Error);
      });
    });
  };
  return { work, finish: (value) => finish(value), runs: () => runs, aborted: () => aborted };
}

it('runs once for callers with the same key, and again afterwards', async () => {
  const flights = new SingleFlight<string>();
  const run = controlled();
  const calls = [flights.run('a', never, run.work), flights.run('a', never, run.work)];
  run.finish('one');
  expect(await Promise.all(calls)).toEqual(['one', 'one']);
  const again = flights.run('a', never, run.work);
  run.finish('two');
  expect([await again, run.runs()]).toEqual(['two', 2]);
});

it('hands a failure to every caller', async () => {
  const flights = new SingleFlight<string>();
  const work = async (): Promise<string> => {
    await Promise.resolve();
    throw new Error('broken');
  };
  const results = await Promise.allSettled([flights.run('a', never, work), flights.run('a', never, work)]);
  expect(results.map((result) => result.status === 'rejected' && (result.reason as Error).message)).toEqual(['broken', 'broken']);
});

it('stops the run only when the last caller has left', async () => {
  const flights = new SingleFlight<string>();
  const run = controlled();
  const [first, second] = [new AbortController(), new AbortController()];
  const calls = [flights.run('a', first.signal, run.work), flights.run('a', second.signal, run.work)];
  const results = Promise.allSettled(calls);
  first.abort(new Error('first left'));
  await expect(calls[0]).rejects.toThrow('first left');
  expect(run.aborted()).toBe(false);
  second.abort(new Error('second left'));
  await results;
  await expect(calls[1]).rejects.toThrow('second left');
  expect(run.aborted()).toBe(true);
});

it('does not begin for a caller that has left already', async () => {
  const run = controlled();
  await expect(new SingleFlight<string>().run('a', AbortSignal.abort(new Error('gone')), run.work)).rejects.toThrow('gone');
  expect(run.runs()).toBe(0);
});
