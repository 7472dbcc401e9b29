import type { Step } from '#certs/rotation.ts';
import { messageOf } from '#core/errors.ts';
import type { WebhookParts } from './webhook.ts';

/** What an administrator wants to find under `kubectl describe secret lateen-webhook-tls`. */
const SENTENCES: Partial<Record<Step, string>> = {
  create: 'made a new authority and a certificate',
  prepare: 'made the next authority; it signs once it has stood in both webhook configurations',
  promote: 'the next authority signs from now on',
  renew: 'renewed the certificate',
};

/** Writes an Event about a step, without waiting for it: a missing right must not keep a certificate from being renewed. */
export function recordEvent({ cluster, settings, clock, log, random }: WebhookParts, step: Step, why: string): void {
  const sentence = SENTENCES[step];
  if (sentence === undefined) return;
  const { namespace, secret: name } = settings;
  const time = new Date(clock.now()).toISOString();
  const event = {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: `${name}.${clock.now().toString(16)}${Math.floor(random() * 65_536).toString(16)}`, namespace },
    involvedObject: { apiVersion: 'v1', kind: 'Secret', name, namespace },
    type: 'Normal',
    reason: 'CertificateRotated',
    message: `${sentence}: ${why}`,
    source: { component: 'lateen-webhook' },
    firstTimestamp: time,
    lastTimestamp: time,
    count: 1,
  };
  cluster.call('POST', `/api/v1/namespaces/${namespace}/events`, event).then(
    ({ status }) => status >= 300 && log.debug('event not written', { status }),
    (error: unknown) => log.debug('event not written', { error: messageOf(error) }),
  );
}
