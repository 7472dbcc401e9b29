import { open, stat } from 'node:fs/promises';
import { inject } from 'vitest';
import type { Rule } from './helm.ts';

export interface AuditEvent {
  stage: string;
  verb: string;
  requestURI: string;
  user: { username: string };
  objectRef?: { apiGroup?: string; resource?: string; subresource?: string; name?: string; namespace?: string };
  responseStatus?: { code?: number };
}

const READS = new Set(['get', 'list', 'watch']);

/** What the agent of a namespace asks the API server for, from the audit log: everything after the call. */
export interface Audit {
  /** `patch applications/status server`; leases are left out, since holding one is writing it. */
  writes(): Promise<string[]>;
  /** How often it has read something of a resource. */
  reads(resource: string): Promise<number>;
  /** The namespaces that it has asked about, '' for the whole cluster, with how often it was answered by more than a refusal. */
  namespaces(): Promise<Map<string, number>>;
}

/** Begins at the present end of the audit log. */
export async function startAudit(namespace: string): Promise<Audit> {
  const { auditLog } = inject('plane');
  const { size: start } = await stat(auditLog);
  const ofAgent = async (): Promise<AuditEvent[]> =>
    (await readFrom(auditLog, start)).filter(
      ({ stage, user }) => stage === 'ResponseComplete' && user.username === `system:serviceaccount:${namespace}:lateen-agent`,
    );
  return {
    async reads(resource) {
      return (await ofAgent()).filter(({ verb, objectRef }) => READS.has(verb) && objectRef?.resource === resource).length;
    },
    async namespaces() {
      const found = new Map<string, number>();
      for (const { objectRef, responseStatus } of await ofAgent()) {
        if (!objectRef?.resource) continue;
        const namespace = objectRef.namespace ?? '';
        found.set(namespace, (found.get(namespace) ?? 0) + ((responseStatus?.code ?? 200) < 400 ? 1 : 0));
      }
      return found;
    },
    async writes() {
      const events = (await ofAgent()).filter(({ verb, objectRef }) => !READS.has(verb) && objectRef?.resource !== 'leases');
      return events.map(({ verb, objectRef: { resource = '', subresource, name = '' } = {} }) =>
        `${verb} ${resource}${subresource ? `/${subresource}` : ''} ${name}`.trim(),
      );
    },
  };
}

/** What the agent of a namespace asked for, from a place in the audit log on; a watch is there once it has begun. */
export function agentRequests(auditLog: string, namespace: string, start = 0): Promise<AuditEvent[]> {
  return requestsOf(auditLog, `system:serviceaccount:${namespace}:lateen-agent`, start);
}

export async function requestsOf(auditLog: string, user: string, start = 0): Promise<AuditEvent[]> {
  return (await readFrom(auditLog, start)).filter((event) => event.user.username === user);
}

/** `group/resource verb` of each; a server-side apply that made the object has used `create` as well. */
export function usedRights(events: readonly AuditEvent[]): Set<string> {
  return new Set(
    events.flatMap(({ verb, objectRef, responseStatus }) => {
      if (!objectRef?.resource) return [];
      const { apiGroup = '', resource, subresource } = objectRef;
      const kind = `${apiGroup}/${resource}${subresource ? `/${subresource}` : ''}`;
      return responseStatus?.code === 201 ? [`${kind} ${verb}`, `${kind} create`] : [`${kind} ${verb}`];
    }),
  );
}

/** The same of what rules grant. */
export function grantedRights(rules: readonly Rule[]): Set<string> {
  return new Set(
    rules.flatMap(({ apiGroups, resources, verbs }) =>
      apiGroups.flatMap((group) => resources.flatMap((resource) => verbs.map((verb) => `${group}/${resource} ${verb}`))),
    ),
  );
}

async function readFrom(path: string, start: number): Promise<AuditEvent[]> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - start), 0, size - start, start);
    const lines = buffer.subarray(0, bytesRead).toString('utf8').split('\n');
    // The last line may not be whole yet.
    return lines.slice(0, -1).map((line) => JSON.parse(line) as AuditEvent);
  } finally {
    await file.close();
  }
}
