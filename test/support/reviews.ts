import { randomUUID } from 'node:crypto';

/** AdmissionReviews as the API server sends them. */

export interface ReviewRequest {
  object: unknown;
  oldObject?: unknown;
  operation?: string;
  namespace?: string;
  user?: string;
  dryRun?: boolean;
  resource?: { group: string; version: string; resource: string };
}

export function admissionReview({
  object,
  oldObject = null,
  operation,
  namespace = 'team-a',
  user = 'alice',
  dryRun = false,
  resource,
}: ReviewRequest): {
  apiVersion: string;
  kind: string;
  request: Record<string, unknown> & { uid: string };
} {
  const kind = { group: 'core.oam.dev', version: 'v1beta1', kind: 'Application' };
  const applications = { group: 'core.oam.dev', version: 'v1beta1', resource: 'applications' };
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: randomUUID(),
      kind,
      resource: resource ?? applications,
      requestKind: kind,
      requestResource: resource ?? applications,
      name: (object as { metadata?: { name?: string } } | null)?.metadata?.name ?? 'app',
      namespace,
      operation: operation ?? (oldObject === null ? 'CREATE' : 'UPDATE'),
      userInfo: { username: user, groups: ['system:authenticated'] },
      object,
      oldObject,
      dryRun,
      options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1' },
    },
  };
}
