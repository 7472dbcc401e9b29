import type { Application } from '#api/application.ts';
import { detail } from '#api/details.ts';
import { annotation, label } from '#api/names.ts';
import type { LiveObject } from '../cluster/projection.ts';
import { ownerKey } from '../sync/owner-key.ts';

export interface RequesterContext {
  authors: ReadonlyMap<string, string>;
  application: (name: string) => Application | undefined;
}

/** Who asked for an Application as it stands: the author of the commit that it comes from, the user whom the webhook saw, or `unknown`. */
export function requestedBy(application: Application, { authors, application: find }: RequesterContext): string {
  const { labels = {}, annotations = {} } = application.metadata;
  const stamped = annotations[annotation.requestedBy] ?? 'unknown';
  const [parent, component] = [labels[label.application], labels[label.component]];
  if (parent === undefined || component === undefined || changedByVela(application)) return stamped;
  const details = find(parent)?.status?.services?.find(({ name }) => name === component)?.details;
  return authors.get(ownerKey({ application: parent, component })) ?? details?.[detail.author] ?? 'unknown';
}

/** Whether the `vela` command has changed an Application that comes from Git, and no hold stands for that yet. */
export function changedByVela(application: Application): boolean {
  const { labels, annotations } = application.metadata;
  const { ownership } = application as unknown as Partial<LiveObject>;
  return labels?.[label.application] !== undefined && annotations?.[annotation.hold] === undefined && ownership?.vela === true;
}
