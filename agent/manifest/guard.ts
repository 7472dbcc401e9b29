import type { Cause } from '#api/failure.ts';
import { groupOf, type KubeObject } from '#api/kubernetes.ts';
import { AGENT_NAME } from '#api/names.ts';
import { isMap } from '#api/schema.ts';
import { oneLine } from '#core/errors.ts';
import { isInventoryName } from './inventory.ts';

/**
 * What no object from Git may touch or grant (spec/sync.md A19, A20): what the agent stands on, the agent's identity, and rights
 * that it does not have. RBAC refuses most of it too; here it is refused in words, before anything is written.
 */

/** A cause without its file and line. */
export type Guarded = Pick<Cause, 'code' | 'path' | 'message' | 'remedy'>;

const RBAC = 'rbac.authorization.k8s.io';

/** What the chart of the agent makes, under the agent's name or one that begins with it. */
const AGENTS_OWN: ReadonlySet<string> = new Set([
  '/ServiceAccount',
  `${RBAC}/Role`,
  `${RBAC}/RoleBinding`,
  'apps/Deployment',
  'coordination.k8s.io/Lease',
  '/Secret',
  '/PersistentVolumeClaim',
  'networking.k8s.io/NetworkPolicy',
  'policy/PodDisruptionBudget',
]);

/** Keys under which objects of all kinds name the ServiceAccount that they run with. */
const IDENTITY_KEYS: ReadonlySet<string> = new Set(['serviceAccountName', 'serviceAccount']);
const TOKEN_OF = 'kubernetes.io/service-account.name';
/** Verbs that give more than they seem to; the chart of the agent grants none of them. */
const ESCALATING: ReadonlySet<unknown> = new Set(['*', 'bind', 'escalate', 'impersonate']);

/** Why an object is refused whatever the agent may do; undefined where nothing is wrong. `shown` names it. */
export function guard(object: KubeObject, namespace: string, shown: string): Guarded | undefined {
  const type = `${groupOf(object.apiVersion)}/${object.kind}`;
  if (isAgents(object, type)) {
    const message = `${shown} has a name that belongs to the agent itself`;
    return { code: 'AgentProtected', path: 'metadata.name', message, remedy: 'give it another name' };
  }
  return ofKind(object, type, { namespace, shown }) ?? ofIdentity(object, type, shown);
}

function ofKind(object: KubeObject, type: string, { namespace, shown }: { namespace: string; shown: string }): Guarded | undefined {
  if (type === `${RBAC}/RoleBinding`) return ofBinding(object, namespace, shown);
  return type === `${RBAC}/Role` ? ofRole(object, shown) : undefined;
}

function isAgents({ metadata }: KubeObject, type: string): boolean {
  const name = String(metadata.name ?? '');
  if (type === '/ConfigMap') return isInventoryName(name);
  return AGENTS_OWN.has(type) && (name === AGENT_NAME || name.startsWith(`${AGENT_NAME}-`));
}

function ofBinding(object: KubeObject, namespace: string, shown: string): Guarded | undefined {
  const { roleRef, subjects } = object;
  if (isMap(roleRef) && roleRef['kind'] === 'ClusterRole' && roleRef['name'] === 'cluster-admin') {
    const message = `${shown} binds the ClusterRole cluster-admin, which is more than the agent may do itself`;
    return { code: 'RoleExceedsAgent', path: 'roleRef.name', message, remedy: 'bind a Role that names what is needed' };
  }
  const user = `system:serviceaccount:${namespace}:${AGENT_NAME}`;
  const isAgent = ({ name, namespace: where = namespace }: Record<string, unknown>): boolean =>
    name === user || (name === AGENT_NAME && where === namespace);
  const own = (Array.isArray(subjects) ? subjects : []).findIndex((subject) => isMap(subject) && isAgent(subject));
  if (own < 0) return undefined;
  const message = `${shown} binds a role to the agent's own ServiceAccount ${AGENT_NAME}`;
  const remedy = 'take that subject out: what the agent may do is set by whoever installs it (value rbac.rules of the chart lateen-agent)';
  return { code: 'IdentityForbidden', path: `subjects[${own}]`, message, remedy };
}

function ofRole(object: KubeObject, shown: string): Guarded | undefined {
  const rules = Array.isArray(object['rules']) ? object['rules'] : [];
  for (const [index, rule] of rules.entries()) {
    if (!isMap(rule)) continue;
    for (const field of ['verbs', 'resources', 'apiGroups']) {
      const values = Array.isArray(rule[field]) ? rule[field] : [];
      const found: unknown = values.find((value) => (field === 'verbs' ? ESCALATING.has(value) : value === '*'));
      if (found === undefined) continue;
      const message = `${shown} grants ${JSON.stringify(found)} in rules[${index}].${field}, which is more than the agent may do itself`;
      return { code: 'RoleExceedsAgent', path: `rules[${index}].${field}`, message, remedy: 'name what is needed, one by one' };
    }
  }
  return undefined;
}

function ofIdentity(object: KubeObject, type: string, shown: string): Guarded | undefined {
  if (type === '/ConfigMap') return undefined;
  if (type === '/Secret') {
    const annotations: unknown = object.metadata.annotations;
    if (!isMap(annotations) || annotations[TOKEN_OF] !== AGENT_NAME) return undefined;
    const message = `${shown} would hold a token of the agent's own ServiceAccount ${AGENT_NAME}`;
    return { code: 'IdentityForbidden', path: `metadata.annotations[${TOKEN_OF}]`, message, remedy: 'remove it' };
  }
  const path = identityIn(object);
  if (path === undefined) return undefined;
  const message = `${oneLine(path, 200)} of ${shown} is ${AGENT_NAME}, the ServiceAccount of the agent itself`;
  return { code: 'IdentityForbidden', path, message, remedy: 'name a ServiceAccount of its own, or none' };
}

/** Where an object names the agent's ServiceAccount: in a pod template, wherever its kind has one, or in a field of its own. */
function identityIn(value: unknown, path = ''): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, inner] of Object.entries(value)) {
    const at = Array.isArray(value) ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`;
    if (IDENTITY_KEYS.has(key) && (isMap(inner) ? inner['name'] : inner) === AGENT_NAME) return at;
    const found = identityIn(inner, at);
    if (found !== undefined) return found;
  }
  return undefined;
}
