import { ApiError, type Client } from '#agent/cluster/client.ts';
import type { KubeObject } from '#api/kubernetes.ts';
import { AGENT_NAME } from '#api/names.ts';
import { isMap } from '#api/schema.ts';

/** What somebody may do, asked of the API server, or read from Roles where it may not be asked. */

export interface Right {
  group: string;
  resource: string;
  verb: string;
  name?: string;
}

/** A rule of a Role. */
export interface Rule {
  apiGroups: string[];
  resources: string[];
  resourceNames?: string[];
  verbs: string[];
}

/** Whether it is there, and how that is known. */
export interface Access {
  /** The API server's own word, or what the Roles of the namespace say. */
  source: 'asked' | 'read';
  may(right: Right): Promise<boolean>;
}

const DEADLINE_MS = 15_000;
const AUTHORIZATION = 'authorization.k8s.io/v1';

/** Whether the person who asks may do it. */
export async function mayI(client: Client, namespace: string, right: Right): Promise<boolean> {
  const spec = { resourceAttributes: attributes(namespace, right) };
  return allowed(await client.create(review('SelfSubjectAccessReview', spec), { timeoutMs: DEADLINE_MS }));
}

/**
 * What the agent of a namespace may do. A person with the role `admin` may ask the API server about others in their namespace;
 * anybody else needs to read the Roles; undefined where neither is allowed.
 */
export async function agentAccess(client: Client, namespace: string): Promise<Access | undefined> {
  const user = `system:serviceaccount:${namespace}:${AGENT_NAME}`;
  const ask = async (right: Right): Promise<boolean> => {
    const groups = ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'];
    const spec = { user, groups, resourceAttributes: attributes(namespace, right) };
    return allowed(await client.create(review('LocalSubjectAccessReview', spec, namespace), { timeoutMs: DEADLINE_MS }));
  };
  try {
    await ask({ group: '', resource: 'configmaps', verb: 'get' });
    return { source: 'asked', may: ask };
  } catch (error) {
    if (!isRefusal(error)) throw error;
  }
  const rules = await rulesOfAgent(client, namespace);
  return rules && { source: 'read', may: (right) => Promise.resolve(rules.some((rule) => covers(rule, right))) };
}

/** The rules of the Role that the chart of the agent makes. Undefined where they may not be read. */
async function rulesOfAgent(client: Client, namespace: string): Promise<Rule[] | undefined> {
  const reference = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', namespace, name: AGENT_NAME };
  try {
    return rulesOf(await client.get(reference, { timeoutMs: DEADLINE_MS }));
  } catch (error) {
    if (isRefusal(error)) return undefined;
    throw error;
  }
}

/** The rules of a Role, whatever stands in it. */
export function rulesOf(role: KubeObject | undefined): Rule[] {
  const rules: unknown = role?.['rules'];
  if (!Array.isArray(rules)) return [];
  return rules.filter(isMap).map((rule) => {
    const names = textsOf(rule['resourceNames']);
    const { apiGroups, resources, verbs } = rule;
    return {
      apiGroups: textsOf(apiGroups),
      resources: textsOf(resources),
      verbs: textsOf(verbs),
      ...(names.length > 0 ? { resourceNames: names } : {}),
    };
  });
}

/** As the RBAC authorizer judges it. */
export function covers({ apiGroups, resources, resourceNames, verbs }: Rule, { group, resource, verb, name }: Right): boolean {
  const has = (list: readonly string[], word: string): boolean => list.includes('*') || list.includes(word);
  const named = resourceNames === undefined || (name !== undefined && resourceNames.includes(name));
  return named && has(apiGroups, group) && has(resources, resource) && has(verbs, verb);
}

function isRefusal(error: unknown): boolean {
  return error instanceof ApiError && error.status === 403;
}

function review(kind: string, spec: object, namespace?: string): KubeObject {
  return { apiVersion: AUTHORIZATION, kind, metadata: namespace === undefined ? {} : { namespace }, spec };
}

function attributes(namespace: string, { group, resource, verb, name }: Right): Record<string, string> {
  const [plural = '', subresource] = resource.split('/');
  return { namespace, group, resource: plural, verb, ...(subresource ? { subresource } : {}), ...(name ? { name } : {}) };
}

function allowed(review: KubeObject): boolean {
  return (review['status'] as { allowed?: boolean } | undefined)?.allowed === true;
}

function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}
