import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { branchTip, commitFiles, initRepository } from './git-repository.ts';

export { commitFiles, resetBranch } from './git-repository.ts';

/** Name of the seed's repository on the server: the path of the URL in the seed document. */
export const SEED_REPOSITORY = 'FogDong/KubeVela-GitOps-Infra-Demo';

/** The manifests of the seed document, word for word. */
const EXAMPLES = fileURLToPath(new URL('../docs/examples', import.meta.url));

/** Fixed, so that the commit ids are the same every time. The day of the seed document's output. */
const DATE = new Date('2022-06-30T06:50:00Z');

const BRANCHES = [
  {
    branch: 'infra',
    message: 'Add the server and its configuration',
    files: { 'infrastructure/server.yaml': 'server.yaml', 'infrastructure/server-config.yaml': 'server-config.yaml' },
  },
  { branch: 'image', message: 'Add my-app', files: { 'application/my-app.yaml': 'my-app.yaml' } },
] as const;

export const SEED_BRANCHES = BRANCHES.map(({ branch }) => branch);

export interface Seed {
  /** Commit ids of the branches. */
  infra: string;
  image: string;
}

/** One of the manifests in docs/examples. */
export function example(name: string): Promise<string> {
  return readFile(`${EXAMPLES}/${name}`, 'utf8');
}

/** Fills a bare repository with the branches of the seed document; leaves what is already there. HEAD names `infra`. */
export async function seedRepository(directory: string): Promise<Seed> {
  await initRepository(directory, 'infra');
  const tips = new Map<string, string>();
  for (const { branch, message, files } of BRANCHES) {
    tips.set(
      branch,
      (await branchTip(directory, branch)) ?? (await commitFiles(directory, branch, await contents(files), { message, date: DATE })),
    );
  }
  return { infra: tips.get('infra')!, image: tips.get('image')! };
}

async function contents(files: Record<string, string>): Promise<Record<string, string>> {
  const pairs = await Promise.all(Object.entries(files).map(async ([path, name]) => [path, await example(name)] as const));
  return Object.fromEntries(pairs);
}
