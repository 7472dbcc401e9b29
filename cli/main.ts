import { systemClock } from '#core/clock.ts';
import manifest from '../package.json' with { type: 'json' };
import { CommandError, exit } from './exit.ts';
import type { Io, Output } from './io.ts';
import { runProgram } from './program.ts';

/** The one place that knows the process. */

function outputOf(stream: NodeJS.WriteStream): Output {
  // `lateen ls | head -1`: the reader has gone, and that is no error.
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(0);
  });
  return { write: (text) => void stream.write(text), isTTY: stream.isTTY === true };
}

async function readStdin(maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new CommandError(exit.no, `standard input is larger than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

const io: Io = {
  stdout: outputOf(process.stdout),
  stderr: outputOf(process.stderr),
  readStdin,
  env: process.env,
  clock: systemClock,
  cwd: process.cwd(),
  timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
};

process.exitCode = await runProgram(io, process.argv.slice(2), manifest.version);
