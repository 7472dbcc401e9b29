import { open, stat } from 'node:fs/promises';
import { inject } from 'vitest';

interface AuditEvent {
  stage: string;
  verb: string;
  requestURI: string;
  user: { username: string };
  objectRef?: { resource?: string; subresource?: string; name?: string };
}

const READS = new Set(['get', 'list', 'watch']);

/** What the agent of a namespace asks the API server for, from the audit log: everything after the call. */
export interface Audit {
  /** `patch applications/status server`; leases are left out, since holding one is writing it. */
  writes(): Promise<string[]>;
  /** How often it has read something of a resource. */
  reads(resource: string): Promise<number>;
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
    async writes() {
      const events = (await ofAgent()).filter(({ verb, objectRef }) => !READS.has(verb) && objectRef?.resource !== 'leases');
      return events.map(({ verb, objectRef: { resource = '', subresource, name = '' } = {} }) =>
        `${verb} ${resource}${subresource ? `/${subresource}` : ''} ${name}`.trim(),
      );
    },
  };
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
