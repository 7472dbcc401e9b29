import { API_VERSION } from '#api/names.ts';

/** `ConfigMap/name`, `ServiceAccount/name` or `Application/name` to its value. */
export type Objects = Readonly<Record<string, string>>;

/** What a person has decided: the components of one Application, and what their folders hold in Git. */
export interface Wanted {
  /** Component to folder. */
  components: Readonly<Record<string, string>>;
  folders: Readonly<Record<string, Objects>>;
  /** A component with `suspend: true`. */
  suspended?: string;
  deleted?: boolean;
}

/** Kinds that come from Git, and the one that nested Applications make of it. */
export const WITNESSED = [
  ['v1', 'ConfigMap'],
  ['v1', 'ServiceAccount'],
  [API_VERSION, 'Application'],
  ['apps/v1', 'Deployment'],
] as const;

/** Everything that Git has for the Application, by identity. */
export function objectsOf({ components, folders, deleted }: Wanted): Record<string, { value: string; component: string }> {
  if (deleted) return {};
  return Object.fromEntries(
    Object.entries(components).flatMap(([component, folder]) =>
      Object.entries(folders[folder] ?? {}).map(([id, value]) => [id, { value, component }]),
    ),
  );
}

/** The same as files of a repository; `kustomized`: with a kustomization file in each folder. */
export function filesOf(folders: Wanted['folders'], kustomized: boolean): Record<string, string> {
  const all = Object.entries(folders).flatMap(([folder, objects]) => {
    const files = Object.entries(objects).map(([id, value]): [string, string] => [fileOf(id), manifestOf(id, value)]);
    const resources = files.map(([file]) => `  - ${file}\n`).join('');
    const kustomization: [string, string][] = kustomized && files.length > 0 ? [['kustomization.yaml', `resources:\n${resources}`]] : [];
    return [...files, ...kustomization].map(([file, text]) => [`${folder}/${file}`, text]);
  });
  return Object.fromEntries(all) as Record<string, string>;
}

function fileOf(id: string): string {
  return `${id.replace('/', '-').toLowerCase()}.yaml`;
}

function manifestOf(id: string, value: string): string {
  const [kind, name] = id.split('/');
  if (kind === 'ConfigMap') return `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata:\n  key: "${value}"\n`;
  if (kind === 'Application') return applicationOf(name ?? '', value);
  return `apiVersion: v1\nkind: ${kind}\nmetadata:\n  name: ${name}\n  annotations:\n    example.com/key: "${value}"\n`;
}

/** A nested Application, which has a Deployment of its name. */
function applicationOf(name: string, value: string): string {
  const component = { name, type: 'webservice', properties: { image: `example.com/image:${value}` } };
  return JSON.stringify({ apiVersion: API_VERSION, kind: 'Application', metadata: { name }, spec: { components: [component] } });
}
