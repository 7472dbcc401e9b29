import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Application, ApplicationSpec, Component, StepStatus, WorkflowStatus } from '#api/application.ts';
import { startTenant, type Tenant } from '#test/support/tenant.ts';

let tenant: Tenant;

beforeAll(async () => {
  tenant = await startTenant();
});

afterAll(() => tenant?.close());

/** kwok never makes an image ready that ends in xxx (dev/kwok-stages.yaml). */
function web(name: string, image = 'a'): Component {
  return { name, type: 'webservice', properties: { image: `web:${image}` } };
}

async function imageOf(name: string): Promise<string | undefined> {
  const deployment = (await tenant.get('Deployment', name)) as
    | { spec?: { template: { spec: { containers: { image: string }[] } } } }
    | undefined;
  return deployment?.spec?.template.spec.containers[0]?.image.replace('web:', '');
}

function phasesOf({ status }: Application): Record<string, string> {
  return Object.fromEntries((status?.workflow?.steps ?? []).map(({ name, phase }) => [name, phase]));
}

/** Writes into the status what the vela command does (spec/kubevela.md §2.7). */
async function vela(name: string, change: (workflow: WorkflowStatus) => Partial<WorkflowStatus>): Promise<void> {
  const workflow = tenant.application(name)?.status?.workflow;
  if (!workflow) throw new Error(`${name} has no workflow`);
  const reference = { apiVersion: 'core.oam.dev/v1beta1', kind: 'Application', namespace: tenant.namespace, name };
  await tenant.client.mergePatch(reference, { status: { workflow: change(workflow) } }, { subresource: 'status' });
}

function from(before: StepStatus['phase'], after: Partial<StepStatus>): (workflow: WorkflowStatus) => StepStatus[] {
  return ({ steps = [] }) => steps.map((step) => (step.phase === before ? { ...step, ...after } : step));
}

const resume = (name: string): Promise<void> =>
  vela(name, (workflow) => ({ suspend: false, steps: from('suspending', { phase: 'running' })(workflow) }));

function phase(name: string, wanted: string): Promise<Application> {
  return tenant.until(
    name,
    wanted,
    ({ status, metadata }) => status?.status === wanted && status.observedGeneration === metadata.generation,
  );
}

async function makePolicy(name: string, image: string, component: string): Promise<void> {
  const metadata = { name, namespace: tenant.namespace };
  const properties = { components: [{ name: component, properties: { image: `web:${image}` } }] };
  await tenant.client.apply(
    { apiVersion: 'core.oam.dev/v1alpha1', kind: 'Policy', metadata, type: 'override', properties },
    { fieldManager: 'person' },
  );
}

describe.concurrent('a workflow', () => {
  it('suspends at a step, and goes on when a person resumes it', async () => {
    const steps = [
      { name: 'one', type: 'apply-component', properties: { component: 'wait-one' } },
      { name: 'look', type: 'suspend', properties: { message: 'look at it' } },
      { name: 'two', type: 'apply-component', properties: { component: 'wait-two' } },
    ];
    await tenant.apply('wait', { components: [web('wait-one'), web('wait-two')], workflow: { steps } });
    const suspended = await phase('wait', 'workflowSuspending');
    expect(phasesOf(suspended)).toEqual({ one: 'succeeded', look: 'suspending', two: 'pending' });
    expect(suspended.status?.workflow).toMatchObject({ suspend: true, status: 'suspending' });
    expect(suspended.status?.conditions?.find(({ type }) => type === 'Workflow')).toMatchObject({
      status: 'False',
      reason: 'WorkflowSuspended',
      message: 'look at it',
    });
    expect(await imageOf('wait-two')).toBeUndefined();
    await resume('wait');
    expect(phasesOf(await phase('wait', 'running'))).toEqual({ one: 'succeeded', look: 'succeeded', two: 'succeeded' });
  });

  it('goes on by itself after the duration of a suspension', async () => {
    const steps = [
      { name: 'look', type: 'suspend', properties: { duration: '3s' } },
      { name: 'one', type: 'apply-component', properties: { component: 'nap' } },
    ];
    await tenant.apply('nap', { components: [web('nap')], workflow: { steps } });
    await phase('nap', 'workflowSuspending');
    await phase('nap', 'running');
  });

  it('stops, terminates and restarts as the vela command asks', async () => {
    await tenant.apply('stop', [web('stop', 'axxx')]);
    await phase('stop', 'runningWorkflow');
    await vela('stop', (workflow) => ({ suspend: true, steps: from('running', { phase: 'suspending' })(workflow) }));
    await phase('stop', 'workflowSuspending');
    await resume('stop');
    await phase('stop', 'runningWorkflow');
    await vela('stop', (workflow) => ({
      terminated: true,
      suspend: false,
      steps: from('running', { phase: 'failed', reason: 'Terminate' })(workflow),
    }));
    const { status } = await phase('stop', 'workflowTerminated');
    expect(status?.workflow).toMatchObject({ finished: true, terminated: true, status: 'terminated' });
    expect(status?.conditions?.find(({ type }) => type === 'Stalled')).toMatchObject({ reason: 'WorkflowTerminated' });
    const reference = { apiVersion: 'core.oam.dev/v1beta1', kind: 'Application', namespace: tenant.namespace, name: 'stop' };
    await tenant.client.mergePatch(reference, { status: { workflow: null } }, { subresource: 'status' });
    await phase('stop', 'runningWorkflow');
  });

  it('fails after the timeout of a step, and runs what runs always', async () => {
    const steps = [
      { name: 'one', type: 'apply-component', timeout: '2s', properties: { component: 'late' } },
      { name: 'two', type: 'apply-component', properties: { component: 'late-two' } },
      { name: 'last', type: 'apply-component', if: 'always', properties: { component: 'late-last' } },
    ];
    await tenant.apply('late', { components: [web('late', 'axxx'), web('late-two'), web('late-last')], workflow: { steps } });
    const failed = await phase('late', 'workflowFailed');
    expect(phasesOf(failed)).toEqual({ one: 'failed', two: 'skipped', last: 'succeeded' });
    expect(failed.status?.conditions?.find(({ type }) => type === 'Ready')).toMatchObject({ status: 'False', reason: 'WorkflowFailed' });
    expect([await imageOf('late-two'), await imageOf('late-last')]).toEqual([undefined, 'a']);
    await tenant.eventually('recorded', async () => {
      const revision = await tenant.get('ApplicationRevision', 'late-v1');
      return (revision?.['status'] as { succeeded?: boolean } | undefined)?.succeeded === false;
    });
  });

  it('deploys with the overrides of its policies, after approval where it asks for it', async () => {
    const policies = [
      { name: 'small', type: 'override', properties: { components: [{ name: 'deploy', properties: { image: 'web:small' } }] } },
    ];
    const steps = [
      { name: 'first', type: 'deploy', properties: { policies: ['small'] } },
      { name: 'second', type: 'deploy', properties: { auto: false } },
    ];
    await tenant.apply('deploy', { components: [web('deploy', 'large')], policies, workflow: { steps } });
    await phase('deploy', 'workflowSuspending');
    expect(await imageOf('deploy')).toBe('small');
    await resume('deploy');
    await phase('deploy', 'running');
    expect(await imageOf('deploy')).toBe('large');
  });
});

