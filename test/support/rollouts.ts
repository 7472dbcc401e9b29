import type { Application, Component } from '#api/application.ts';
import { annotation } from '#api/names.ts';
import { lateen, type Ran } from './lateen.ts';
import type { Tenant } from './tenant.ts';

/** A test of many commands, each of which is a process that starts: on a machine that others keep busy they take minutes. */
export const ROLLOUTS_MS = 300_000;
const COMMAND_MS = 60_000;

/** What a person does with versions of an Application of one webservice, and sees of it. */
export interface Rollouts {
  /** `lateen ARGS` in the namespace of the tenant. */
  ask(...args: string[]): Promise<Ran>;
  apply(name: string, image: string, version: string): Promise<Application>;
  /** Of the Deployment in the cluster. */
  imageOf(name: string): Promise<string | undefined>;
  /** Until the workflow has succeeded for the token, and its revision says so. */
  succeeded(name: string, token: string): Promise<void>;
}

/** An image that kwok is told never to make ready ends in xxx (dev/kwok-stages.yaml). */
export function web(name: string, image: string): Component {
  return { name, type: 'webservice', properties: { image: `web:${image}` } };
}

export function rolloutsOf(tenant: Tenant): Rollouts {
  return {
    ask: (...args) => lateen([...args, '-n', tenant.namespace, '--kubeconfig', tenant.kubeconfig], { deadlineMs: COMMAND_MS }),
    apply: (name, image, version) => tenant.apply(name, [web(name, image)], { annotations: { [annotation.publishVersion]: version } }),
    async imageOf(name) {
      const { spec } = ((await tenant.get('Deployment', name)) ?? {}) as { spec?: DeploymentSpec };
      return spec?.template.spec.containers[0]?.image.replace('web:', '');
    },
    async succeeded(name, token) {
      const isDone = ({ status }: Application): boolean =>
        status?.workflow?.appRevision === token && status.workflow.status === 'succeeded';
      const { status } = await tenant.until(name, `at ${token}`, isDone);
      const revision = status?.latestRevision?.name ?? '';
      await tenant.eventually('recorded', async () => {
        const recorded = (await tenant.get('ApplicationRevision', revision))?.['status'] as { succeeded?: boolean } | undefined;
        return recorded?.succeeded;
      });
    },
  };
}

interface DeploymentSpec {
  template: { spec: { containers: { image: string }[] } };
}

/** The rows of `lateen revision list`: name, publishVersion, succeeded, status. */
export function rowsOf(stdout: string): string[] {
  const lines = stdout.split('\n').filter((line) => line.includes('\t'));
  return lines.slice(1).map((line) => {
    const cells = line.split('\t').map((cell) => cell.trim());
    return [cells[0], cells[1], cells[2], cells[5]].join(' ').replaceAll(/ +/g, ' ');
  });
}
