import { spawn } from 'node:child_process';
import { delimiter } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Printed } from './kubectl.ts';
import { codeBlocks } from './markdown.ts';

/** A page of docs/ whose commands a test runs as its reader would. */
export interface Page {
  /** The code under a heading; throws where there is none. */
  block(heading: string, position?: number, language?: string): string;
  /** Where commands stand that nobody has asked for yet. */
  left(): string[];
}

export async function openPage(name: string): Promise<Page> {
  const blocks = await codeBlocks(name);
  const asked = new Set<object>();
  return {
    block(heading, position = 0, language = 'sh') {
      const found = blocks.filter((one) => one.heading === heading && one.language === language)[position];
      if (!found) throw new Error(`docs/${name} has no ${language} block ${position} under ${JSON.stringify(heading)}`);
      asked.add(found);
      return found.text;
    },
    left: () => blocks.filter((one) => one.language === 'sh' && !asked.has(one)).map(({ heading }) => heading),
  };
}

/** Where commands are run. */
export interface Shell {
  cwd: string;
  /** Folders of programs that come before those of this machine. */
  path: readonly string[];
  env: Record<string, string>;
  deadlineMs: number;
}

/** Runs commands as somebody does who pastes them; stops at the first that fails. `typed` is what they read. */
export async function paste({ cwd, path, env, deadlineMs }: Shell, commands: string, typed = ''): Promise<Printed> {
  const child = spawn('bash', ['--norc', '-euo', 'pipefail', '-c', commands], {
    cwd,
    env: { HOME: cwd, ...env, PATH: [...path, process.env['PATH']].join(delimiter) },
    timeout: deadlineMs,
    killSignal: 'SIGKILL',
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end(`${typed}\n`);
  const [stdout, stderr, status] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise<number>((resolve) => child.once('close', (code) => resolve(code ?? -1))),
  ]);
  return { status, stdout, stderr };
}
