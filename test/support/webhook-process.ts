import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { request } from 'node:https';
import { inject } from 'vitest';
import { PROGRAM_STARTS } from '#dev/program-start.ts';
import { shipped } from './shipped-programs.ts';

/** On a busy machine. */
const READY_MS = 90_000;

export interface WebhookProcess {
  child: ChildProcess;
  port: number;
  /** What it has logged, one parsed line each. */
  lines: Record<string, unknown>[];
  /** Asks over TLS without looking at the certificate. */
  get(path: string): Promise<{ status: number; text: string }>;
  untilReady(): Promise<void>;
  /** SIGTERM, and waits for its end; resolves to the exit status. */
  stop(): Promise<number | null>;
  kill(): Promise<void>;
}

/** Starts the webhook against the control plane of this run, with all rights. */
export function startWebhook(port: number, flags: Record<string, string> = {}): WebhookProcess {
  const settings = { address: `127.0.0.1:${port}`, hosts: '127.0.0.1', kubeconfig: inject('plane').kubeconfig, drain: '500ms', ...flags };
  const args = Object.entries(settings).map(([name, value]) => `--${name}=${value}`);
  const [command, ...options] = shipped('lateen-webhook');
  const env = { PATH: process.env['PATH'], ...PROGRAM_STARTS['lateen-webhook'].environment };
  const child = spawn(command, [...options, ...args], { stdio: ['ignore', 'pipe', 'inherit'], env });
  const lines: Record<string, unknown>[] = [];
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    const parts = (rest + chunk).split('\n');
    rest = parts.pop() ?? '';
    for (const part of parts) lines.push(JSON.parse(part) as Record<string, unknown>);
  });
  const ended = once(child, 'exit');
  const get = (path: string): Promise<{ status: number; text: string }> => ask(port, path);
  return {
    child,
    port,
    lines,
    get,
    async untilReady() {
      const until = Date.now() + READY_MS;
      let last = '';
      while (Date.now() < until) {
        const answer = await get('/readyz').catch((error: Error) => ({ status: 0, text: error.message }));
        if (answer.status === 200) return;
        last = answer.text;
        await sleep(100);
      }
      throw new Error(`the webhook did not get ready: ${last}\n${lines.map((line) => JSON.stringify(line)).join('\n')}`);
    },
    async stop() {
      child.kill('SIGTERM');
      await ended;
      return child.exitCode;
    },
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

function ask(port: number, path: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path, rejectUnauthorized: false, agent: false, timeout: 3_000 }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    asked.on('timeout', () => asked.destroy(new Error('timeout')));
    asked.on('error', reject);
    asked.end();
  });
}
