import { X509Certificate } from 'node:crypto';
import { ApiError } from '#agent/cluster/client.ts';
import type { KubeObject } from '#api/kubernetes.ts';
import { API_VERSION } from '#api/names.ts';
import { messageOf, oneLine } from '#core/errors.ts';
import { type Check, type Checked, DEADLINE_MS, failed, guarded, ok, refusalOf, type Seat, skipped } from './doctor-check.ts';

/** The admission webhook: its configurations, its certificate, and whether the API server reaches it. */

const NAME = 'lateen';
const GROUP = 'admissionregistration.k8s.io';
const KINDS = ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration'];
const DAY_MS = 86_400_000;
/** A certificate of the webhook's own is renewed long before. */
const SOON_MS = 14 * DAY_MS;
const LOOK = 'look at its pods (kubectl get pods -n lateen-system) and at docs/webhook.md, "When the API server cannot reach it"';

interface Hook {
  clientConfig?: { caBundle?: string; url?: string; service?: { name?: string; namespace?: string } };
  failurePolicy?: string;
}

export const webhook: Check = async (seat) => {
  const configured = await configurations(seat);
  if (configured === 'none') return [skipped('webhook', 'none is installed: the agent alone judges Applications')];
  return [...(configured === 'unknown' ? [] : bundles(configured, seat)), ...(await reached(seat, configured))];
};

/** Both configurations; `unknown` to a person who may not read them. */
async function configurations({ cluster: { client } }: Seat): Promise<KubeObject[] | 'none' | 'unknown'> {
  try {
    const found = await Promise.all(
      KINDS.map((kind) => client.get({ apiVersion: `${GROUP}/v1`, kind, name: NAME }, { timeoutMs: DEADLINE_MS })),
    );
    const there = found.filter((one) => one !== undefined);
    return there.length === 0 ? 'none' : there;
  } catch (error) {
    if (refusalOf(error) === undefined) throw error;
    return 'unknown';
  }
}

function bundles(objects: readonly KubeObject[], { clock }: Seat): Checked[] {
  const missing = KINDS.filter((kind) => !objects.some((one) => one.kind === kind));
  if (missing.length > 0)
    return [failed('webhook', `the ${missing[0]} ${NAME} is not there`, 'an administrator installs the chart lateen again')];
  const texts = objects.flatMap((object) => ((object['webhooks'] ?? []) as Hook[]).map(({ clientConfig }) => clientConfig?.caBundle ?? ''));
  if (texts.some((text) => text === ''))
    return [
      failed(
        'certificate',
        'a webhook configuration has no caBundle, so the API server trusts no webhook',
        'the webhook writes it within ten seconds: look whether it runs, and at its log (kubectl logs -n lateen-system deployment/lateen-webhook)',
      ),
    ];
  return [certificateCheck([...new Set(texts)], clock.now())];
}

/** Several authorities stand in a bundle while one follows the other: one that is good is enough. */
function certificateCheck(texts: readonly string[], nowMs: number): Checked {
  try {
    const ends = texts.map((text) => Math.max(...certificatesOf(text).map(({ validTo }) => Date.parse(validTo))));
    const end = Math.min(...ends);
    const day = new Date(end).toISOString().slice(0, 10);
    const remedy = 'look at the log of the webhook, or of cert-manager where that makes the certificate (docs/webhook.md)';
    if (end <= nowMs) return failed('certificate', `the authority that the API server trusts ended on ${day}`, remedy);
    const text = `the API server trusts an authority that is good until ${day}`;
    return end - nowMs < SOON_MS ? failed('certificate', `${text}, and was not renewed`, remedy) : ok('certificate', text);
  } catch (error) {
    return failed(
      'certificate',
      `caBundle is no certificate: ${oneLine(messageOf(error), 100)}`,
      'delete caBundle: the webhook writes it anew',
    );
  }
}

function certificatesOf(bundle: string): X509Certificate[] {
  const pems =
    Buffer.from(bundle, 'base64')
      .toString('latin1')
      .match(/-----BEGIN CERTIFICATE-----[^]+?-----END CERTIFICATE-----/g) ?? [];
  if (pems.length === 0) throw new Error('it holds no PEM block');
  return pems.map((pem) => new X509Certificate(pem));
}

/** An Application with a mistake, tried and not made: whoever judges it says no. */
function reached(seat: Seat, configured: KubeObject[] | 'unknown'): Promise<Checked[]> {
  return guarded('webhook', async () => {
    const { client, namespace } = seat.cluster;
    const metadata = { name: 'lateen-doctor', namespace };
    const wrong = {
      apiVersion: API_VERSION,
      kind: 'Application',
      metadata,
      spec: { components: [{ name: 'doctor', type: 'kustomize', properties: {} }] },
    };
    try {
      await client.create(wrong, { dryRun: true, timeoutMs: DEADLINE_MS });
    } catch (error) {
      if (error instanceof ApiError) return judged(error);
      throw error;
    }
    if (configured === 'unknown')
      return [skipped('webhook', `an Application with a mistake was let through in ${namespace}: no webhook of Lateen judges it`)];
    const policy = ((configured[0]?.['webhooks'] ?? []) as Hook[])[0]?.failurePolicy ?? 'Ignore';
    return [
      failed(
        'webhook',
        `an Application with a mistake was let through in ${namespace}: the webhook does not answer (failurePolicy ${policy}), or the namespace is left out`,
        `${LOOK}; the label lateen.dev/webhook of the namespace may leave it out`,
      ),
    ];
  });
}

function judged(error: ApiError): Checked[] {
  const { status, message } = error;
  if (/validate\.lateen\.dev|has one mistake|has \d+ mistakes/.test(message) && status !== 500)
    return [ok('webhook', 'the API server reaches it: it refused an Application with a mistake')];
  if (status === 403 && refusalOf(error) !== undefined && /cannot create resource/.test(message))
    return [skipped('webhook', `${refusalOf(error)}, so it was not tried`)];
  if (/failed calling webhook/.test(message)) return [failed('webhook', oneLine(message, 300), LOOK)];
  return [skipped('webhook', `somebody else refused the Application first: ${oneLine(message, 200)}`)];
}
