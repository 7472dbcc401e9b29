import type { Application, Component } from '#api/application.ts';
import type { ObjectMeta } from '#api/kubernetes.ts';
import { annotation, label } from '#api/names.ts';

/** The common contract of spec/kubevela.md §6.1: what every object that a component makes carries. */

export interface RenderInput {
  application: Application;
  /** The revision that is delivered: `APP-vN`, and the digest of its spec. */
  revision: { name: string; hash: string };
  component: Component;
}

/** What an object is to its component: the workload itself, or another object, by its key in KubeVela's definition. */
type Part = 'workload' | { auxiliary: string };

/** Annotations that are about the Application, or about how another tool wrote it, and never about what it makes. */
const KEPT_BACK: ReadonlySet<string> = new Set([
  'app.oam.dev/inplace-upgrade',
  annotation.filterLabelKeys,
  annotation.filterAnnotationKeys,
  annotation.kubectlLastApplied,
  annotation.controllerVersionRequire,
  'app.oam.dev/last-applied-configuration',
  'app.oam.dev/last-applied-time',
  'oam.dev/kubevela-version',
]);

function namesIn(list: string | undefined): string[] {
  return (list ?? '').split(',').map((name) => name.trim());
}

type Texts = Record<string, string>;

/** Without what the Application filters, and without our own names, which are never copied (design §6). */
function passedOn(map: Texts | undefined, filter: string | undefined): Texts {
  const filtered = new Set(namesIn(filter));
  return Object.fromEntries(Object.entries(map ?? {}).filter(([key]) => !filtered.has(key) && !key.startsWith('lateen.dev/')));
}

function partLabels(part: Part, component: Component): Texts {
  if (part === 'workload') return { [label.resourceType]: 'WORKLOAD', [label.workloadType]: component.type };
  return { [label.resourceType]: 'TRAIT', [label.traitType]: 'AuxiliaryWorkload', [label.traitResource]: part.auxiliary };
}

/** Name, namespace, labels and annotations of an object of the component; only its digest is missing. */
export function objectMetadata(input: RenderInput, part: Part): ObjectMeta {
  const { application, revision, component } = input;
  const { name, namespace, labels, annotations = {} } = application.metadata;
  const ownLabels = {
    [label.appName]: name,
    [label.appNamespace]: namespace,
    [label.appComponent]: component.name,
    [label.appRevision]: revision.name,
    [label.appRevisionHash]: revision.hash,
    // Both are empty in KubeVela's default: no other cluster, and no revisions of single components.
    [label.cluster]: '',
    [label.revision]: '',
    ...partLabels(part, component),
  };
  const passedAnnotations = Object.entries(passedOn(annotations, annotations[annotation.filterAnnotationKeys]));
  const kept = Object.fromEntries(passedAnnotations.filter(([key]) => !KEPT_BACK.has(key)));
  return {
    name: component.name,
    namespace,
    labels: { ...passedOn(labels, annotations[annotation.filterLabelKeys]), ...ownLabels },
    ...(Object.keys(kept).length > 0 ? { annotations: kept } : {}),
  };
}
