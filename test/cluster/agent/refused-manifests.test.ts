import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { startAudit } from '#test/support/audit.ts';
import { configMapYaml, kustomize } from '#test/support/repositories.ts';
import { tenancy } from '#test/support/tenancy.ts';

const { repositories, tenant } = tenancy();

/** What the status says about an Application whose component fails. */
async function refused(name: string, files: Record<string, string>): Promise<{ reason: string; message: string }> {
  const repository = await repositories.create(name, files);
  await tenant.apply(name, [kustomize('a', repository.url)]);
  return tenant.eventually(`${name} fails`, async () => {
    const service = tenant.service(name, 'a');
    const reason = service?.details?.['reason'];
    return reason ? { reason, message: service.message ?? '' } : undefined;
  });
}

const isStalled = (name: string): boolean =>
  tenant.application(name)?.status?.conditions?.some(({ type, status }) => type === 'Stalled' && status === 'True') === true;

const deployment = (name: string, container: string, replicas = '1'): string => `apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}}
spec:
  replicas: ${replicas}
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec: {containers: [{name: web, image: nginx, ${container}}]}
`;

const secret = (name: string, more: string): string => `apiVersion: v1\nkind: Secret\nmetadata: {name: ${name}}\n${more}\n`;

describe.concurrent('a manifest that the API server does not take', () => {
  it.each([
    ['envnum', 'env: [{name: A, value: 8080}]', '1', '.containers[name="web"].env[name="A"].value: expected string, got a number (8080)'],
    ['replicas', 'tty: false', '"1"', '.spec.replicas: expected number, got a string'],
    ['envtwice', 'env: [{name: A, value: x}, {name: A, value: y}]', '1', '.env: duplicate entries for key [name="A"]'],
    [
      'quantity',
      'env: [{name: A, valueFrom: {resourceFieldRef: {resource: limits.cpu, divisor: 1x}}}]',
      '1',
      'a quantity (cpu, memory, storage) is not of the form 500m or 1Gi',
    ],
  ])('is a mistake of its author, in readable words: %s', async (name, container, replicas, words) => {
    const { reason, message } = await refused(name, { 'a.yaml': deployment(name, container, replicas) });
    expect(reason).toBe('APPLY_FAILED');
    expect(message).toContain(words);
    expect(message).toMatch(/^a\.yaml:1: apply Deployment\/.*; correct the manifest$/);
    expect(isStalled(name)).toBe(true);
  });

  it('is told before anything is sent where the data of a ConfigMap is no text; the others are applied', async () => {
    const ports = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ports}\ndata: {port: 8080}\n';
    const { reason, message } = await refused('ports', { 'a.yaml': ports, 'b.yaml': configMapYaml('beside-ports') });
    expect(reason).toBe('INVALID_OBJECT');
    expect(message).toMatch(/^a\.yaml:1: data\[port\] of ConfigMap\/ports is a number and must be a text \(commit \w+\); quote it$/);
    expect(await tenant.get('ConfigMap', 'beside-ports')).toBeDefined();
  });

  it('is told with its field where a quantity of a container is none', async () => {
    const { reason, message } = await refused('cpu', { 'a.yaml': deployment('cpu', 'resources: {limits: {cpu: 1x, memory: 1Gi}}') });
    expect(reason).toBe('INVALID_OBJECT');
    const field = 'spec.template.spec.containers[0].resources.limits.cpu of Deployment/cpu is "1x", which is no quantity';
    expect(message).toMatch(/^a\.yaml:1: .* \(commit \w+\); write it like 500m or 1Gi$/);
    expect(message).toContain(field);
  });

  it('takes every quantity that the API server takes', async () => {
    const limits =
      'resources: {requests: {cpu: 0.5, memory: 1e6}, limits: {cpu: " 1 ", memory: "1.5Gi", ephemeral-storage: 100M, example.com/gpu: "2"}}';
    const repository = await repositories.create('quantities', { 'a.yaml': deployment('quantities', limits, '0') });
    await tenant.apply('quantities', [kustomize('a', repository.url)]);
    await tenant.untilRunning('quantities');
  });

  it('shows nothing of a Secret, whatever is wrong with it', async () => {
    const wrong = {
      'number.yaml': secret('number', 'stringData: {pin: 918273645}'),
      'map.yaml': secret('map', 'stringData: {a: {b: S3CRETWORD}}'),
      'list.yaml': secret('list', 'stringData: {a: [S3CRETWORD]}'),
      'text.yaml': secret('text', 'stringData: S3CRETWORD'),
      'base64.yaml': secret('base64', 'data: {a: S3CRETWORD}'),
      'key.yaml': secret('key', 'stringData: {"S3CRETWORD NOTHING": x}'),
      // The API server finds these.
      'type.yaml': secret('type', 'type: {a: S3CRETWORD}'),
      'json.yaml': secret('json', 'type: kubernetes.io/dockerconfigjson\nstringData: {.dockerconfigjson: S3CRETWORD}'),
      'label.yaml': 'apiVersion: v1\nkind: Secret\nmetadata: {name: label, labels: {x: S3CRETWORD ! }}\n',
    };
    const { message } = await refused('secrets', wrong);
    for (const file of Object.keys(wrong)) expect(message).toContain(`${file}:1: `);
    expect(message).toContain('number.yaml:1: stringData[pin] of Secret/number is a number and must be a text; quote it');
    expect(message).toContain('type.yaml:1: apply Secret/type: .type: expected string; correct the manifest');
    const tls = await refused('tls', { 'a.yaml': secret('tls', 'type: kubernetes.io/tls\nstringData: {a: S3CRETWORD}') });
    expect(tls.message).toContain('the Secret is invalid: data[tls.crt]: Required value, data[tls.key]: Required value');
    expect(await tenant.shown()).not.toMatch(/S3CRETWORD|918273645/);
  });
});

