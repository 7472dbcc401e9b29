import type { WorkerProperties } from '#api/webservice.ts';

type VolumeProperties = Pick<WorkerProperties, 'volumeMounts' | 'volumes'>;
type Mounts = NonNullable<WorkerProperties['volumeMounts']>;
type OlderVolume = NonNullable<WorkerProperties['volumes']>[number];
type Items = NonNullable<Mounts['configMap']>[number]['items'];

export interface VolumeMount {
  name: string;
  mountPath: string;
  subPath?: string;
}

interface Volume {
  name: string;
  [source: string]: unknown;
}

interface Mounted {
  mount: VolumeMount;
  volume: Volume;
}

/** KubeVela's default mode of mounted ConfigMaps and Secrets: 0644. */
const READABLE = 420;

function mountOf({ name, mountPath, subPath }: { name: string; mountPath: string; subPath?: string }): VolumeMount {
  return { name, mountPath, ...(subPath === undefined ? {} : { subPath }) };
}

function pvcVolume(name: string, claimName: string | undefined): Volume {
  return { name, persistentVolumeClaim: { claimName } };
}

interface Files {
  defaultMode?: number;
  items?: Items;
}

function filesOf({ defaultMode = READABLE, items }: Files): Files {
  return { defaultMode, ...(items ? { items } : {}) };
}

function configMapVolume(name: string, cmName: string | undefined, files: Files): Volume {
  return { name, configMap: { name: cmName, ...filesOf(files) } };
}

function secretVolume(name: string, secretName: string | undefined, files: Files): Volume {
  return { name, secret: { secretName, ...filesOf(files) } };
}

function emptyDirVolume(name: string, medium: string | undefined): Volume {
  return { name, emptyDir: medium ? { medium } : {} };
}

function mountedByKind({ pvc = [], configMap = [], secret = [], emptyDir = [], hostPath = [] }: Mounts): Mounted[] {
  return [
    ...pvc.map((entry) => ({ mount: mountOf(entry), volume: pvcVolume(entry.name, entry.claimName) })),
    ...configMap.map((entry) => ({ mount: mountOf(entry), volume: configMapVolume(entry.name, entry.cmName, entry) })),
    ...secret.map((entry) => ({ mount: mountOf(entry), volume: secretVolume(entry.name, entry.secretName, entry) })),
    ...emptyDir.map((entry) => ({ mount: mountOf(entry), volume: emptyDirVolume(entry.name, entry.medium) })),
    ...hostPath.map((entry) => ({ mount: mountOf(entry), volume: { name: entry.name, hostPath: { path: entry.path } } })),
  ];
}

function olderVolume(entry: OlderVolume): Volume {
  const { name, type } = entry;
  if (type === 'pvc') return pvcVolume(name, entry.claimName);
  if (type === 'configMap') return configMapVolume(name, entry.cmName, entry);
  if (type === 'secret') return secretVolume(name, entry.secretName, entry);
  return emptyDirVolume(name, entry.medium);
}

/** Mounts in the order of KubeVela (pvc, configMap, secret, emptyDir, hostPath); of volumes of one name the first wins. */
export function volumesOf({ volumeMounts, volumes = [] }: VolumeProperties): { mounts: VolumeMount[]; volumes: Volume[] } {
  const mounted = volumeMounts
    ? mountedByKind(volumeMounts)
    : volumes.map((entry) => ({ mount: mountOf(entry), volume: olderVolume(entry) }));
  const byName = new Map<string, Volume>();
  for (const { volume } of mounted) if (!byName.has(volume.name)) byName.set(volume.name, volume);
  return { mounts: mounted.map(({ mount }) => mount), volumes: [...byName.values()] };
}
