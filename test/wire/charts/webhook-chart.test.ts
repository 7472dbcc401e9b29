import { describe, expect, it } from 'vitest';
import type { KubeObject } from '#api/kubernetes.ts';
import { flagName, readSettings } from '#core/settings.ts';
import { webhookConfigurations } from '#dev/webhook.ts';
import { objectsOf, only, podOf, type Rule, template } from '#test/support/helm.ts';
import { webhookSettings } from '#webhook/settings.ts';

const NAME = 'lateen';
const URL_OF_TESTS = 'https://127.0.0.1:9443';

/** Settings that no value of the chart changes, and why. */
const FIXED: Record<string, string> = { kubeconfig: 'the Pod has a token', context: 'the Pod has a token' };

async function render(...args: string[]): Promise<KubeObject[]> {
  return objectsOf(await template(NAME, 'lateen-system', ...args));
}

async function argsOf(...args: string[]): Promise<string[]> {
  return podOf(await render(...args)).spec.containers[0]!.args;
}

const kindsOf = (objects: readonly KubeObject[]): string[] => [...new Set(objects.map(({ kind }) => kind))].toSorted();

type Hook = Record<string, unknown> & { clientConfig: { url?: string }; namespaceSelector: { matchExpressions: object[] } };

const hookOf = (objects: readonly KubeObject[], kind: string): Hook => (only(objects, kind)['webhooks'] as Hook[])[0]!;

describe('the webhook', () => {
  it('is started with its own defaults', async () => {
    expect(readSettings(webhookSettings, await argsOf(), {})).toEqual(readSettings(webhookSettings, [], {}));
  });

  it('gets every setting, or there is a reason', async () => {
    const modes = await Promise.all([argsOf(), argsOf('--set=certificates.mode=provided')]);
    const passed = new Set(modes.flat().map((arg) => /^--([a-z-]+)=/.exec(arg)![1]!));
    const names = Object.keys(webhookSettings).filter((name) => !(name in FIXED));
    expect([...passed].toSorted()).toEqual(names.map(flagName).toSorted());
  });

  it('may write its own Secret and its own configurations, by name, and nothing else', async () => {
    const objects = await render();
    expect(only(objects, 'Role')['rules']).toEqual([
      { apiGroups: [''], resources: ['secrets'], resourceNames: ['lateen-webhook-tls'], verbs: ['get', 'create', 'patch', 'update'] },
      { apiGroups: [''], resources: ['events'], verbs: ['create'] },
    ]);
    const clusterRole = objects.find(({ kind, metadata }) => kind === 'ClusterRole' && metadata.name === 'lateen-webhook');
    const configurations = ['mutatingwebhookconfigurations', 'validatingwebhookconfigurations'];
    expect(clusterRole?.['rules']).toEqual([
      { apiGroups: [''], resources: ['namespaces'], verbs: ['list', 'watch'] },
      { apiGroups: ['admissionregistration.k8s.io'], resources: configurations, resourceNames: ['lateen'], verbs: ['get', 'patch'] },
    ]);
  });

  it('has no right on Secrets where others make its certificate', async () => {
    for (const mode of ['cert-manager', 'provided']) {
      const objects = await render(`--set=certificates.mode=${mode},certificates.secretName=mine`);
      expect(JSON.stringify(only(objects, 'Role')['rules'])).not.toContain('secrets');
      expect(podOf(objects).spec.volumes).toEqual([{ name: 'certificates', secret: { secretName: 'mine', defaultMode: 0o440 } }]);
    }
  });
});

describe('the webhook configurations', () => {
  it('are those that the other tests use', async () => {
    const objects = await render(`--set=webhook.url=${URL_OF_TESTS}`);
    const tested = webhookConfigurations({ url: URL_OF_TESTS });
    for (const kind of ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration']) {
      const { namespaceSelector, ...mine } = hookOf(objects, kind);
      const { namespaceSelector: excluded, ...theirs } = hookOf(tested, kind);
      expect(mine).toEqual(theirs);
      // The chart adds the label by which a namespace gets out.
      expect(namespaceSelector.matchExpressions).toEqual([
        ...excluded.matchExpressions,
        { key: 'lateen.dev/webhook', operator: 'NotIn', values: ['disabled'] },
      ]);
    }
  });

  it('ask for namespaces that opted in, where the value says so', async () => {
    const hook = hookOf(await render('--set=webhook.namespaces=opt-in'), 'ValidatingWebhookConfiguration');
    expect(hook.namespaceSelector.matchExpressions.at(-1)).toEqual({ key: 'lateen.dev/webhook', operator: 'In', values: ['enabled'] });
  });

  it.each([
    ['https://webhook.test/lateen/', 'https://webhook.test/lateen/mutate', 'webhook.test'],
    ['https://10.1.2.3:8443', 'https://10.1.2.3:8443/mutate', '10.1.2.3'],
    ['https://[fd00::1]:8443', 'https://[fd00::1]:8443/mutate', 'fd00::1'],
  ])('with the url %s call %s, and the certificate is for its host', async (url, called, host) => {
    const objects = await render(`--set=webhook.url=${url}`);
    expect(hookOf(objects, 'MutatingWebhookConfiguration').clientConfig).toEqual({ url: called });
    expect(podOf(objects).spec.containers[0]!.args).toContain(`--hosts=${host}`);
  });

  it.each(['http://webhook.test', 'https://user@webhook.test', 'https://webhook.test?a', 'webhook.test'])(
    'refuse the url %s',
    async (url) => {
      await expect(render(`--set=webhook.url=${url}`)).rejects.toThrow('webhook.url');
    },
  );
});

