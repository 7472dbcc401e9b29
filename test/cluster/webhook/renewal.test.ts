import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import type { KubeObject } from '#api/kubernetes.ts';
import { kubeconfigText } from '#dev/control-plane-files.ts';
import { freePorts } from '#dev/ports.ts';
import { webhookConfigurations } from '#dev/webhook.ts';
import { grantedRights, requestsOf, usedRights } from '#test/support/audit.ts';
import { objectsOf, type Rule, template } from '#test/support/helm.ts';
import { createNamespace, kubectl, kubectlApply } from '#test/support/namespace.ts';
import { startWebhook, type WebhookProcess } from '#test/support/webhook-process.ts';

/** Renewed after 20 s, and overdue after 25 s. */
const LIFE_S = 30;

let folder: string;
let system: string;
let webhook: WebhookProcess;
let configuration: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lateen-'));
  system = await createNamespace();
  const [port] = await freePorts(1);
  configuration = `lateen-${port}`;
  const options = { url: `https://127.0.0.1:${port}`, name: configuration, namespaces: [system] };
  // All that the chart gives, but for `update` of its Secret.
  await kubectlApply([...webhookConfigurations(options), ...(await rights(system)).map(withoutUpdate)]);
  const { server, caFile } = inject('plane');
  const token = (await kubectl('create', 'token', 'lateen-webhook', '-n', system)).trim();
  const access = { server, ca: await readFile(caFile, 'utf8'), token, user: 'webhook' };
  await writeFile(join(folder, 'kubeconfig'), kubeconfigText(access), { mode: 0o600 });
  const kubeconfig = join(folder, 'kubeconfig');
  webhook = startWebhook(port!, { namespace: system, configuration, kubeconfig, 'certificate-life': `${LIFE_S}s` });
  await webhook.untilReady();
}, 180_000);

afterAll(async () => {
  await kubectl('delete', 'mutatingwebhookconfiguration,validatingwebhookconfiguration', configuration);
  await webhook.kill();
  await rm(folder, { recursive: true, force: true });
});

/** What the chart gives the webhook. Of what is there once per cluster, this test has its own. */
async function rights(namespace: string): Promise<KubeObject[]> {
  const objects = objectsOf(await template('lateen', namespace)).filter(({ metadata }) => metadata.name === 'lateen-webhook');
  const ours = ['ServiceAccount', 'ClusterRole', 'ClusterRoleBinding', 'Role', 'RoleBinding'];
  return objects
    .filter(({ kind }) => ours.includes(kind))
    .map((object) => {
      if (!object.kind.startsWith('Cluster')) return object;
      const metadata = { ...object.metadata, name: configuration };
      if (object.kind === 'ClusterRoleBinding')
        return { ...object, metadata, roleRef: { ...(object['roleRef'] as object), name: configuration } };
      const rules = rulesOf(object).map((rule) => (rule.resourceNames ? { ...rule, resourceNames: [configuration] } : rule));
      return { ...object, metadata, rules };
    });
}

const rulesOf = (object: KubeObject): Rule[] => (object['rules'] ?? []) as Rule[];

const withoutUpdate = (object: KubeObject): KubeObject => ({
  ...object,
  ...(object.kind === 'Role'
    ? { rules: rulesOf(object).map((rule) => ({ ...rule, verbs: rule.verbs.filter((verb) => verb !== 'update') })) }
    : {}),
});

const events = (): Promise<string> =>
  kubectl('get', 'events', '-n', system, '-o', 'jsonpath={range .items[*]}{.type} {.reason}: {.message}{"\\n"}{end}');

async function expirySeconds(): Promise<number> {
  const { text } = await webhook.get('/metrics');
  return Number(/^lateen_webhook_certificate_expiry_timestamp_seconds (\S+)$/m.exec(text)?.[1]);
}

it('warns of a certificate that nobody renews, goes on serving it, and renews it once it can', async () => {
  const first = await expirySeconds();
  expect(await events()).not.toContain('Warning');
  await expect
    .poll(events, { timeout: (LIFE_S + 30) * 1000, interval: 500 })
    .toMatch(
      /^Warning CertificateNotRenewed: the certificate ends at \S+ and was not renewed: the Secret lateen-webhook-tls cannot be written: 403 /m,
    );
  expect(await expirySeconds()).toBe(first);

  await kubectlApply(await rights(system));
  await expect.poll(expirySeconds, { timeout: 30_000, interval: 500 }).toBeGreaterThan(first);
  expect(await events()).toContain(
    'Normal CertificateRotated: renewed the certificate: two thirds of the life of the certificate are over',
  );
}, 180_000);

it('has used every right that the chart gives it, and lacked none', async () => {
  const events = await requestsOf(inject('plane').auditLog, `system:serviceaccount:${system}:lateen-webhook`);
  // That which the test had taken away.
  const refused = events.filter(({ responseStatus }) => responseStatus?.code === 403);
  expect(new Set(refused.map(({ verb, requestURI }) => `${verb} ${requestURI}`))).toEqual(
    new Set([`update /api/v1/namespaces/${system}/secrets/lateen-webhook-tls`]),
  );
  const used = usedRights(events);
  const granted = grantedRights((await rights(system)).flatMap(rulesOf));
  expect([...granted].filter((right) => !used.has(right))).toEqual([]);
});
