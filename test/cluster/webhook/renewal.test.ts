import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { kubeconfigText } from '#dev/control-plane-files.ts';
import { freePorts } from '#dev/ports.ts';
import { webhookConfigurations } from '#dev/webhook.ts';
import { createNamespace, kubectl } from '#test/support/namespace.ts';
import { startWebhook, type WebhookProcess } from '#test/support/webhook-process.ts';

/** Renewed after 20 s, and overdue after 25 s. */
const LIFE_S = 30;

let folder: string;
let system: string;
let webhook: WebhookProcess;
let configuration: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lateen-'));
  system = await createNamespace({ waitForServiceAccount: true });
  const [port] = await freePorts(1);
  configuration = `lateen-${port}`;
  const options = { url: `https://127.0.0.1:${port}`, name: configuration, namespaces: [system] };
  // The rights that docs/webhook.md lists, without `update` of its Secret.
  const items = [...webhookConfigurations(options), ...rights(system, ['get', 'create', 'patch'])];
  await writeFile(join(folder, 'objects.json'), JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
  await kubectl('apply', '--server-side', '-f', join(folder, 'objects.json'));
  const { server, caFile } = inject('plane');
  const token = (await kubectl('create', 'token', 'default', '-n', system)).trim();
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

function rights(namespace: string, ofSecret: string[]): object[] {
  const roleOf = (kind: string, rules: object[]): object[] => {
    const metadata = { name: configuration, ...(kind === 'Role' ? { namespace } : {}) };
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind, name: configuration };
    const subjects = [{ kind: 'ServiceAccount', name: 'default', namespace }];
    const apiVersion = 'rbac.authorization.k8s.io/v1';
    return [
      { apiVersion, kind, metadata, rules },
      { apiVersion, kind: `${kind}Binding`, metadata, roleRef, subjects },
    ];
  };
  const kinds = ['mutatingwebhookconfigurations', 'validatingwebhookconfigurations'];
  return [
    ...roleOf('ClusterRole', [
      { apiGroups: [''], resources: ['namespaces'], verbs: ['get', 'list', 'watch'] },
      { apiGroups: ['admissionregistration.k8s.io'], resources: kinds, resourceNames: [configuration], verbs: ['get', 'patch'] },
    ]),
    ...roleOf('Role', [
      { apiGroups: [''], resources: ['secrets'], resourceNames: ['lateen-webhook-tls'], verbs: ofSecret },
      { apiGroups: [''], resources: ['events'], verbs: ['create'] },
    ]),
  ];
}

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

  const items = rights(system, ['get', 'create', 'patch', 'update']);
  await writeFile(join(folder, 'rights.json'), JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
  await kubectl('apply', '--server-side', '-f', join(folder, 'rights.json'));
  await expect.poll(expirySeconds, { timeout: 30_000, interval: 500 }).toBeGreaterThan(first);
  expect(await events()).toContain(
    'Normal CertificateRotated: renewed the certificate: two thirds of the life of the certificate are over',
  );
}, 180_000);
