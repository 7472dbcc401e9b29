import type { Application } from '#api/application.ts';
import { annotation, CLAIM, label } from '#api/names.ts';

export type ApplicationsMode = 'all' | 'gitops';

export type Claim = { verdict: 'ours' } | { verdict: 'claim' } | { verdict: 'hands-off'; why: string };

/** Whose Application is it (design §2)? `claim`: ours from the moment that the annotation says so. */
export function claimOf(application: Application, mode: ApplicationsMode): Claim {
  const { annotations = {}, labels = {} } = application.metadata;
  if (labels[label.pause] === 'true') return { verdict: 'hands-off', why: `the label ${label.pause} is "true"` };
  const holder = annotations[annotation.controllerVersionRequire];
  if (holder === CLAIM) return { verdict: 'ours' };
  if (holder !== undefined) {
    return { verdict: 'hands-off', why: `${annotation.controllerVersionRequire} is ${JSON.stringify(holder)}` };
  }
  const components: unknown = application.spec?.components;
  const gitops = Array.isArray(components) && components.some((component: { type?: unknown } | null) => component?.type === 'kustomize');
  if (mode === 'gitops' && !gitops) return { verdict: 'hands-off', why: 'it has no kustomize component and vela-core runs it' };
  return { verdict: 'claim' };
}
