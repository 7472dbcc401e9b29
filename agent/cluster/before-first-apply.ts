import type { ManagedFieldsEntry } from '#api/kubernetes.ts';

/**
 * The first apply to an object without managedFields makes an entry of this manager, of all that stands there: what people
 * have set, and what the API server and its controllers have. Only of some of it can be told that it was people.
 */
export const BEFORE_FIRST_APPLY = 'before-first-apply';

/** Labels and annotations of the cluster itself. */
const BY_CLUSTER =
  /^f:(controller-uid$|job-name$|deprecated\.daemonset\.|kubernetes\.io\/service-account\.|(deployment|batch|pv|volume|volume\.beta|autoscaling\.alpha)\.kubernetes\.io\/)/;

const SHARED_MAPS = new Set(['f:labels', 'f:annotations']);

/** The API server makes such a Secret's data, and makes another token where that is taken out. */
const TOKEN_OF = 'f:kubernetes.io/service-account.name';

type Path = readonly string[];

/**
 * Whether people have added a field that the entry holds: a label, an annotation, a key of a ConfigMap or Secret, a port of a
 * Service, or what a pod template lists (a variable, a container, a volume). Whatever else it holds may be a default, or what a
 * controller has found; taken out, it would come back, take something with it, or be refused for ever.
 */
export function isByPeople(path: Path, entry: ManagedFieldsEntry, isOurs: (prefix: Path) => boolean): boolean {
  if (isOurs(path)) return false;
  const map = path.findIndex((key, index) => index > 0 && SHARED_MAPS.has(key) && path[index - 1] === 'f:metadata');
  const [top, field] = path;
  if (top === 'f:metadata' ? map === 1 : map > 0 && isTemplate(path, entry)) return isKeyOfPeople(path[map + 1]);
  if (entry.apiVersion === 'v1' && (top === 'f:data' || top === 'f:binaryData')) return field !== '.' && !isToken(entry);
  if (!isTemplate(path, entry) && !(entry.apiVersion === 'v1' && top === 'f:spec' && field === 'f:ports')) return false;
  return path.some((key, index) => key.startsWith('k:') && !isOurs(path.slice(0, index + 1)));
}

/** In a pod template that can be changed: not that of a Job. */
function isTemplate([top, field]: Path, { apiVersion }: ManagedFieldsEntry): boolean {
  if (top !== 'f:spec') return false;
  return apiVersion === 'batch/v1' ? field === 'f:jobTemplate' : apiVersion === 'apps/v1' && field === 'f:template';
}

function isKeyOfPeople(key: string | undefined): boolean {
  return key !== undefined && key !== '.' && !BY_CLUSTER.test(key);
}

function isToken({ fieldsV1 }: ManagedFieldsEntry): boolean {
  const metadata = fieldsV1?.['f:metadata'] as { 'f:annotations'?: Record<string, unknown> } | undefined;
  return metadata?.['f:annotations']?.[TOKEN_OF] !== undefined;
}
