import { styleText } from 'node:util';
import type { Clock } from '#core/clock.ts';

export interface Output {
  write(text: string): void;
  readonly isTTY: boolean;
}

/** Everything that a command may touch besides files and the cluster. */
export interface Io {
  stdout: Output;
  stderr: Output;
  /** All of standard input as UTF-8. Throws over `maxBytes`. */
  readStdin(maxBytes: number): Promise<string>;
  env: Record<string, string | undefined>;
  clock: Clock;
  /** The folder that paths are relative to. */
  cwd: string;
  /** IANA name of the zone that times are shown in. */
  timeZone: string;
}

type Format = Parameters<typeof styleText>[0];

/** Colours on a terminal; plain text elsewhere and where NO_COLOR is set (no-color.org). */
export function style(io: Pick<Io, 'env'>, output: Output, format: Format, text: string): string {
  const colours = output.isTTY && !io.env['NO_COLOR'] && io.env['TERM'] !== 'dumb';
  return colours ? styleText(format, text, { validateStream: false }) : text;
}
