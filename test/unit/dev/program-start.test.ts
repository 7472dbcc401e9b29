import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { PROGRAM_STARTS } from '#dev/program-start.ts';

it.each(Object.entries(PROGRAM_STARTS))('starts %s of the checkout as in the image', async (name, { options, environment }) => {
  const script = await readFile(`bin/${name}`, 'utf8');
  for (const option of options) expect(script).toContain(` ${option} `);
  for (const [variable, value] of Object.entries(environment)) expect(script).toContain(`\nexport ${variable}=${value}\n`);
});
