import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Client } from '#agent/cluster/client.ts';
import type { KubeObject } from '#api/kubernetes.ts';
import { selfSignedCertificate } from './certificate.ts';

/**
 * STANDS IN FOR the mutating webhook of a vela-core with the gate AuthenticateApplication, in one namespace: an Application
 * that names a ServiceAccount is refused, every other one gets the name of whoever writes it. The user of vela-core itself is
 * passed over, which here is that of all tests.
 */
export interface VelaCoreWebhook {
  /** Who was stamped, in order; dry runs left out. */
  readonly stamped: readonly string[];
  stop(): Promise<void>;
}

interface Request {
  uid: string;
  dryRun?: boolean;
  userInfo: { username: string };
  object: KubeObject;
}

const ACCOUNT = 'app.oam.dev/service-account-name';
const USERNAME = 'app.oam.dev/username';

export async function startVelaCoreWebhook(client: Client, namespace: string): Promise<VelaCoreWebhook> {
  const { cert, key } = selfSignedCertificate();
  const stamped: string[] = [];
  const server = createServer({ cert, key }, (asked, answer) => {
    void text(asked).then((body) => {
      const { request } = JSON.parse(body) as { request: Request };
      const response = responseTo(request);
      if (response.allowed && !request.dryRun) stamped.push(request.userInfo.username);
      answer.setHeader('content-type', 'application/json');
      answer.end(JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response }));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const configuration = configurationFor(namespace, `https://127.0.0.1:${port}/`, cert);
  await client.create(configuration);
  return {
    stamped,
    async stop() {
      await client.delete({ apiVersion: configuration.apiVersion, kind: configuration.kind, name: configuration.metadata.name ?? '' });
      server.closeAllConnections();
      server.close();
    },
  };
}

function responseTo({ uid, userInfo, object }: Request): Record<string, unknown> & { allowed: boolean } {
  if (userInfo.username === 'admin') return { uid, allowed: true };
  const { annotations } = object.metadata;
  if (annotations?.[ACCOUNT]) return { uid, allowed: false, status: { code: 400, message: `the annotation ${ACCOUNT} is not allowed` } };
  const value = { ...annotations, [USERNAME]: userInfo.username };
  const patch = JSON.stringify([{ op: 'add', path: '/metadata/annotations', value }]);
  return { uid, allowed: true, patchType: 'JSONPatch', patch: Buffer.from(patch).toString('base64') };
}

function configurationFor(namespace: string, url: string, cert: string): KubeObject {
  const rule = { apiGroups: ['core.oam.dev'], apiVersions: ['v1beta1'], operations: ['CREATE', 'UPDATE'], resources: ['applications'] };
  const webhook = {
    name: 'stand-in.vela-core.test',
    clientConfig: { url, caBundle: Buffer.from(cert).toString('base64') },
    rules: [rule],
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
    failurePolicy: 'Fail',
    sideEffects: 'None',
    timeoutSeconds: 5,
    admissionReviewVersions: ['v1'],
  };
  const metadata = { name: `stand-in-${namespace}` };
  return { apiVersion: 'admissionregistration.k8s.io/v1', kind: 'MutatingWebhookConfiguration', metadata, webhooks: [webhook] };
}
