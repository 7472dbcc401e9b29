import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { AGENT_V8_OPTIONS, WEBHOOK_ENVIRONMENT, WEBHOOK_V8_OPTIONS } from '#dev/v8-options.ts';

it('starts the agent of the checkout with the options of the image, the benchmarks and the fault tests', async () => {
  const script = await readFile('bin/lateen-agent', 'utf8');
  for (const option of AGENT_V8_OPTIONS) expect(script).toContain(` ${option} `);
});

it('starts the webhook of the checkout with the options of the image and the benchmark', async () => {
  const script = await readFile('bin/lateen-webhook', 'utf8');
  for (const option of WEBHOOK_V8_OPTIONS) expect(script).toContain(` ${option} `);
  for (const [name, value] of Object.entries(WEBHOOK_ENVIRONMENT)) expect(script).toContain(`\nexport ${name}=${value}\n`);
});
