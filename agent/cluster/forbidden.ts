import { Failure } from '#api/failure.ts';
import type { ApiError } from './api-error.ts';

/** The sentence of the RBAC authorizer: `User "…" cannot patch resource "deployments/status" in API group "apps" …`. */
const MISSING_RIGHT = /cannot (\w+) resource "([^"]+)" in API group "([^"]*)"/;

/** What the agent needs of a kind that it only reads, and of one that it applies (charts/lateen-agent, rbac.rules). */
const READ = ['get', 'list', 'watch'];
const WRITE = [...READ, 'create', 'patch', 'delete'];

interface Right {
  verb: string;
  resource: string;
  group: string;
}

/** What is to be added where a right is missing: everything that is needed to apply a kind, or what the verb stands for. */
export type Needs = 'what was asked' | 'all rights';

/** A 403 is a missing right, the end of a namespace, or the word of an admission plugin; each needs something else. */
export function forbidden(error: ApiError, doing: string, needs: Needs): Failure {
  const { asked, message } = error;
  if (message.includes('being terminated')) {
    return new Failure('Forbidden', `${doing}: the namespace ${asked.namespace ?? ''} is being deleted`, { cause: error });
  }
  if (message.includes('RBAC permissions not currently held')) {
    return new Failure('RoleExceedsAgent', `${doing}: it grants rights that the agent does not have itself: ${message}`, {
      cause: error,
      remedy: "add these rights to the agent's Role too (value rbac.rules of the chart lateen-agent), or take them out",
    });
  }
  const right = missingRight(error);
  if (!right) return new Failure('Forbidden', `${doing}: the API server refused it: ${message}`, { cause: error });
  const where = asked.namespace ? ` in the namespace ${asked.namespace}` : '';
  return new Failure('Forbidden', `${doing}: the agent may not ${right.verb} ${qualified(right)}${where}`, {
    cause: error,
    remedy: `add ${rule(right, needs)} to the agent's Role (value rbac.rules of the chart lateen-agent)`,
  });
}

function missingRight({ message }: ApiError): Right | undefined {
  const [, verb, resource, group] = MISSING_RIGHT.exec(message) ?? [];
  return verb === undefined || resource === undefined || group === undefined ? undefined : { verb, resource, group };
}

function qualified({ resource, group }: Right): string {
  return group === '' ? resource : `${resource}.${group}`;
}

/** The rule to add, with what will be asked for next: else a person adds one verb after the other. */
function rule({ resource, group, verb }: Right, needs: Needs): string {
  const verbs = needs === 'all rights' ? WRITE : verbsFor(verb, resource);
  return JSON.stringify({ apiGroups: [group], resources: [resource], verbs });
}

function verbsFor(verb: string, resource: string): string[] {
  if (resource.includes('/')) return [verb];
  if (verb === 'list' || verb === 'watch') return READ;
  return verb === 'patch' || verb === 'create' || verb === 'delete' ? WRITE : [verb];
}
