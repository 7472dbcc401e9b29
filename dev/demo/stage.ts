import { styleText } from 'node:util';
import { systemClock } from '#core/clock.ts';
import { messageOf } from '#core/errors.ts';
import { agentLogTail } from '../agent-log.ts';
import { pushUrl } from '../git-endpoint.ts';
import { shellSetup } from '../shell-setup.ts';
import type { Bench, Chapter, Stage } from './chapter.ts';
import { runShell } from './shell.ts';

/** Far more than anything takes on an idle machine, so that a busy one can play it too. */
const WAIT_DEADLINE_MS = 30_000;
const POLL_MS = 50;

/** On a terminal what a person may paste stands out. */
function bold(text: string): string {
  return styleText('bold', text, { stream: process.stdout });
}

/** Says what failed, with the end of the agent's log, which usually has the reason. */
async function failure(what: string, { agentLog }: Bench): Promise<Error> {
  return new Error(`${what}\nThe end of the agent's log ${agentLog}:\n${await agentLogTail(agentLog).catch(messageOf)}`);
}

export function createStage(bench: Bench): Stage {
  const setup = shellSetup(bench.keeper.plane);
  const { signal, print } = bench;
  return {
    say: (line) => print(`\n# ${line}\n`),

    async run(command) {
      print(`${bold(`$ ${command}`)}\n`);
      const ended = runShell([...setup, command], { write: print, signal }).then(
        (status) => (status === 0 ? undefined : `it ended with exit status ${status}`),
        (error: unknown) => messageOf(error),
      );
      const problem = await ended;
      signal.throwIfAborted();
      if (problem !== undefined) throw await failure(`The command failed: ${command}: ${problem}.`, bench);
    },

    async until(what, isTrue, deadlineMs = WAIT_DEADLINE_MS) {
      const begun = performance.now();
      const waitedMs = (): number => performance.now() - begun;
      while (!(await isTrue().catch(() => false))) {
        if (waitedMs() > deadlineMs) throw await failure(`Waited ${deadlineMs / 1000} s until ${what}, in vain.`, bench);
        await systemClock.sleep(POLL_MS, signal);
      }
      return waitedMs() / 1000;
    },
  };
}

export function opening(chapters: readonly Chapter[], { keeper, print }: Bench): void {
  const names = chapters.map(({ name }) => name).join(', ');
  print(
    `\n# The demo plays ${chapters.length === 1 ? 'the chapter' : 'the chapters'} ${names}. Every command is printed before it is run.\n`,
  );
  print('# You can paste each into a shell that has been told where it is:\n');
  for (const line of shellSetup(keeper.plane)) print(`${bold(`$ ${line}`)}\n`);
}

export function heading({ name, title }: Chapter, { print }: Bench): void {
  print(`\n${bold(`== ${name}: ${title} ==`)}\n`);
}

/** How to go on by hand. */
export function closing(chapters: readonly Chapter[], bench: Bench): void {
  const { plane } = bench.keeper;
  const lines = [
    '',
    bold('== All of it is still running =='),
    '',
    'To go on by hand, paste this into a shell:',
    ...shellSetup(plane).map((line) => `  ${line}`),
    '',
    'The Git repositories to clone (this user may push):',
    ...plane.git.repositories.map((url) => `  git clone ${pushUrl(url, plane.git.users)}`),
    '',
    'Things to try:',
    ...(chapters[0]?.tries(bench) ?? []).flatMap(({ what, commands }, index) => [
      `  ${index + 1}. ${what}`,
      ...commands.map((command) => `     ${command}`),
    ]),
    '',
    `The agent's log: ${bench.agentLog}`,
    'Stop everything with: make down',
  ];
  bench.print(`${lines.join('\n')}\n`);
}
