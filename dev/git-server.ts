import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { endpointOf, type GitEndpoint, type GitService, type GitUser, isRepositoryName, userOf } from './git-endpoint.ts';
import { serveWithBackend } from './git-http-backend.ts';
import { initRepository } from './git-repository.ts';

export type { GitUser } from './git-endpoint.ts';

export interface GitServerOptions {
  /** Folder of the repositories. */
  root: string;
  /** Absent: everybody may fetch and push. */
  users?: GitUser[];
  /** PEM; with it the server speaks https. */
  tls?: { key: string; cert: string };
  /** Absent: any free port. */
  port?: number;
}

/** What goes wrong on purpose; several at once are done in this order. */
export interface GitFault {
  delayMs?: number;
  /** The request is accepted and never answered. */
  hang?: boolean;
  /** Answered instead of asking git. */
  status?: number;
  /** Header of an answer with `status`. */
  location?: string;
  /** The connection is cut after that many bytes of the answer's body. */
  cutAfterBytes?: number;
  /** Only requests whose path ends so, such as `/git-upload-pack`; absent: all. */
  only?: string;
}

export interface GitRequest {
  method: string;
  /** Path without the query. */
  path: string;
  service: GitService;
  /** Absent: nobody signed in. */
  user?: string;
  /** Absent while it is not answered. */
  status?: number;
  /** Milliseconds since the epoch. */
  at: number;
}

export interface RepositoryOptions {
  /** Everybody may fetch; pushing still needs a user who may write. */
  public?: boolean;
  /** Branch that HEAD names: `main`. */
  branch?: string;
}

/** Old requests are forgotten: a demo may run for days. */
const MAX_REQUESTS = 10_000;

/** A Git server over smart HTTP, for tests and demo: `git http-backend` with Basic and Bearer authentication. */
export async function startGitServer(options: GitServerOptions): Promise<GitServer> {
  await mkdir(options.root, { recursive: true });
  const { tls, port = 0 } = options;
  const server = tls ? createTlsServer(tls) : createServer();
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return new GitServer(server, options);
}

export class GitServer {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  readonly root: string;
  readonly #server: Server;
  readonly #users: GitUser[] | undefined;
  readonly #requests: GitRequest[] = [];
  readonly #faults = new Map<string, GitFault>();
  readonly #public = new Set<string>();
  readonly #children = new Set<ChildProcess>();

  constructor(server: Server, { root, users, tls }: GitServerOptions) {
    this.#server = server;
    this.#users = users;
    this.root = root;
    this.url = `${tls ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      request.on('error', () => undefined);
      response.on('error', () => undefined);
      this.#handle(request, response).catch(() => end(response, 500));
    });
  }

  /** Makes the repository where it is not there yet; returns its folder. */
  async createRepository(name: string, { public: isPublic = false, branch = 'main' }: RepositoryOptions = {}): Promise<string> {
    if (!isRepositoryName(name)) throw new Error(`not a name of a repository: ${JSON.stringify(name)}`);
    if (isPublic) this.#public.add(name);
    const directory = this.directory(name);
    if (!existsSync(directory)) await initRepository(directory, branch);
    return directory;
  }

  /** Folder of a repository. */
  directory(name: string): string {
    return join(this.root, `${name}.git`);
  }

  /** `http://127.0.0.1:PORT/NAME`; with a user, whose name and password stand in it. */
  cloneUrl(name: string, userName?: string): string {
    const user = this.#users?.find((one) => one.name === userName);
    const address = new URL(`${this.url}/${name}`);
    if (user) [address.username, address.password] = [encodeURIComponent(user.name), encodeURIComponent(user.password)];
    return address.href;
  }

  /** All requests since the start, oldest first. */
  requests(): GitRequest[] {
    return this.#requests.slice();
  }

  /** Number of requests, of one repository where named. */
  requestCount(name?: string): number {
    return this.#requests.filter(({ path }) => name === undefined || endpointOf(new URL(path, this.url))?.repository === name).length;
  }

  /** What goes wrong with a repository from now on; undefined ends it. */
  setFault(name: string, fault: GitFault | undefined): void {
    if (fault) this.#faults.set(name, fault);
    else this.#faults.delete(name);
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    for (const child of this.#children) killGroup(child);
    await closed;
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.url);
    const endpoint = endpointOf(url);
    if (!endpoint) return end(response, 404);
    const user = userOf(request.headers.authorization, this.#users ?? []);
    const entry = this.#record({
      method: request.method ?? 'GET',
      path: url.pathname,
      service: endpoint.service,
      at: Date.now(),
      ...(user ? { user: user.name } : {}),
    });
    response.on('finish', () => {
      entry.status = response.statusCode;
    });
    const fault = this.#faultOf(endpoint);
    if (fault && (await suffer(fault, response))) return;
    const refusal = this.#refusalOf(endpoint, user);
    if (refusal) return end(response, refusal, refusal === 401 ? { 'www-authenticate': 'Basic realm="Git"' } : {});
    const child = serveWithBackend(request, response, {
      root: this.root,
      pathInfo: `/${endpoint.repository}.git${endpoint.action}`,
      query: url.search.slice(1),
      ...(user ? { user: user.name } : {}),
      ...(fault?.cutAfterBytes === undefined ? {} : { cutAfterBytes: fault.cutAfterBytes }),
    });
    this.#children.add(child);
    child.once('close', () => this.#children.delete(child));
  }

  #record(entry: GitRequest): GitRequest {
    this.#requests.push(entry);
    if (this.#requests.length > MAX_REQUESTS) this.#requests.shift();
    return entry;
  }

  #faultOf({ repository, action }: GitEndpoint): GitFault | undefined {
    const fault = this.#faults.get(repository);
    return fault?.only === undefined || action.endsWith(fault.only) ? fault : undefined;
  }

  /** Status with which the request is refused: who nobody is may only read what is public. */
  #refusalOf({ repository, service }: GitEndpoint, user: GitUser | undefined): 401 | 403 | 404 | undefined {
    if (this.#users && !user && !(this.#public.has(repository) && service === 'upload-pack')) return 401;
    if (user && service === 'receive-pack' && !user.write) return 403;
    return existsSync(this.directory(repository)) ? undefined : 404;
  }
}

/** Lets a fault happen. True: the request gets no other answer. */
async function suffer({ delayMs, hang, status, location }: GitFault, response: ServerResponse): Promise<boolean> {
  if (delayMs) await sleep(delayMs);
  if (hang) return true;
  if (status) end(response, status, location ? { location } : {});
  return status !== undefined;
}

function end(response: ServerResponse, status: number, headers: Record<string, string> = {}): void {
  if (response.headersSent) response.destroy();
  else response.writeHead(status, headers).end();
}

function killGroup(child: ChildProcess): void {
  try {
    if (child.pid) process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It has ended already.
  }
}
