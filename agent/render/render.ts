import { Failure } from '#api/failure.ts';
import type { KubeObject } from '#api/kubernetes.ts';
import { digest, sortKeys } from './digest.ts';
import type { RenderInput } from './metadata.ts';
import { webservice, worker } from './workload.ts';

export { workloadHealth } from './health.ts';
export type { RenderInput } from './metadata.ts';

const renderers: Readonly<Record<string, (input: RenderInput) => KubeObject[]>> = { webservice, worker };

/** Component types that are rendered natively. */
export const componentTypes: readonly string[] = Object.keys(renderers);

const RENDER_HASH = 'oam.dev/render-hash';

/** The digest of an object as rendered, in the label `oam.dev/render-hash`. */
export function renderHash(object: KubeObject): string {
  const { [RENDER_HASH]: _, ...labels } = object.metadata.labels ?? {};
  return digest({ ...object, metadata: { ...object.metadata, labels } });
}

function withHash(object: KubeObject): KubeObject {
  const labels = { ...object.metadata.labels, [RENDER_HASH]: renderHash(object) };
  return sortKeys({ ...object, metadata: { ...object.metadata, labels } });
}

/**
 * The objects of a component, the workload first: what KubeVela makes of it (spec/kubevela.md §6), ready for a server-side
 * apply. Equal input gives the same bytes: keys are in order. Throws Failure UnknownComponentType, or NotAdmitted with the causes.
 */
export function renderComponent(input: RenderInput): KubeObject[] {
  const { name, type } = input.component;
  const render = Object.hasOwn(renderers, type) ? renderers[type] : undefined;
  if (render) return render(input).map(withHash);
  throw new Failure('UnknownComponentType', `component ${name}: type ${type} is not rendered by this version`, {
    kind: 'stalled',
    remedy: `use one of ${componentTypes.join(', ')}`,
  });
}
