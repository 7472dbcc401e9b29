import { type ChildProcess, spawn } from 'node:child_process';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { gitEnvironment } from './git-environment.ts';

/** More than this before the empty line that ends the head of a CGI answer is no head. */
const MAX_HEAD_BYTES = 64 * 1024;

export interface CgiRequest {
  /** Folder of all repositories. */
  root: string;
  /** `/NAME.git/info/refs` and such. */
  pathInfo: string;
  query: string;
  /** Absent: nobody signed in. */
  user?: string;
  /** Cuts the connection after that many bytes of the answer's body. */
  cutAfterBytes?: number;
}

/**
 * Answers one request with `git http-backend` (CGI, RFC 3875), both bodies streamed. The child has a process group of
 * its own, so that whoever stops the server can kill it with its children.
 */
export function serveWithBackend(request: IncomingMessage, response: ServerResponse, cgi: CgiRequest): ChildProcess {
  const child = spawn('git', ['http-backend'], {
    env: cgiEnvironment(request, cgi),
    stdio: ['pipe', 'pipe', 'ignore'],
    detached: true,
  });
  child.on('error', () => response.destroy());
  child.stdin.on('error', () => undefined);
  request.pipe(child.stdin);
  request.on('close', () => child.stdin.end());
  response.on('close', () => child.stdout.destroy());
  answer(child.stdout, response, cgi.cutAfterBytes);
  return child;
}

function cgiEnvironment(request: IncomingMessage, cgi: CgiRequest): Record<string, string> {
  const optional = {
    CONTENT_TYPE: request.headers['content-type'],
    CONTENT_LENGTH: request.headers['content-length'],
    HTTP_CONTENT_ENCODING: request.headers['content-encoding'],
    GIT_PROTOCOL: request.headers['git-protocol'],
    REMOTE_USER: cgi.user,
  };
  const present = Object.entries(optional).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  return gitEnvironment({
    GIT_PROJECT_ROOT: cgi.root,
    GIT_HTTP_EXPORT_ALL: '1',
    REQUEST_METHOD: request.method ?? 'GET',
    PATH_INFO: cgi.pathInfo,
    QUERY_STRING: cgi.query,
    REMOTE_ADDR: '127.0.0.1',
    SERVER_PROTOCOL: 'HTTP/1.1',
    ...Object.fromEntries(present),
  });
}

function answer(stdout: NodeJS.ReadableStream, response: ServerResponse, cutAfterBytes = Infinity): void {
  let head: Buffer | undefined = Buffer.alloc(0);
  let sent = 0;

  function send(chunk: Buffer): void {
    if (sent + chunk.length > cutAfterBytes) {
      response.write(chunk.subarray(0, cutAfterBytes - sent), () => response.destroy());
      return;
    }
    sent += chunk.length;
    if (!response.write(chunk)) {
      stdout.pause();
      response.once('drain', () => stdout.resume());
    }
  }

  stdout.on('error', () => undefined);
  stdout.on('data', (chunk: Buffer) => {
    if (!head) return send(chunk);
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf('\r\n\r\n');
    if (end < 0) {
      if (head.length > MAX_HEAD_BYTES) response.destroy();
      return;
    }
    writeHead(head.subarray(0, end).toString('latin1'), response);
    const body = head.subarray(end + 4);
    head = undefined;
    if (body.length > 0) send(body);
  });
  stdout.on('end', () => {
    if (head) response.writeHead(502);
    response.end();
  });
}

/** `Status: 404 Not Found` sets the status, everything else is a header; no Status means 200 (RFC 3875 §6.3.3). */
function writeHead(head: string, response: ServerResponse): void {
  let status = 200;
  for (const line of head.split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon < 0) continue;
    const name = line.slice(0, colon);
    const value = line.slice(colon + 1).trim();
    if (name.toLowerCase() === 'status') status = Number.parseInt(value, 10);
    else response.setHeader(name, value);
  }
  response.writeHead(status);
}
