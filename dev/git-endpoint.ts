export type GitService = 'upload-pack' | 'receive-pack';

/** What a request of smart HTTP asks for (gitprotocol-http(5)). */
export interface GitEndpoint {
  /** Name of the repository, without `.git`. */
  repository: string;
  /** `/info/refs`, `/git-upload-pack` or `/git-receive-pack`. */
  action: string;
  service: GitService;
}

export interface GitUser {
  name: string;
  /** With the name for Basic authentication; alone as a Bearer token. */
  password: string;
  /** Whether the user may push. */
  write: boolean;
}

const NAME = '(?:[\\w-][\\w.-]*\\/)*[\\w-][\\w.-]*?';
const ENDPOINT = new RegExp(`^/(${NAME})(?:\\.git)?(/(?:info/refs|git-upload-pack|git-receive-pack))$`);
const REPOSITORY = new RegExp(`^${NAME}$`);

/** The repository may be named with `.git` or without. Undefined for everything that is not smart HTTP. */
export function endpointOf(url: URL): GitEndpoint | undefined {
  const [, repository, action] = ENDPOINT.exec(url.pathname) ?? [];
  if (!repository || !action) return undefined;
  const name = action === '/info/refs' ? url.searchParams.get('service') : action.slice(1);
  return { repository, action, service: name === 'git-receive-pack' ? 'receive-pack' : 'upload-pack' };
}

/** `app` and `team/app`, but nothing that leaves the folder of the repositories. */
export function isRepositoryName(name: string): boolean {
  return REPOSITORY.test(name) && !name.endsWith('.git');
}

/** Who sends this Authorization header, Basic or Bearer; undefined for nobody that is known. */
export function userOf(authorization: string | undefined, users: GitUser[]): GitUser | undefined {
  const [scheme = '', value = ''] = (authorization ?? '').split(' ');
  if (scheme.toLowerCase() === 'bearer') return users.find(({ password }) => password === value);
  if (scheme.toLowerCase() !== 'basic') return undefined;
  const pair = Buffer.from(value, 'base64').toString('utf8');
  return users.find(({ name, password }) => pair === `${name}:${password}`);
}

/** The URL with the name and password of the first user who may push. */
export function pushUrl(url: string, users: GitUser[]): string {
  const writer = users.find(({ write }) => write);
  return writer ? url.replace('://', `://${writer.name}:${writer.password}@`) : url;
}
