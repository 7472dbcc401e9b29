import { request as plain } from 'node:http';
import { request as secure } from 'node:https';
import type { KubeObject } from '#api/kubernetes.ts';

/** Asks a Git server, over its HTTP protocol, whether a repository may be read or pushed to; nothing is fetched or pushed. */

export type Service = 'git-upload-pack' | 'git-receive-pack';

export interface GitLogin {
  authorization?: string;
  /** PEM: trusted instead of the usual authorities. */
  ca?: string;
}

/** `text`: the refs, as far as they were read. `problem`: no answer came. */
export type Advertised = { status: number; text: string; whole: boolean; location?: string } | { problem: string };

const DEADLINE_MS = 15_000;
const MAX_BYTES = 4 * 1024 * 1024;

export function advertisement(url: string, service: Service, { authorization, ca }: GitLogin): Promise<Advertised> {
  const target = `${url.replace(/\/$/, '')}/info/refs?service=${service}`;
  const send = /^https:/i.test(url) ? secure : plain;
  return new Promise((resolve) => {
    const headers = { 'user-agent': 'git/2.0 (lateen doctor)', ...(authorization === undefined ? {} : { authorization }) };
    const asked = send(target, { headers, timeout: DEADLINE_MS, ...(ca === undefined ? {} : { ca }) }, (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      const { statusCode: status = 0, headers: answered } = response;
      const end = (whole: boolean): void =>
        resolve({
          status,
          text: Buffer.concat(chunks).toString('latin1'),
          whole,
          ...(answered.location ? { location: answered.location } : {}),
        });
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        chunks.push(chunk);
        if (bytes <= MAX_BYTES) return;
        end(false);
        response.destroy();
      });
      response.on('end', () => end(true));
      response.on('error', (error) => resolve({ problem: error.message }));
    });
    asked.on('timeout', () => asked.destroy(new Error(`no answer within ${DEADLINE_MS / 1_000} s`)));
    asked.on('error', (error: NodeJS.ErrnoException) => resolve({ problem: error.code ?? error.message }));
    asked.end();
  });
}

/** The commit of a branch, of the default branch without a name; undefined where the answer has none. */
export function commitOf(text: string, branch: string | undefined): string | undefined {
  const ref = branch === undefined ? 'HEAD' : `refs/heads/${branch}`;
  for (const [, commit, name] of text.matchAll(/([0-9a-f]{40}|[0-9a-f]{64}) ([^\0\n]+)/g)) if (name === ref) return commit;
  return undefined;
}

/** What of a Secret a Git server is told; the agent reads it in the same way (docs/private-repository.md). */
export function loginOf(secret: KubeObject): GitLogin {
  const data = (secret['data'] ?? {}) as Record<string, unknown>;
  const text = (key: string): string | undefined => {
    const value = data[key];
    return typeof value === 'string' && value !== '' ? Buffer.from(value, 'base64').toString('utf8').trimEnd() : undefined;
  };
  const [bearer, username, ca] = [text('bearerToken'), text('username'), text('ca.crt') ?? text('caFile')];
  const basic = username === undefined ? undefined : `Basic ${Buffer.from(`${username}:${text('password') ?? ''}`).toString('base64')}`;
  const authorization = bearer === undefined ? basic : `Bearer ${bearer}`;
  return { ...(authorization === undefined ? {} : { authorization }), ...(ca === undefined ? {} : { ca }) };
}
