import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createKinds } from '#agent/cluster/kinds.ts';
import type { Transport } from '#agent/cluster/transport.ts';

const groups = (...kinds: string[]): unknown => ({
  items: [
    {
      metadata: { name: 'x.dev' },
      versions: [
        { version: 'v1', resources: kinds.map((kind) => ({ resource: kind.toLowerCase(), responseKind: { kind }, scope: 'Namespaced' })) },
      ],
    },
  ],
});

it('asks anew after a doubt, also where an answer from before it is still on its way', async () => {
  let now = 0;
  const answers: ((body: unknown) => void)[] = [];
  const transport = {
    request: async ({ path }: { path: string }) => ({
      status: 200,
      headers: {},
      body: path === '/api' ? { items: [] } : await new Promise((answer) => answers.push(answer)),
    }),
  } as unknown as Transport;
  const kinds = createKinds(transport, () => now);
  const first = kinds.find('x.dev/v1', 'Going');
  answers.shift()?.(groups('Going'));
  await expect(first).resolves.toMatchObject({ kind: 'Going' });

  now += 10_000;
  // Somebody asks for another kind; the server answers, and its definition of the first one is taken away.
  void kinds.find('x.dev/v1', 'Other');
  await turn();
  kinds.doubt();
  const served = kinds.served('x.dev/v1', 'Going');
  answers.shift()?.(groups('Going'));
  await turn();
  answers.shift()?.(groups());
  await expect(served).resolves.toBeUndefined();
  await expect(kinds.find('x.dev/v1', 'Going')).resolves.toBeUndefined();
});
