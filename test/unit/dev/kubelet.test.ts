import { describe, expect, it } from 'vitest';
import { planContainer } from '#dev/kubelet/container-plan.ts';
import type { Container, Pod } from '#dev/kubelet/pod.ts';
import { type Standing, statusPatch } from '#dev/kubelet/pod-status.ts';

const image = { path: '/usr/local/bin:/usr/bin', uid: 65532, gid: 65532, entrypoint: ['tini', '--'] };
const container: Container = {
  name: 'main',
  image: 'a:1',
  args: ['--address=:9443', '--other=:80', '--name=x'],
  ports: [{ containerPort: 9443 }],
};

function podWith(one: Container): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'a-1', namespace: 'team', uid: 'u' },
    spec: { nodeName: 'here', containers: [one] },
  };
}

function plan(changes: Partial<Container> = {}, volumes: Record<string, string> = {}): ReturnType<typeof planContainer> {
  const one = { ...container, ...changes };
  const apiServer = { host: '127.0.0.1', port: '6443' };
  return planContainer({ pod: podWith(one), container: one, image, volumes, apiServer, address: '127.9.0.1' });
}

describe('what is started for a container', () => {
  it('is what the Pod says, with an address of its own for a port that it declares', () => {
    expect(plan().argv).toEqual(['tini', '--', '--address=127.9.0.1:9443', '--other=:80', '--name=x']);
    expect(plan({ command: ['tini', '--', 'lateen-agent'] }).argv.slice(0, 3)).toEqual(['tini', '--', 'lateen-agent']);
  });

  it('has the variables of a Pod and its own, and no others', () => {
    const env = [
      { name: 'IDENTITY', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
      { name: 'A', value: 'b' },
    ];
    expect(plan({ env }).env).toEqual({
      PATH: image.path,
      HOME: '/',
      HOSTNAME: 'a-1',
      KUBERNETES_SERVICE_HOST: '127.0.0.1',
      KUBERNETES_SERVICE_PORT: '6443',
      IDENTITY: 'a-1',
      A: 'b',
    });
  });

  it('is refused where it asks for what the workbench does not know', () => {
    // What the Pod says of a Secret is no field that the workbench reads.
    const env = [{ name: 'A', valueFrom: {} }];
    expect(() => plan({ env })).toThrow("the workbench's kubelet cannot fill the variable A");
    expect(() => plan({ volumeMounts: [{ name: 'v', mountPath: '/v' }] })).toThrow('/v mounts the volume v, which the Pod does not have');
    expect(plan({ volumeMounts: [{ name: 'v', mountPath: '/v' }] }, { v: '/host' }).mounts).toEqual([
      { name: 'v', mountPath: '/v', source: '/host' },
    ]);
  });
});

describe('the status of a Pod', () => {
  const running: Standing = { container, state: 'running', started: true, ready: true, restarts: 0, since: 'then' };
  const patch = (...standings: Standing[]): { status: { phase: string; conditions: { type: string; status: string }[] } } =>
    statusPatch(podWith(container), standings, 'now') as ReturnType<typeof patch>;
  const ready = (...standings: Standing[]): string | undefined =>
    patch(...standings).status.conditions.find(({ type }) => type === 'Ready')?.status;

  it('is ready when every container is', () => {
    expect(ready(running)).toBe('True');
    expect(ready(running, { ...running, ready: false })).toBe('False');
    expect(ready({ ...running, state: 'waiting' })).toBe('False');
  });

  it('is pending until something has run', () => {
    expect(patch({ ...running, state: 'waiting', why: 'ImagePullBackOff' }).status.phase).toBe('Pending');
    expect(patch({ ...running, state: 'waiting', restarts: 1 }).status.phase).toBe('Running');
    expect(patch(running).status.phase).toBe('Running');
  });
});
