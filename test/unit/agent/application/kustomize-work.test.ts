import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { ComponentInput, ComponentTools } from '#agent/application/component-loop.ts';
import { type KustomizeContext, KustomizeWork } from '#agent/application/kustomize-work.ts';
import type { Git } from '#agent/git/git.ts';
import { AgentMetrics } from '#agent/metrics.ts';
import { Sources } from '#agent/sync/source.ts';
import { annotation } from '#api/names.ts';
import { systemClock } from '#core/clock.ts';
import { silentLog } from '#core/log.ts';

const url = 'https://git.example/team/app';

it('ends at once where it is stopped while a Git server that others use too does not answer', async () => {
  const git = { resolve: () => new Promise(() => undefined) } as unknown as Git;
  const around = { clock: systemClock, random: () => 0, log: silentLog, metrics: new AgentMetrics() };
  const sources = new Sources({ namespace: 'a', git, credentials: () => Promise.reject(new Error('none')), ...around });
  sources.use({ url }, { intervalMs: 300_000, timeoutMs: 60_000, onChange: () => undefined });
  const work = new KustomizeWork({ ...around, sources, gitTimeoutMs: 60_000 } as unknown as KustomizeContext, {
    wake: () => undefined,
    details: {},
  });
  const input = {
    application: { metadata: { name: 'app', namespace: 'a', annotations: { [annotation.reconcileAt]: 'now' } } },
    component: { name: 'web', type: 'kustomize', properties: { url, path: './' } },
  } as unknown as ComponentInput;
  const tools = { delivery: { forgetFights: () => undefined } } as unknown as ComponentTools;
  const stopped = new AbortController();
  let ended: unknown;
  work.run(input, tools, stopped.signal).catch((error: unknown) => (ended = error));
  await turn();
  expect(ended).toBeUndefined();
  stopped.abort(new Error('stopped'));
  work.stop();
  await turn();
  expect(ended).toEqual(new Error('stopped'));
});
