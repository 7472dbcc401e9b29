import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { parseAllDocuments } from 'yaml';
import type { KubeObject } from '#api/kubernetes.ts';
import { programs } from '#dev/programs.ts';
import { KUBERNETES_VERSION } from '#dev/versions.ts';

const run = promisify(execFile);

export const CHARTS = fileURLToPath(new URL('../../charts/', import.meta.url));
const DEADLINE_MS = 60_000;

/** What must be set before a chart can be rendered. */
export const REQUIRED: Readonly<Record<string, readonly string[]>> = {
  lateen: ['--set=image.repository=registry.test/lateen'],
  'lateen-agent': ['--set=image.repository=registry.test/lateen,applications=all'],
};

/** Runs helm and resolves to what it printed; rejects with its error output. */
export async function helm(...args: string[]): Promise<string> {
  const { helm: program } = await programs(['helm']);
  return (await run(program, args, { timeout: DEADLINE_MS })).stdout;
}

/** A rendered chart, with what must be set. */
export function template(chart: string, namespace: string, ...args: string[]): Promise<string> {
  return bareTemplate(chart, namespace, ...REQUIRED[chart]!, ...args);
}

/** A rendered chart, with nothing set but the arguments. */
export function bareTemplate(chart: string, namespace: string, ...args: string[]): Promise<string> {
  return helm('template', chart, `${CHARTS}${chart}`, '--namespace', namespace, '--kube-version', KUBERNETES_VERSION, ...args);
}

export function objectsOf(text: string): KubeObject[] {
  return parseAllDocuments(text)
    .map((document) => document.toJS() as KubeObject | null)
    .filter((object) => object !== null);
}

export interface Rule {
  apiGroups: string[];
  resources: string[];
  resourceNames?: string[];
  verbs: string[];
}

export interface Container {
  name: string;
  image: string;
  command?: string[];
  args: string[];
  restartPolicy?: string;
}

export interface PodTemplate {
  metadata: { labels: Record<string, string>; annotations?: Record<string, string> };
  spec: { initContainers?: Container[]; containers: Container[]; volumes?: unknown[]; [field: string]: unknown };
}

/** The only object of a kind. */
export function only(objects: readonly KubeObject[], kind: string): KubeObject {
  const found = objects.filter((object) => object.kind === kind);
  if (found.length !== 1) throw new Error(`${found.length} objects of kind ${kind}`);
  return found[0]!;
}

export function podOf(objects: readonly KubeObject[]): PodTemplate {
  return (only(objects, 'Deployment') as KubeObject & { spec: { template: PodTemplate } }).spec.template;
}
