import type { Application } from '#api/application.ts';
import { detail } from '#api/details.ts';
import type { ObjectReference } from '#api/kubernetes.ts';
import { label } from '#api/names.ts';

/** Applications of the namespace by name. */
type Find = (name: string) => Application | undefined;

/** Whether it is an Application that applied this one, or this one itself: applied by it, but neither waited for nor pruned. */
export function isAncestor({ apiVersion, kind, name: wanted }: ObjectReference, application: Application, find: Find): boolean {
  if (kind !== 'Application' || !apiVersion.startsWith('core.oam.dev/')) return false;
  const seen = new Set<string>();
  let name: string | undefined = application.metadata.name;
  while (name !== undefined && !seen.has(name)) {
    if (name === wanted) return true;
    seen.add(name);
    name = find(name)?.metadata.labels?.[label.application];
  }
  return false;
}

/** The branch of Git that an Application comes from, where its parent has said so. */
export function branchOf({ metadata: { labels } }: Application, find: Find): string | undefined {
  const parent = find(labels?.[label.application] ?? '');
  return parent?.status?.services?.find(({ name }) => name === labels?.[label.component])?.details?.[detail.branch];
}
