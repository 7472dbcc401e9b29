import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { AgentMetrics } from '#agent/metrics.ts';

it('docs/metrics.md has every metric of the agent, with its kind, and no other', async () => {
  const page = await readFile(new URL('../../../docs/metrics.md', import.meta.url), 'utf8');
  const described = [...page.matchAll(/^\| `(lateen_agent_\w+)` \| (\w+) \|/gm)].map(([, name, kind]) => `${name} ${kind}`);
  const served = [...new AgentMetrics().text().matchAll(/^# TYPE (\S+) (\w+)$/gm)].map(([, name, kind]) => `${name} ${kind}`);
  expect(described.toSorted()).toEqual(served.toSorted());
});
