// `make bench`: measures the agent on a control plane of its own, each time beside the physical limit in the same run.
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { messageOf } from '#core/errors.ts';
import { untilSignal } from '#core/lifecycle.ts';
import { readSettings, UsageError } from '#core/settings.ts';
import { machine, openLaboratory } from './laboratory.ts';
import { measure } from './parts.ts';
import { tables } from './report.ts';
import { benchSettings } from './settings.ts';

const log = (line: string): void => console.error(line);

async function main(): Promise<void> {
  const settings = readSettings(benchSettings, process.argv.slice(2), {});
  const signal = untilSignal();
  const result = { date: new Date().toISOString(), machine: await machine(), settings };
  const laboratory = await openLaboratory({ log, signal });
  const interrupted = new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
  try {
    const parts = await Promise.race([measure(laboratory, settings, { log, signal }), interrupted]);
    await mkdir(dirname(settings.out), { recursive: true });
    await writeFile(settings.out, `${JSON.stringify({ ...result, parts }, undefined, 2)}\n`);
    console.log(`${result.machine}\n\n${tables(parts)}\n`);
    log(`the whole result: ${settings.out}`);
  } finally {
    await laboratory.close();
  }
}

try {
  await main();
} catch (error) {
  log(messageOf(error));
  // What was under way waits for what will not come any more.
  process.exit(error instanceof UsageError ? 2 : 1);
}