describe('what is installed', () => {
  const rights = ['ClusterRole', 'ClusterRoleBinding', 'Role', 'RoleBinding', 'ServiceAccount'];
  const configurations = ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration'];
  const policy = ['ValidatingAdmissionPolicy', 'ValidatingAdmissionPolicyBinding'];

  it('outside of the cluster: rights and configurations, and nothing that runs', async () => {
    const objects = await render('--set=webhook.replicas=0,webhook.url=https://webhook.test,image.repository=');
    expect(kindsOf(objects)).toEqual([...rights, ...configurations, ...policy].toSorted());
    await expect(render('--set=webhook.replicas=0')).rejects.toThrow('webhook.replicas is 0 and webhook.url is not set');
  });

  it('without a webhook: ClusterRoles for people, and the policy about Secrets', async () => {
    const rest = '--set=webhook.enabled=false,image.repository=';
    expect(kindsOf(await render(rest))).toEqual(['ClusterRole', ...policy]);
    const objects = await render(rest, '--set=secretPolicy.enabled=false');
    expect(kindsOf(objects)).toEqual(['ClusterRole']);
    const names = objects.map(({ metadata }) => metadata.name);
    expect(names).toEqual(['view', 'edit', 'admin'].map((role) => `lateen-applications-${role}`));
  });

  it('with one replica: no budget that would keep a node from being drained', async () => {
    expect(kindsOf(await render('--set=webhook.replicas=1'))).not.toContain('PodDisruptionBudget');
    expect(kindsOf(await render())).toContain('PodDisruptionBudget');
  });

  it('with cert-manager: a Certificate for every name, of an authority of its own or of an issuer', async () => {
    const mode = '--set=certificates.mode=cert-manager';
    const leafOf = (objects: KubeObject[]): KubeObject =>
      objects.find(({ kind, metadata }) => kind === 'Certificate' && metadata.name === 'lateen-webhook')!;
    const own = await render(mode, '--set=webhook.url=https://webhook.test:8443');
    expect(own.filter(({ kind }) => kind === 'Issuer')).toHaveLength(2);
    const names = ['lateen-webhook', 'lateen-webhook.lateen-system', 'lateen-webhook.lateen-system.svc', 'webhook.test'];
    expect(leafOf(own)['spec']).toMatchObject({ dnsNames: names, issuerRef: { name: 'lateen-webhook', kind: 'Issuer' } });
    const theirs = await render(
      mode,
      '--set=certificates.issuerRef.name=corp,certificates.issuerRef.kind=ClusterIssuer,webhook.url=https://10.0.0.1',
    );
    expect(theirs.filter(({ kind }) => kind === 'Issuer')).toEqual([]);
    expect(leafOf(theirs)['spec']).toMatchObject({ ipAddresses: ['10.0.0.1'], issuerRef: { name: 'corp', kind: 'ClusterIssuer' } });
    await expect(render('--set=certificates.issuerRef.name=corp')).rejects.toThrow(
      'certificates.issuerRef is set and certificates.mode is "self"',
    );
    await expect(render(mode, '--set=certificates.issuerRef.kind=Issuer')).rejects.toThrow('certificates.issuerRef has no name');
  });
});

describe('the ClusterRoles for people', () => {
  it('add to view, edit and admin what each may do with Applications', async () => {
    const objects = await render();
    const roleOf = (role: string): { labels: Record<string, string>; rules: Rule[] } => {
      const found = objects.find(({ metadata }) => metadata.name === `lateen-applications-${role}`)!;
      return { labels: found.metadata.labels!, rules: found['rules'] as Rule[] };
    };
    for (const role of ['view', 'edit', 'admin'])
      expect(roleOf(role).labels[`rbac.authorization.k8s.io/aggregate-to-${role}`]).toBe('true');
    expect(roleOf('view').rules[0]?.verbs).toEqual(['get', 'list', 'watch']);
    expect(roleOf('edit').rules.flatMap(({ resources }) => resources)).not.toContain('applications/status');
  });
});
