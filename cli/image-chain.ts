import { exclusionsFrom } from '#agent/image/exclusions.ts';
import { dockerConfigOf } from '#agent/image/docker-config.ts';
import { listTags } from '#agent/image/registry.ts';
import { selectorFrom } from '#agent/image/selection.ts';
import type { KindInfo } from '#agent/cluster/kinds.ts';
import type { Component } from '#api/application.ts';
import { Failure } from '#api/failure.ts';
import { type ImageName, parseImage, parseReference } from '#api/image/reference.ts';
import type { KubeObject } from '#api/kubernetes.ts';
import { type KustomizeProperties, kustomizeProperties } from '#api/kustomize.ts';
import { reasonCode } from '#api/reasons.ts';
import type { Clock } from '#core/clock.ts';
import { messageOf } from '#core/errors.ts';
import manifest from '../package.json' with { type: 'json' };
import type { Cluster } from './cluster.ts';

/** What the registry has now, and what filter and policy make of it. */
export interface LiveTags {
  seen?: number;
  kept?: number;
  latest?: string;
  runnerUp?: string;
  /** Why there is no latest tag, or why nobody could be asked. */
  reason?: string;
  message?: string;
}

/** A workload of the namespace that runs the image. */
export interface RunningImage {
  kind: string;
  name: string;
  image: string;
  ready: number;
  wanted: number;
}

type ImageRepository = NonNullable<KustomizeProperties['imageRepository']>;

const DEADLINE_MS = 20_000;
const WORKLOADS: readonly KindInfo[] = ['Deployment', 'StatefulSet', 'DaemonSet'].map((kind) => ({
  group: 'apps',
  version: 'v1',
  kind,
  plural: `${kind.toLowerCase()}s`,
  namespaced: true,
  verbs: [],
}));

/** Undefined where the component has none, or properties that admission would not let pass. */
export function imageRepositoryOf(component: Component): ImageRepository | undefined {
  try {
    return component.properties?.['imageRepository'] === undefined ? undefined : kustomizeProperties(component).imageRepository;
  } catch {
    return undefined;
  }
}

/** Asks the registry as the agent does, with the Secret if the user may read it. Whatever goes wrong becomes part of the answer. */
export async function liveTags(cluster: Cluster, repository: ImageRepository, clock: Clock): Promise<LiveTags> {
  const { policy, filterTags, prereleases, exclusionList, secretRef } = repository;
  const image = parseImage(repository.image);
  const selection = { policy: policy as Parameters<typeof selectorFrom>[0]['policy'], ...(filterTags ? { filterTags } : {}), prereleases };
  const made = selectorFrom(selection);
  const exclusions = exclusionsFrom(exclusionList);
  if ('problem' in image) return { reason: reasonCode('InvalidImage'), message: `the image ${image.problem.text}` };
  if ('problem' in made) return { reason: reasonCode(made.problem.reason), message: made.problem.text };
  if ('problem' in exclusions) return { reason: reasonCode(exclusions.problem.reason), message: exclusions.problem.text };
  try {
    const config = secretRef ? { config: () => pullSecret(cluster, secretRef) } : {};
    const request = { image: image.image, signal: AbortSignal.timeout(DEADLINE_MS), ...config };
    const tags = await listTags(request, { userAgent: `lateen/${manifest.version}`, insecureRegistries: [], clock });
    const { seen, kept, problem } = made.selector.select(tags.filter((tag) => !exclusions.excludes(tag)));
    const [first, second] = kept;
    return {
      seen,
      kept: kept.length,
      ...(first ? { latest: first.tag } : {}),
      ...(second ? { runnerUp: second.tag } : {}),
      ...(problem ? { reason: reasonCode(problem.reason), message: problem.text } : {}),
    };
  } catch (error) {
    const failure = error instanceof Failure ? error : new Failure('RegistryFailed', messageOf(error));
    return { reason: reasonCode(failure.reason), message: failure.sentence };
  }
}

async function pullSecret({ client, namespace }: Cluster, name: string): Promise<ReturnType<typeof dockerConfigOf>> {
  const secret = await client
    .get({ apiVersion: 'v1', kind: 'Secret', namespace, name }, { timeoutMs: DEADLINE_MS })
    .catch((error: unknown) => {
      throw new Failure('Forbidden', `the Secret ${name} could not be read: ${messageOf(error)}`);
    });
  if (!secret) throw new Failure('SecretNotFound', `there is no Secret ${name}`);
  return dockerConfigOf(secret);
}

/** The workloads of the namespace; undefined where the user may not see them. */
export async function workloads({ client, namespace }: Cluster): Promise<KubeObject[] | undefined> {
  try {
    const all = await Promise.all(WORKLOADS.map((kind) => client.list(kind, { namespace, timeoutMs: DEADLINE_MS })));
    return all.flatMap((objects, index) => objects.map((object) => ({ ...object, kind: WORKLOADS[index]!.kind })));
  } catch {
    return undefined;
  }
}

/** Those of the workloads that run this image, whatever its tag. */
export function runningWith(objects: readonly KubeObject[], image: ImageName): RunningImage[] {
  return objects.flatMap((object) => {
    const { template, replicas } = (object['spec'] ?? {}) as { template?: { spec?: PodSpec }; replicas?: number };
    const { readyReplicas, numberReady, desiredNumberScheduled } = (object['status'] ?? {}) as Record<string, number | undefined>;
    const { containers = [], initContainers = [] } = template?.spec ?? {};
    const images = new Set(
      [...initContainers, ...containers].map((container) => container.image ?? '').filter((text) => isOf(text, image)),
    );
    const numbers = { ready: readyReplicas ?? numberReady ?? 0, wanted: replicas ?? desiredNumberScheduled ?? 1 };
    return [...images].map((text) => ({ kind: object.kind, name: object.metadata.name ?? '', image: text, ...numbers }));
  });
}

interface PodSpec {
  containers?: { image?: string }[];
  initContainers?: { image?: string }[];
}

function isOf(text: string, image: ImageName): boolean {
  const parsed = parseReference(text);
  return 'reference' in parsed && parsed.reference.name.canonical === image.canonical;
}
