import { parseArgs } from 'node:util';

/** One setting: one name in three spellings (`minInterval`, `--min-interval`, `MIN_INTERVAL`), one table per program. */
export interface Setting<T> {
  /** One sentence for `--help` and docs, without the final stop. */
  help: string;
  /** Shown in `--help`: `NS`, `DURATION`, … */
  placeholder: string;
  /** Absent: the setting is required. */
  default?: string;
  /** Text to value; throws an Error whose message says what is accepted. */
  parse: (text: string) => T;
}

export type SettingsTable = Record<string, Setting<unknown>>;
export type Settings<Table extends SettingsTable> = { [Name in keyof Table]: ReturnType<Table[Name]['parse']> };

export class UsageError extends Error {}

const words = (name: string): string[] => name.split(/(?=[A-Z])/).map((word) => word.toLowerCase());

/** `minInterval` -> `min-interval`. */
export function flagName(name: string): string {
  return words(name).join('-');
}

/** `minInterval` -> `MIN_INTERVAL`. */
export function variableName(name: string): string {
  return words(name).join('_').toUpperCase();
}

/** A flag wins over its variable, the variable over the default. All mistakes are reported together. */
export function readSettings<Table extends SettingsTable>(
  table: Table,
  argv: string[],
  environment: Record<string, string | undefined>,
): Settings<Table> {
  const names = Object.keys(table);
  const flags = parseFlags(names, argv);
  const mistakes: string[] = [];
  const values: Record<string, unknown> = {};
  for (const name of names) {
    const setting = table[name]!;
    const text = flags[flagName(name)] ?? environment[variableName(name)] ?? setting.default;
    if (text === undefined) {
      mistakes.push(`--${flagName(name)} (or ${variableName(name)}) is required: ${setting.help}`);
      continue;
    }
    try {
      values[name] = setting.parse(text);
    } catch (error) {
      mistakes.push(`--${flagName(name)}: received ${JSON.stringify(text)}: ${(error as Error).message}`);
    }
  }
  if (mistakes.length > 0) throw new UsageError(mistakes.join('\n'));
  return values as Settings<Table>;
}

function parseFlags(names: string[], argv: string[]): Record<string, string | undefined> {
  const options = Object.fromEntries(names.map((name) => [flagName(name), { type: 'string' as const }]));
  try {
    return parseArgs({ args: argv, options, strict: true, allowPositionals: false }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** The text of `--help`, one line per setting. */
export function settingsHelp(table: SettingsTable): string {
  const rows = Object.entries(table).map(([name, setting]) => ({
    left: `  --${flagName(name)} ${setting.placeholder}`,
    right: `${setting.help} (${variableName(name)}${setting.default === undefined ? ', required' : setting.default === '' ? '' : `, default ${setting.default}`})`,
  }));
  const width = Math.max(...rows.map((row) => row.left.length));
  return rows.map((row) => `${row.left.padEnd(width)}  ${row.right}`).join('\n');
}

export function parseText(text: string): string {
  return text;
}

export function parseWholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new Error('expected a whole number such as 10');
  return Number(text);
}

export function parseOneOf<const Value extends string>(...values: Value[]): (text: string) => Value {
  return (text) => {
    const found = values.find((value) => value === text);
    if (found === undefined) throw new Error(`expected one of ${values.join(', ')}`);
    return found;
  };
}