describe.concurrent('an object that is there twice', () => {
  const autoscaler = (version: string, max: number): string => `apiVersion: autoscaling/${version}
kind: HorizontalPodAutoscaler
metadata: {name: versions}
spec: {maxReplicas: ${max}, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: nothing}}
`;

  it.each([
    ['twice', { 'a.yaml': configMapYaml('twice', 'one'), 'b.yaml': configMapYaml('twice', 'two') }, 'configmaps'],
    ['alike', { 'a.yaml': configMapYaml('alike'), 'b.yaml': configMapYaml('alike') }, 'configmaps'],
    ['versions', { 'a.yaml': autoscaler('v1', 3), 'b.yaml': autoscaler('v2', 5) }, 'horizontalpodautoscalers'],
  ])('is not applied at all, and nothing is asked for again and again: %s', async (name, files, resource) => {
    const audit = await startAudit(tenant.namespace);
    const { reason, message } = await refused(name, { ...files, 'c.yaml': configMapYaml(`beside-${name}`) });
    expect(reason).toBe('DUPLICATE_OBJECT');
    expect(message).toMatch(/^b\.yaml:1: \w+\/\w+ is there twice: first in a\.yaml:1 \(commit \w+\); remove one of the two$/);
    expect(await tenant.get('ConfigMap', `beside-${name}`)).toBeDefined();
    await sleep(3_000);
    const writes = await audit.writes();
    expect(writes.filter((write) => write === `patch ${resource} ${name}`)).toEqual([]);
    expect(writes.filter((write) => write === `patch configmaps lateen-${name}`).length).toBeLessThan(4);
  });

  it('stays as it is where it runs already, and is neither written nor pruned', async () => {
    const repository = await repositories.create('later', { 'a.yaml': configMapYaml('later'), 'z.yaml': configMapYaml('later-z') });
    await tenant.apply('later', [kustomize('a', repository.url)]);
    await tenant.untilRunning('later');
    const before = await tenant.get('ConfigMap', 'later');
    const audit = await startAudit(tenant.namespace);
    await repository.push({ 'b.yaml': configMapYaml('later', 'two'), 'z.yaml': null });
    await tenant.eventually('told', async () => tenant.service('later', 'a')?.details?.['reason'] === 'DUPLICATE_OBJECT' || undefined);
    await sleep(3_000);
    expect(await tenant.get('ConfigMap', 'later')).toEqual(before);
    expect(await tenant.get('ConfigMap', 'later-z')).toBeDefined();
    expect((await audit.writes()).filter((write) => / (lateen-)?later(-z)?$/.test(write) && write.includes('configmaps'))).toEqual([]);
    await repository.push({ 'a.yaml': null });
    await tenant.eventually('the one that is left', async () => {
      const data = (await tenant.get('ConfigMap', 'later'))?.['data'] as { key?: string } | undefined;
      return data?.key === 'two' || undefined;
    });
    await tenant.eventually('pruned', async () => (await tenant.get('ConfigMap', 'later-z')) === undefined || undefined);
    expect((await tenant.get('ConfigMap', 'later'))?.metadata.uid).toBe(before?.metadata.uid);
  });
});
