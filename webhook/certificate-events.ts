import { expiryOf, isOverdue, lifeOf } from '#certs/expiry.ts';
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

const DAY_MS = 86_400_000;

/** Tells of a step that was taken. */
export function tellStep(parts: WebhookParts, step: Step, why: string): void {
  const sentence = SENTENCES[step];
  if (sentence !== undefined) recordEvent(parts, { type: 'Normal', reason: 'CertificateRotated', message: `${sentence}: ${why}` });
}

/** Warns, once a day, of a certificate that is about to expire and was not renewed; the metric of its expiry tells the same. */
export class ExpiryWarning {
  readonly #parts: WebhookParts;
  #nextMs = 0;

  constructor(parts: WebhookParts) {
    this.#parts = parts;
  }

  /** `problem`: why the last look at the certificates failed, if it did. */
  look(served: string | undefined, problem: string | undefined): void {
    const { clock, settings, log } = this.#parts;
    const nowMs = clock.now();
    if (served === undefined || nowMs < this.#nextMs) return;
    const given = settings.certificateFiles !== '';
    const lifeMs = given ? lifeOf(served) : settings.certificateLife;
    if (!isOverdue(served, lifeMs, nowMs)) return;
    this.#nextMs = nowMs + Math.min(DAY_MS, lifeMs / 12);
    const expires = new Date(expiryOf(served)).toISOString();
    const why = problem ?? (given ? `whoever makes the files in ${settings.certificateFiles} did not` : 'nothing says why');
    log.error('the certificate was not renewed', { expires, why });
    const message = `the certificate ends at ${expires} and was not renewed: ${why}`;
    recordEvent(this.#parts, { type: 'Warning', reason: 'CertificateNotRenewed', message });
  }
}

interface Told {
  type: 'Normal' | 'Warning';
  reason: string;
  message: string;
}

/** Writes an Event without waiting for it: a missing right must not keep a certificate from being renewed. */
function recordEvent({ cluster, settings, clock, log, random }: WebhookParts, told: Told): void {
  const { namespace, secret: name } = settings;
  const time = new Date(clock.now()).toISOString();
  const event = {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: `${name}.${clock.now().toString(16)}${Math.floor(random() * 65_536).toString(16)}`, namespace },
    involvedObject: { apiVersion: 'v1', kind: 'Secret', name, namespace },
    ...told,
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
