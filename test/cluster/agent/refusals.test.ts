import { describe, expect, it, onTestFinished } from 'vitest';
import { configMapYaml, kustomize } from '#test/support/repositories.ts';
import { tenancy } from '#test/support/tenancy.ts';

const { repositories, tenant } = tenancy();

const deploymentYaml = (name: string, selector: string): string =>
  `apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}}
spec:
  replicas: 0
  selector: {matchLabels: {app: ${selector}}}
  template:
    metadata: {labels: {app: ${selector}}}
    spec: {containers: [{name: web, image: nginx}]}
`;

describe.concurrent('what the API server refuses', () => {
  it('is made anew at once where a person deletes the object, as the remedy says', async () => {
    const repository = await repositories.create('anew', { 'd.yaml': deploymentYaml('anew', 'one') });
    await tenant.apply('anew', [kustomize('a', repository.url)]);
    await tenant.eventually('applied', async () => tenant.get('Deployment', 'anew'));
    await repository.push({ 'd.yaml': deploymentYaml('anew', 'two') });
    await tenant.until('anew', 'refused', () => tenant.service('anew', 'a')?.message?.includes('field is immutable') === true);
    expect(tenant.service('anew', 'a')?.message).toContain('delete the object so that it is made anew');
    await tenant.delete('Deployment', 'anew');
    const begun = Date.now();
    await tenant.eventually('made anew', async () => (await tenant.get('Deployment', 'anew')) !== undefined);
    expect(Date.now() - begun).toBeLessThan(5_000);
    expect((await tenant.get('Deployment', 'anew'))?.['spec']).toMatchObject({ selector: { matchLabels: { app: 'two' } } });
  });

  it('of an API whose server is down keeps no other object from being applied', async () => {
    const metadata = { name: 'v1.broken.example.com' };
    const spec = {
      group: 'broken.example.com',
      version: 'v1',
      groupPriorityMinimum: 100,
      versionPriority: 100,
      insecureSkipTLSVerify: true,
    };
    const api = { apiVersion: 'apiregistration.k8s.io/v1', kind: 'APIService' };
    await tenant.client.apply({ ...api, metadata, spec: { ...spec, service: { name: 'nobody', namespace: 'default' } } });
    onTestFinished(() => tenant.client.delete({ ...api, ...metadata }).then(() => undefined));
    const thing = 'apiVersion: broken.example.com/v1\nkind: Thing\nmetadata: {name: thing}\n';
    const repository = await repositories.create('broken', { 'a.yaml': configMapYaml('well'), 'b.yaml': thing });
    await tenant.apply('broken', [kustomize('a', repository.url)]);
    await tenant.eventually('applied', async () => (await tenant.get('ConfigMap', 'well')) !== undefined);
    await tenant.until('broken', 'told', () => tenant.service('broken', 'a')?.message?.includes('Thing/thing') === true);
    expect(tenant.service('broken', 'a')?.message).toMatch(
      /^b\.yaml:1: Thing\/thing: the API server cannot say which kinds .* is down \(commit .*; look at/,
    );
    expect(tenant.service('broken', 'a')?.details?.['reason']).toBe('CLUSTER_UNAVAILABLE');
  });
});
