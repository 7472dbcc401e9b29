import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KubeObject } from '#api/kubernetes.ts';
import { API_VERSION } from '#api/names.ts';
import { commitFiles } from '../git-repository.ts';
import { programs } from '../programs.ts';
import { startRegistry } from '../registry.ts';
import { startAgent } from './agent-run.ts';
import { openLaboratory, type Place } from './laboratory.ts';

const POLL_MS = 20;
const DEADLINE_MS = 120_000;
const NAME = 'bench-image';

/** (c) A tag is pushed to the Deployment in the cluster has it, with an interval of 1 s: milliseconds of each push. */
export async function endToEnd(pushes: number): Promise<number[]> {
  const laboratory = await openLaboratory({ log: () => undefined });
  const folder = join(laboratory.folder, 'registry');
  await mkdir(folder);
  const { crane } = await programs(['crane']);
  const registry = await startRegistry({ crane, folder });
  const place = await laboratory.place();
  const agent = await startAgent({ laboratory, place });
  try {
    const image = `${registry.host}/org/app`;
    const directory = await laboratory.git.createRepository(NAME);
    await commitFiles(directory, 'main', { 'app.yaml': deploymentYaml(`${image}:0`, place) }, { message: 'Begin' });
    await registry.push('org/app', ['0']);
    await laboratory.create([applicationOf(laboratory.git.cloneUrl(NAME), image, place)]);
    const isAt = async (tag: number): Promise<boolean> => {
      const found = await laboratory.client.get({ apiVersion: 'apps/v1', kind: 'Deployment', namespace: place.namespace, name: NAME });
      return JSON.stringify(found?.['spec'] ?? '').includes(`"${image}:${tag}"`);
    };
    await until(() => isAt(0));
    const took: number[] = [];
    for (let tag = 1; tag <= pushes; tag++) {
      // Not in step with the scans.
      await sleep(1_000 + Math.random() * 1_000);
      const begun = performance.now();
      await registry.push('org/app', [String(tag)]);
      await until(() => isAt(tag));
      took.push(performance.now() - begun);
    }
    return took;
  } finally {
    await agent.stop();
    await registry.stop();
    await laboratory.close();
  }
}

async function until(look: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + DEADLINE_MS; !(await look()); await sleep(POLL_MS))
    if (Date.now() > end) throw new Error(`an image was not in the cluster within ${DEADLINE_MS / 1000} s`);
}

function applicationOf(url: string, image: string, { namespace }: Place): KubeObject {
  const imageRepository = { image, interval: '1s', policy: { numerical: { order: 'asc' } } };
  const properties = { url, git: { branch: 'main' }, path: './', pullInterval: '1m', imageRepository };
  const spec = { components: [{ name: NAME, type: 'kustomize', properties }] };
  return { apiVersion: API_VERSION, kind: 'Application', metadata: { name: NAME, namespace }, spec };
}

function deploymentYaml(image: string, { namespace }: Place): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${NAME}
spec:
  selector: {matchLabels: {app: ${NAME}}}
  template:
    metadata: {labels: {app: ${NAME}}}
    spec:
      containers:
        - name: app
          image: ${image} # {"$imagepolicy": "${namespace}:${NAME}"}
`;
}