describe.concurrent('Policy and Workflow objects', () => {
  const named: ApplicationSpec['workflow'] = { steps: [{ name: 'deploy', type: 'deploy', properties: { policies: ['pinned-policy'] } }] };

  it('change a pinned Application only with a new publishVersion, though its spec is the same', async () => {
    await makePolicy('pinned-policy', 'one', 'pinned');
    const apply = (version: string): Promise<Application> =>
      tenant.apply('pinned', { components: [web('pinned')], workflow: named }, { annotations: { 'app.oam.dev/publishVersion': version } });
    await apply('v1');
    await phase('pinned', 'running');
    expect(await imageOf('pinned')).toBe('one');
    await makePolicy('pinned-policy', 'two', 'pinned');
    await sleep(2_000);
    expect(await imageOf('pinned')).toBe('one');
    expect(tenant.application('pinned')?.status?.conditions?.find(({ type }) => type === 'Revision')).toMatchObject({
      reason: 'PublishVersionUnchanged',
      message: expect.stringContaining('a Policy or Workflow that it names has changed') as string,
    });
    await apply('v2');
    await tenant.until('pinned', 'v2', ({ status }) => status?.workflow?.appRevision === 'v2' && status.workflow.finished);
    expect(await imageOf('pinned')).toBe('two');
    const { policies } = (await tenant.get('ApplicationRevision', 'pinned-v1'))!['spec'] as {
      policies: Record<string, { properties: unknown }>;
    };
    expect(policies[`${tenant.namespace}/pinned-policy`]?.properties).toEqual({
      components: [{ name: 'pinned', properties: { image: 'web:one' } }],
    });
  });

  it('change an Application that is not pinned at once', async () => {
    await makePolicy('free-policy', 'one', 'free');
    await tenant.apply('free', { components: [web('free')], workflow: { ref: 'free-workflow' } });
    const refused = await tenant.until(
      'free',
      'refused',
      ({ status }) => status?.conditions?.some(({ reason }) => reason === 'WorkflowNotFound') ?? false,
    );
    expect(refused.status?.conditions?.find(({ type }) => type === 'Admitted')?.message).toContain('names the Workflow "free-workflow"');
    const workflow = (steps: unknown[]) => ({
      apiVersion: 'core.oam.dev/v1alpha1',
      kind: 'Workflow',
      metadata: { name: 'free-workflow', namespace: tenant.namespace },
      steps,
    });
    await tenant.client.apply(workflow([{ name: 'go', type: 'deploy', properties: { policies: ['free-policy'] } }]), {
      fieldManager: 'person',
    });
    await phase('free', 'running');
    expect(await imageOf('free')).toBe('one');
    await makePolicy('free-policy', 'two', 'free');
    await tenant.until('free', 'v2', ({ status }) => status?.workflow?.appRevision === 'free-v2' && status.workflow.finished);
    expect(await imageOf('free')).toBe('two');
    await tenant.client.apply(workflow([{ name: 'plain', type: 'apply-component', properties: { component: 'free' } }]), {
      fieldManager: 'person',
    });
    await tenant.until('free', 'v3', ({ status }) => status?.workflow?.appRevision === 'free-v3' && status.workflow.finished);
    expect(await imageOf('free')).toBe('a');
  });

  it('are those of then when an older version comes back, though they have changed since', async () => {
    const workflow = { steps: [{ name: 'deploy', type: 'deploy', properties: { policies: ['back-policy'] } }] };
    const apply = (version: string, image: string): Promise<Application> =>
      tenant.apply('back', { components: [web('back', image)], workflow }, { annotations: { 'app.oam.dev/publishVersion': version } });
    const at = (version: string): Promise<Application> =>
      tenant.until('back', version, ({ status }) => status?.workflow?.appRevision === version && status.workflow.finished);
    await makePolicy('back-policy', 'one', 'back');
    await apply('v1', 'a');
    await at('v1');
    await makePolicy('back-policy', 'two', 'back');
    await apply('v2', 'b');
    await at('v2');
    expect(await imageOf('back')).toBe('two');
    await apply('v1', 'a');
    await at('v1');
    expect(await imageOf('back')).toBe('one');
  });
});
