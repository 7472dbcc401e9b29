import { groupOf, type KubeObject } from '#api/kubernetes.ts';
import { AGENT_NAME } from '#api/names.ts';
import { type Right, type Rule, rulesOf } from './access.ts';

/** Which rights the agent needs: for its own work, and for the objects that come from Git. Pure. */

/** What the agent does with a kind that Git has. */
const APPLIED = ['get', 'list', 'watch', 'create', 'patch', 'delete'];

/** What the agent needs whatever Git has: the fixed rules of charts/lateen-agent/templates/role.yaml. */
export function ownRules(namespace: string): Rule[] {
  return [
    { apiGroups: ['core.oam.dev'], resources: ['applications'], verbs: APPLIED },
    { apiGroups: ['core.oam.dev'], resources: ['applicationrevisions'], verbs: ['get', 'list', 'watch', 'create', 'delete'] },
    { apiGroups: ['core.oam.dev'], resources: ['applications/status', 'applicationrevisions/status'], verbs: ['patch'] },
    { apiGroups: ['core.oam.dev'], resources: ['policies', 'workflows'], verbs: ['get', 'list', 'watch'] },
    { apiGroups: [''], resources: ['configmaps'], verbs: APPLIED },
    { apiGroups: [''], resources: ['events'], verbs: ['create'] },
    { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['create'] },
    { apiGroups: ['coordination.k8s.io'], resources: ['leases'], resourceNames: [AGENT_NAME], verbs: ['get', 'update'] },
    { apiGroups: [''], resources: ['namespaces'], resourceNames: [namespace], verbs: ['get'] },
  ];
}

/** A kind that Git has, and as what the API server serves it. */
export interface Served {
  group: string;
  resource: string;
  kind: string;
}

export interface Needed {
  /** Kinds that are applied. */
  kinds: readonly Served[];
  /** Secrets that Applications name: read, and never written. */
  secrets: readonly string[];
  /** What Roles in Git grant: nobody may grant what they do not have. */
  granted: readonly Rule[];
}

/** Every single right of some rules. */
export function rightsIn(rules: readonly Rule[]): Right[] {
  return rules.flatMap(({ apiGroups, resources, resourceNames, verbs }) =>
    apiGroups.flatMap((group) =>
      resources.flatMap((resource) =>
        (resourceNames ?? [undefined]).flatMap((name) =>
          verbs.map((verb) => ({ group, resource, verb, ...(name === undefined ? {} : { name }) })),
        ),
      ),
    ),
  );
}

/** The smallest rules that are enough: nothing that the fixed rules of the agent give already. */
export function smallestRules({ kinds, secrets, granted }: Needed, namespace: string): Rule[] {
  const own = ownRules(namespace);
  const byGroup = new Map<string, Set<string>>();
  for (const { group, resource } of kinds) {
    const known = own.some(
      (rule) =>
        !rule.resourceNames &&
        rule.apiGroups.includes(group) &&
        rule.resources.includes(resource) &&
        APPLIED.every((verb) => rule.verbs.includes(verb)),
    );
    if (!known) byGroup.set(group, (byGroup.get(group) ?? new Set()).add(resource));
  }
  const applied = [...byGroup]
    .toSorted(byText)
    .map(([group, resources]): Rule => ({ apiGroups: [group], resources: [...resources].toSorted(), verbs: APPLIED }));
  const writesSecrets = byGroup.get('')?.has('secrets') === true;
  const named: Rule[] =
    secrets.length === 0 || writesSecrets
      ? []
      : [{ apiGroups: [''], resources: ['secrets'], resourceNames: [...new Set(secrets)].toSorted(), verbs: ['get', 'list', 'watch'] }];
  return [...applied, ...named, ...granted];
}

/** What Roles among the objects grant. */
export function grantsOf(objects: readonly KubeObject[]): Rule[] {
  const roles = objects.filter(({ apiVersion, kind }) => kind === 'Role' && groupOf(apiVersion) === 'rbac.authorization.k8s.io');
  const seen = new Set<string>();
  return roles.flatMap(rulesOf).filter((rule) => {
    const text = JSON.stringify(rule);
    return !seen.has(text) && seen.add(text);
  });
}

function byText([left]: [string, unknown], [right]: [string, unknown]): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Several verbs of one resource together: `create, patch deployments.apps`. */
export function missingText(rights: readonly Right[]): string[] {
  const verbs = new Map<string, string[]>();
  for (const { group, resource, verb, name } of rights) {
    const what = `${resource}${group === '' ? '' : `.${group}`}${name === undefined ? '' : `/${name}`}`;
    verbs.set(what, [...(verbs.get(what) ?? []), verb]);
  }
  return [...verbs].map(([what, list]) => `${list.join(', ')} ${what}`);
}
