/** What the room hands out and takes; the functions stand in git.ts. */

/** From the Secret that a component names; see credentials.ts. */
export interface GitCredentials {
  username?: string;
  password?: string;
  /** Wins over username and password (spec/sync.md §1.4). */
  bearerToken?: string;
  /** PEM; the only authorities that are then trusted. */
  caCert?: string;
}

export interface Repository {
  /** http or https, as api/source-url.ts lets pass. */
  url: string;
  credentials?: GitCredentials;
}

export interface Tip {
  /** Short name: `main`. */
  branch: string;
  /** Full commit id. */
  commit: string;
}

export interface Commit {
  id: string;
  author: string;
  email: string;
  /** RFC 3339, UTC. */
  committedAt: string;
  /** First line of the message. */
  subject: string;
}

export interface TreeEntry {
  /** From the root of the repository, `/` between the parts. */
  path: string;
  kind: 'file' | 'symlink' | 'submodule';
  executable: boolean;
  oid: string;
  /** Bytes; 0 for a submodule. */
  size: number;
}

/** The files of a commit, read from the object store: nothing is checked out, no link is followed. */
export interface Tree {
  entries: TreeEntry[];
  /** Object id of the tree at `path` ('' is the root); undefined where there is no folder. */
  treeId(path: string): string | undefined;
  /** Contents by path; of a symbolic link its target text. Throws Failure PathNotFound, TooLarge or GitFailed. */
  read(paths: string[]): Promise<Map<string, Buffer>>;
}

/** What a commit of ours changes. */
export interface CommitChange {
  author: { name: string; email: string };
  /** Of author and committer, milliseconds since the epoch. */
  timeMs: number;
  /** Kept byte for byte. */
  message: string;
  /** Whole new contents of files that are there. */
  files: readonly { path: string; content: Buffer; executable: boolean }[];
}

export type PushOutcome =
  | { outcome: 'pushed'; commit: string }
  /** Somebody else was faster: fetch, and compute the change anew. */
  | { outcome: 'raced' }
  /** The credentials lack the right, or the branch is protected; the words of the server. */
  | { outcome: 'forbidden'; words: string }
  /** The server refused it for another reason. */
  | { outcome: 'refused'; words: string };

export interface CallOptions {
  timeoutMs: number;
  signal?: AbortSignal;
}

export interface TreeOptions extends CallOptions {
  /** The repository as it is when files are read: its credentials may have been replaced since. */
  renewed?: () => Promise<Repository>;
}

export interface PublishOptions extends CallOptions {
  /** Called with the commit that is about to be pushed; where it rejects, nothing is pushed. */
  beforePush?: (commit: string) => Promise<void>;
}

export interface GitLimits {
  /** Of one pack on disk (spec/sync.md A10). */
  packBytes: number;
  /** Of all packs of one repository; past it the repository is fetched anew. */
  repositoryBytes: number;
  /** Fetches into one folder; past it the repository is fetched anew, so that git never needs to collect garbage. */
  repositoryFetches: number;
  /** Repositories that are kept; the one that was used longest ago goes first. With fewer than there are, each is fetched time and again. */
  repositories: number;
  /** A folder of credentials that nobody has used for so long goes where there is a newer one of the same URL. */
  supersededAfterMs: number;
  /** Any folder that nobody has asked for. */
  unusedAfterMs: number;
  /** Of what one call of git may print. */
  outputBytes: number;
  /** Of a tree. */
  entries: number;
  /** Of one file that is read. */
  fileBytes: number;
  /** Of all files of one read. */
  readBytes: number;
  /** Deadline of one read of a tree, which takes no option of its own. */
  readTimeoutMs: number;
}

const MIB = 1024 * 1024;
const MINUTE_MS = 60_000;

export const DEFAULT_LIMITS: GitLimits = {
  packBytes: 512 * MIB,
  repositoryBytes: 1024 * MIB,
  repositoryFetches: 100,
  repositories: 1_000,
  supersededAfterMs: 15 * MINUTE_MS,
  unusedAfterMs: 24 * 60 * MINUTE_MS,
  outputBytes: 32 * MIB,
  entries: 100_000,
  fileBytes: 5 * MIB,
  readBytes: 25 * MIB,
  readTimeoutMs: 60_000,
};

export interface Git {
  /** Tip of a branch, by one ref listing. Undefined: the branch that the remote's HEAD names. */
  resolve(repository: Repository, branch: string | undefined, options: CallOptions): Promise<Tip>;
  /**
   * Gets a commit; nothing goes over the wire where it is there already, and concurrent calls share one fetch. Where the
   * branch moved meanwhile and the server no longer gives out the commit, the new tip is fetched: see `id` of the result.
   */
  fetch(repository: Repository, tip: Tip, options: CallOptions): Promise<Commit>;
  /** Files of a commit that was fetched; fetched again where the cache has lost it. */
  tree(repository: Repository, commit: string, options: TreeOptions): Promise<Tree>;
  /**
   * Makes a commit on top of a tip and pushes it to its branch, without force. A push that the server does not take is no
   * failure: who asked has to look anew. Throws Failure for the rest.
   */
  publish(repository: Repository, tip: Tip, change: CommitChange, options: PublishOptions): Promise<PushOutcome>;
  /** Whether a commit, made upon `base`, is in the history of a tip; yes where that is too long ago to tell. */
  holds(repository: Repository, tip: Tip, what: { commit: string; base: string }, options: CallOptions): Promise<boolean>;
  /** The newest commits of a tip's history, newest first; `known`: those of the tip before, which may save asking the server. */
  recent(repository: Repository, tip: Tip, known: readonly string[], options: CallOptions): Promise<string[]>;
  /** Ends what runs and removes the cache of this process. */
  close(): Promise<void>;
}
