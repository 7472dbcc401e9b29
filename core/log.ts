import { toError } from './errors.ts';
import type { Redactor } from './redact.ts';

export const LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type Level = (typeof LEVELS)[number];
export type Fields = Record<string, unknown>;

/**
 * JSON lines. Levels mean people: error = our defect, warn = an operator should look, info = the state changed or a
 * user erred, debug = why. The message is static, the data stands in the fields.
 */
export interface Log {
  debug(message: string, fields?: Fields): void;
  info(message: string, fields?: Fields): void;
  warn(message: string, fields?: Fields): void;
  error(message: string, fields?: Fields): void;
  /** A log whose lines all carry `bindings`. */
  child(bindings: Fields): Log;
}

export interface LogOptions {
  level: Level;
  redactor: Redactor;
  write: (line: string) => void;
  now?: () => number;
}

export function createLog(options: LogOptions, bindings: Fields = {}): Log {
  const { level, redactor, write, now = Date.now } = options;
  const threshold = LEVELS.indexOf(level);

  const emit = (at: Level, message: string, fields: Fields = {}): void => {
    if (LEVELS.indexOf(at) < threshold) return;
    const line: Fields = { time: new Date(now()).toISOString(), level: at, message, ...bindings, ...fields };
    for (const key in line) if (line[key] instanceof Error) line[key] = toError(line[key]).message;
    write(`${redactor.scrub(JSON.stringify(line))}\n`);
  };

  return {
    debug: (message, fields) => emit('debug', message, fields),
    info: (message, fields) => emit('info', message, fields),
    warn: (message, fields) => emit('warn', message, fields),
    error: (message, fields) => emit('error', message, fields),
    child: (more) => createLog(options, { ...bindings, ...more }),
  };
}

/** Says nothing. */
export const silentLog: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLog,
};
