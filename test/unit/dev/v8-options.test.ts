import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { AGENT_V8_OPTIONS } from '#dev/v8-options.ts';

it('starts the agent of the checkout with the options of the image, the benchmarks and the fault tests', async () => {
  const script = await readFile('bin/lateen-agent', 'utf8');
  for (const option of AGENT_V8_OPTIONS) expect(script).toContain(` ${option} `);
});
