import * as v from 'valibot';
import { objectNameRule } from './name-rules.ts';
import { about } from './schema.ts';
import type { Finding, Site } from './schema.ts';
import { quote } from './wording.ts';

/** Volumes of the workload components (spec/kubevela.md §6.2): `volumeMounts` by kind, and `volumes`, the older form. */

// File modes of Kubernetes, in decimal as in KubeVela's definition: 0777, 0644.
const ALL_BITS = 511;
const READABLE = 420;

function modeRule(mode: number): Finding[] {
  if (Number.isInteger(mode) && mode >= 0 && mode <= ALL_BITS) return [];
  const text = `must be a file mode from 0 to 511 (0777), received ${mode}`;
  return [{ code: 'InvalidValue', text, value: String(mode), remedy: 'write a file mode' }];
}

function mode(meaning: string): v.GenericSchema<number> {
  return v.pipe(v.number(), about(meaning, { rule: modeRule }));
}

const mount = {
  name: v.pipe(v.string(), about('name of the volume')),
  mountPath: v.pipe(v.string(), about('folder in the container')),
  subPath: v.exactOptional(v.pipe(v.string(), about('folder in the volume'))),
};

const item = v.object({
  key: v.pipe(v.string(), about('key in the data')),
  path: v.pipe(v.string(), about('file below the mount')),
  mode: v.exactOptional(mode('mode of the file'), ALL_BITS),
});

const items = v.exactOptional(v.pipe(v.array(item), about('keys to mount; absent: all')));
const defaultMode = v.exactOptional(mode('mode of the files'), READABLE);
const objectName = v.pipe(v.string(), about<string>('name of the object', { rule: objectNameRule }));
const medium = v.exactOptional(v.pipe(v.picklist(['', 'Memory']), about('Memory for a RAM disk')), '');

export const volumeMounts = v.object({
  pvc: v.exactOptional(v.pipe(v.array(v.object({ ...mount, claimName: objectName })), about('PersistentVolumeClaims'))),
  configMap: v.exactOptional(v.pipe(v.array(v.object({ ...mount, cmName: objectName, defaultMode, items })), about('ConfigMaps'))),
  secret: v.exactOptional(v.pipe(v.array(v.object({ ...mount, secretName: objectName, defaultMode, items })), about('Secrets'))),
  emptyDir: v.exactOptional(v.pipe(v.array(v.object({ ...mount, medium })), about('empty folders'))),
  hostPath: v.exactOptional(
    v.pipe(v.array(v.object({ ...mount, path: v.pipe(v.string(), about('folder of the node')) })), about('folders of the node')),
  ),
});

type OlderType = 'emptyDir' | 'pvc' | 'configMap' | 'secret';

/** The field that each kind of the older form cannot do without. */
const NEEDED: Readonly<Record<string, string>> = { pvc: 'claimName', configMap: 'cmName', secret: 'secretName' };

function typeRule(type: string, { parent, path }: Site): Finding[] {
  const field = NEEDED[type];
  if (field === undefined || (Object.hasOwn(parent, field) && parent[field] !== undefined)) return [];
  const text = `is required for a volume of type ${quote(type)}`;
  return [{ code: 'Required', text, remedy: `add ${field}: name of the object`, path: [...path.slice(0, -1), field] }];
}

export const volumes = v.object({
  name: mount.name,
  mountPath: mount.mountPath,
  subPath: mount.subPath,
  type: v.exactOptional(
    v.pipe(v.picklist(['emptyDir', 'pvc', 'configMap', 'secret']), about<OlderType>('kind of the volume', { rule: typeRule })),
    'emptyDir',
  ),
  claimName: v.exactOptional(objectName),
  cmName: v.exactOptional(objectName),
  secretName: v.exactOptional(objectName),
  defaultMode: v.exactOptional(mode('mode of the files')),
  items,
  medium: v.exactOptional(v.pipe(v.picklist(['', 'Memory']), about('Memory for a RAM disk'))),
});
