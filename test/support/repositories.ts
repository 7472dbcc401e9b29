import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Component } from '#api/application.ts';
import { commitFiles, type FileChange } from '#dev/git-repository.ts';
import { type GitServer, type GitServerOptions, startGitServer } from '#dev/git-server.ts';

export interface TestRepository {
  name: string;
  url: string;
  /** Of the bare repository on the server. */
  directory: string;
  /** Commits to `main`, or another branch, and returns the commit id. */
  push(files: Record<string, FileChange>, options?: { branch?: string; message?: string }): Promise<string>;
}

/** A Git server of a test file, and what is on it. */
export interface Repositories {
  server: GitServer;
  create(name: string, files?: Record<string, FileChange>): Promise<TestRepository>;
  /** Ends the server. */
  goDown(): Promise<void>;
  /** Starts it again at the same address. */
  comeBack(): Promise<void>;
  close(): Promise<void>;
}

export async function startRepositories(options: Pick<GitServerOptions, 'users' | 'tls'> = {}): Promise<Repositories> {
  const root = await mkdtemp(join(tmpdir(), 'lateen-'));
  let server = await startGitServer({ root, ...options });
  const { url } = server;
  return {
    get server() {
      return server;
    },
    async create(name, files = {}) {
      const directory = await server.createRepository(name);
      const push: TestRepository['push'] = (changes, { branch = 'main', message = 'Change it' } = {}) =>
        commitFiles(directory, branch, changes, { message });
      if (Object.keys(files).length > 0) await push(files, { message: 'Begin' });
      return { name, url: `${url}/${name}`, directory, push };
    },
    goDown: () => server.close(),
    async comeBack() {
      server = await startGitServer({ root, port: Number(new URL(url).port), ...options });
    },
    async close() {
      await server.close();
      await rm(root, { recursive: true, force: true });
    },
  };
}

/** A kustomize component that follows the root of `main` and pulls every second. */
export function kustomize(name: string, url: string, properties: Record<string, unknown> = {}): Component {
  return { name, type: 'kustomize', properties: { url, git: { branch: 'main' }, path: './', pullInterval: '1s', ...properties } };
}

/** A manifest with one key. */
export function configMapYaml(name: string, value = 'one', metadata = ''): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n${metadata}data:\n  key: ${value}\n`;
}

/** A manifest of an Application with one component of the type webservice. */
export function applicationYaml(name: string, image = 'nginx'): string {
  return [
    'apiVersion: core.oam.dev/v1beta1',
    'kind: Application',
    `metadata:\n  name: ${name}`,
    `spec:\n  components:\n    - name: ${name}\n      type: webservice\n      properties:\n        image: ${image}\n`,
  ].join('\n');
}
