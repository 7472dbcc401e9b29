import { messageOf } from './errors.ts';
import { readSettings, type Settings, type SettingsTable, settingsHelp, UsageError } from './settings.ts';

/** A program that is told everything by settings and runs until it is asked to stop. */
export interface Program<Table extends SettingsTable> {
  name: string;
  version: string;
  /** One sentence: what it does. */
  summary: string;
  /** The command line without the program: `--namespace NS [settings]`. */
  usage: string;
  settings: Table;
  /** Resolves to the exit status. */
  run: (settings: Settings<Table>) => Promise<number>;
}

/** Answers --help and --version, reads the settings and runs. Resolves to the exit status: 2 for wrong usage, 1 where it threw. */
export async function runProgram<Table extends SettingsTable>(program: Program<Table>, argv: string[]): Promise<number> {
  const { name, version, settings, run } = program;
  if (argv.includes('--help') || argv.includes('-h')) {
    process.stdout.write(helpOf(program));
    return 0;
  }
  if (argv.includes('--version')) {
    process.stdout.write(`${version}\n`);
    return 0;
  }
  try {
    return await run(readSettings(settings, argv, process.env));
  } catch (error) {
    const hint = error instanceof UsageError ? `\n${name} --help lists every setting.` : '';
    process.stderr.write(`${name}: ${messageOf(error)}${hint}\n`);
    return error instanceof UsageError ? 2 : 1;
  }
}

function helpOf({ name, version, summary, usage, settings }: Omit<Program<SettingsTable>, 'run'>): string {
  return `${name} ${version}: ${summary}

Usage: ${name} ${usage}

Each setting is a flag or an environment variable; the flag wins.

${settingsHelp(settings)}
`;
}
