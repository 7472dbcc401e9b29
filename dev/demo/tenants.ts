import type { Application } from '#api/application.ts';
import { shownPath } from '../shell-setup.ts';
import type { Bench, Chapter, Stage, Try } from './chapter.ts';
import { kubeconfigOf, manifestOf, setUpTenants, SYSTEM, type Tenant, TENANTS, VALUES } from './tenants-setup.ts';

const NAME = 'tenants';
const APPLICATION = 'shop';
const CONFIGURATIONS = ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration'];

let webhookPort = 0;

/** Both charts with helm, in two namespaces, and what becomes of a team that writes into the other's. */
export const tenants: Chapter = {
  name: NAME,
  title: 'two teams, each with an agent of its own, and neither can reach the other',

  async prepare(bench) {
    webhookPort = await setUpTenants(bench);
  },

  async play(stage, bench) {
    await platform(stage, bench);
    await installed(stage);
    await atWork(stage, bench);
    await intruder(stage, bench);
  },

  tries,
};

/** A command as the person of a team. */
function as(tenant: Tenant, command: string): string {
  const [program, ...rest] = command.split(' ');
  return `${program} --kubeconfig ${shownPath(kubeconfigOf(tenant))} ${rest.join(' ')}`;
}

async function platform({ say, run }: Stage, { client, signal }: Bench): Promise<void> {
  // Those of the chapter admission were applied by hand; the chart brings its own, for namespaces that opted in: the
  // other chapters are played without a webhook.
  for (const kind of CONFIGURATIONS)
    await client.delete({ apiVersion: 'admissionregistration.k8s.io/v1', kind, name: 'lateen' }, { signal });
  say('The platform team installs the chart of the cluster: CRDs, the admission webhook, and what namespace admins may do.');
  await run(
    `helm install lateen charts/lateen --namespace ${SYSTEM} --create-namespace --hide-notes \\\n` +
      `    --values ${shownPath(VALUES)} --set webhook.namespaces=opt-in,webhook.url=https://127.0.0.1:${webhookPort}`,
  );
}

async function installed({ say, run }: Stage): Promise<void> {
  say('Each team installs the agent in its own namespace. It is admin there, and may do nothing anywhere else.');
  for (const tenant of TENANTS) {
    const values = `--hide-notes --values ${shownPath(VALUES)} --set applications=all`;
    await run(as(tenant, `helm install lateen-agent charts/lateen-agent \\\n    ${values}`));
  }
  await run(`kubectl wait --for=condition=Available deployment/lateen-webhook --namespace ${SYSTEM} --timeout=60s`);
  for (const tenant of TENANTS) await run(as(tenant, 'kubectl wait --for=condition=Available deployment/lateen-agent --timeout=60s'));
}

async function atWork({ say, run, until }: Stage, bench: Bench): Promise<void> {
  say('The team blue follows its repository:');
  await run(as('team-blue', `kubectl apply -f ${shownPath(manifestOf('team-blue'))}`));
  await until('its Application runs', async () => (await application(bench, 'team-blue'))?.status?.status === 'running');
  await run(as('team-blue', `kubectl get app/${APPLICATION} configmap/${APPLICATION}`));
}

async function intruder({ say, run, until }: Stage, bench: Bench): Promise<void> {
  say('The repository of the team red has an object for the namespace of the team blue. It is refused before anything is written:');
  await run(as('team-red', `kubectl apply -f ${shownPath(manifestOf('team-red'))}`));
  await until('it is refused', async () => messageOf(await application(bench, 'team-red')).includes('team-blue'));
  await run(as('team-red', `kubectl get app ${APPLICATION} -o jsonpath='{.status.services[0].message}{"\\n"}'`));
  say('The agent could not, either: its Role ends at its namespace.');
  for (const tenant of [...TENANTS].toReversed())
    await run(`kubectl auth can-i patch configmaps --as system:serviceaccount:team-red:lateen-agent --namespace ${tenant} || true`);
}

async function application({ client }: Bench, tenant: Tenant): Promise<Application | undefined> {
  const reference = { apiVersion: 'core.oam.dev/v1beta1', kind: 'Application', namespace: tenant, name: APPLICATION };
  return (await client.get(reference)) as unknown as Application | undefined;
}

function messageOf(found: Application | undefined): string {
  return found?.status?.services?.[0]?.message ?? '';
}

function tries(): Try[] {
  return [
    {
      what: 'Ask for more rights than a Role of one namespace has',
      commands: [
        as('team-red', `helm upgrade lateen-agent charts/lateen-agent --reset-then-reuse-values --set podLabels.role=cluster-admin`),
      ],
    },
    {
      what: 'Uninstall an agent; what it has applied stays',
      commands: [as('team-blue', 'helm uninstall lateen-agent --wait'), as('team-blue', `kubectl get configmap ${APPLICATION}`)],
    },
  ];
}
