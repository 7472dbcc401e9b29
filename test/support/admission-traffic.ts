import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '#agent/cluster/client.ts';
import { messageOf } from '#core/errors.ts';

export interface Traffic {
  /** What was not judged as it should have been. */
  failures: string[];
  /** Right and wrong Applications that were asked about. */
  asked: number;
}

const PAUSE_MS = 50;

/**
 * Asks about Applications of a namespace, right ones and wrong ones in turn, while the work is done. A wrong one that is let in
 * tells that nobody judged it; a right one that is refused, that a webhook under `failurePolicy: Fail` did not answer.
 */
export async function underTraffic(client: Client, namespace: string, work: () => Promise<void>): Promise<Traffic> {
  const traffic: Traffic = { failures: [], asked: 0 };
  let over = false;
  const ask = async (): Promise<void> => {
    for (; !over; traffic.asked += 1) {
      const wrong = traffic.asked % 2 === 1;
      const problem = await askOnce(client, namespace, wrong);
      if (problem !== undefined) traffic.failures.push(`${new Date().toISOString()} ${problem}`);
      await sleep(PAUSE_MS);
    }
  };
  const asking = ask();
  await work().finally(() => {
    over = true;
  });
  await asking;
  return traffic;
}

/** Undefined: it was judged right. */
export async function askOnce(client: Client, namespace: string, wrong: boolean): Promise<string | undefined> {
  const properties = wrong ? { urll: 'https://git.example/x' } : { url: 'https://git.example/x', path: '.' };
  const spec = { components: [{ name: 'a', type: 'kustomize', properties }] };
  const object = { apiVersion: 'core.oam.dev/v1beta1', kind: 'Application', metadata: { name: 'traffic', namespace }, spec };
  const answer = await client.create(object, { dryRun: true }).then(
    () => 'stored',
    (error: unknown) => messageOf(error),
  );
  if (!wrong) return answer === 'stored' ? undefined : `a right Application: ${answer}`;
  return answer.includes('is not a property of kustomize') ? undefined : `a wrong Application: ${answer}`;
}
