import { randomBytes } from 'node:crypto';
import { type GitUser, startGitServer } from './git-server.ts';
import type { KeeperGit } from './keeper-state.ts';
import { freePorts } from './ports.ts';
import { SEED_REPOSITORY, seedRepository } from './seed.ts';

const MAX_PORT_TRIES = 3;

export interface RunningGit {
  git: KeeperGit;
  stop(): Promise<void>;
}

function newUser(name: string, write: boolean): GitUser {
  return { name, password: randomBytes(8).toString('hex'), write };
}

/** A Git server with the seed's repository, one user who reads and one who writes. Everybody may fetch, as in the seed's first example. */
export async function startKeeperGit(root: string): Promise<RunningGit> {
  const users = [newUser('reader', false), newUser('writer', true)];
  for (let tries = 1; ; tries += 1) {
    try {
      const [port] = (await freePorts(1)) as [number];
      const server = await startGitServer({ root, users, port });
      await seedRepository(await server.createRepository(SEED_REPOSITORY, { branch: 'infra', public: true }));
      const git = { url: server.url, users, repositories: [server.cloneUrl(SEED_REPOSITORY)], directory: root };
      return { git, stop: () => server.close() };
    } catch (error) {
      const portTaken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
      if (!portTaken || tries >= MAX_PORT_TRIES) throw error;
    }
  }
}
