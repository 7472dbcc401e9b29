import { API_VERSION } from '#api/names.ts';
import type { ObjectIdentity } from '#api/image/message.ts';
import { autoVersion } from '#api/publish-version.ts';

/** The version that the webhook's mode `auto` would give the Application among these documents; undefined where it is none of them. */
export function documentVersion(documents: readonly unknown[], identity: ObjectIdentity): string | undefined {
  if (identity.kind !== 'Application' || identity.apiVersion !== API_VERSION) return undefined;
  const application = documents.flatMap(itemsOf).find((one) => isIt(one, identity));
  return application === undefined ? undefined : autoVersion((application as { spec?: unknown }).spec);
}

function itemsOf(document: unknown): unknown[] {
  const { kind, items } = (document ?? {}) as { kind?: unknown; items?: unknown };
  return kind === 'List' && Array.isArray(items) ? (items as unknown[]) : [document];
}

function isIt(value: unknown, { kind, name, namespace }: ObjectIdentity): boolean {
  const object = (value ?? {}) as { kind?: unknown; metadata?: { name?: unknown; namespace?: unknown } };
  return object.kind === kind && object.metadata?.name === name && (object.metadata.namespace ?? '') === namespace;
}
