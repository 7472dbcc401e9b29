import { Command, CommanderError, Help, Option } from 'commander';
import type { CommandDeclaration, Invocation } from './command.ts';
import { commands, GROUPS } from './commands.ts';
import { type Exit, exit } from './exit.ts';
import type { Io } from './io.ts';
import { reportProblem } from './problem.ts';

const VERSION_FLAG = '--version';

const STATUS_HELP = `
Exit status: 0 yes, 1 no (failed, refused, not found), 2 wrong usage,
             3 could not ask (no cluster, no right), 6 timeout;
             of wait also 4 held, 5 superseded.`;

/** Runs one command line (without the program's own name) and resolves to the exit status. Never throws. */
export async function runProgram(io: Io, argv: readonly string[], version: string): Promise<Exit> {
  let status: Exit = exit.usage;
  const program = root(io);
  for (const declaration of commands) {
    groupOf(program, declaration.name, io).addCommand(
      commandOf(declaration, io, async (invocation) => {
        status = await guarded(io, () => declaration.run(io, invocation));
      }),
    );
  }
  if (argv.length === 0) {
    io.stderr.write(`${program.helpInformation()}${STATUS_HELP}\n`);
    return exit.usage;
  }
  // Not an option of commander's: it would take the --version of lateen publish and lateen wait for its own.
  if (argv[0] === VERSION_FLAG) {
    io.stdout.write(`${version}\n`);
    return exit.yes;
  }
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return status;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? exit.yes : exit.usage;
  }
}

async function guarded(io: Io, run: () => Promise<Exit>): Promise<Exit> {
  try {
    return await run();
  } catch (error) {
    return reportProblem(io, error);
  }
}

function root(io: Io): Command {
  const flag = new Option(VERSION_FLAG, 'print the version');
  return settle(new Command('lateen'), io)
    .description('GitOps for KubeVela Applications, one namespace at a time.')
    .configureHelp({ showGlobalOptions: true, visibleOptions: (command) => [flag, ...new Help().visibleOptions(command)] })
    .helpCommand(false)
    .option('-n, --namespace <ns>', "namespace (default: the kubeconfig context's, else default)")
    .option('--kubeconfig <file>', 'kubeconfig file (default: KUBECONFIG, else ~/.kube/config)')
    .option('--context <name>', 'context of the kubeconfig')
    .showHelpAfterError('lateen --help lists the commands.')
    .addHelpText('after', `${STATUS_HELP}\n\nlateen COMMAND --help shows examples.`);
}

/** How every level of the program prints and fails. */
function settle(command: Command, io: Io): Command {
  return command
    .exitOverride()
    .helpOption('-h, --help', 'print this help')
    .allowExcessArguments(false)
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      outputError: (text, write) => write(text.replace(/^error: /, 'lateen: ')),
    })
    .configureHelp({ showGlobalOptions: true });
}

/** What holds a command: the program, or for `image latest` the group `image`, which is made with its first command. */
function groupOf(program: Command, name: string, io: Io): Command {
  const [group = '', ...rest] = name.split(' ');
  if (rest.length === 0) return program;
  const known = program.commands.find((command) => command.name() === group);
  if (known) return known;
  const made = settle(new Command(group), io)
    .description(GROUPS[group] ?? '')
    .helpCommand(false);
  program.addCommand(made.showHelpAfterError(`lateen ${group} --help lists its commands.`));
  return made;
}

type Action = (invocation: Invocation) => Promise<void>;

function commandOf(declaration: CommandDeclaration, io: Io, run: Action): Command {
  const { name, summary, argument, second, third, more, options, examples } = declaration;
  const command = settle(new Command(name.split(' ').at(-1)), io).description(summary);
  if (argument) command.argument(`<${argument.name}>`, argument.help);
  if (second) command.argument(`[${second.name}]`, second.help);
  if (third) command.argument(`[${third.name}]`, third.help);
  if (more) command.argument(`<${more.name}...>`, more.help);
  for (const { flags, help, choices } of options) {
    const option = new Option(flags, help);
    command.addOption(choices ? option.choices([...choices]) : option);
  }
  const width = Math.max(...examples.map(([line]) => line.length));
  const lines = examples.map(([line, does]) => `  ${line.padEnd(width)}  ${does}`);
  command.addHelpText('after', `\nExamples:\n${lines.join('\n')}`);
  command.showHelpAfterError(`lateen ${name} --help shows how it is used.`);
  return command.action(async () => {
    const [first = '', ...others] = command.args;
    await run({ ...command.optsWithGlobals<Omit<Invocation, 'argument'>>(), argument: first, more: others });
  });
}
