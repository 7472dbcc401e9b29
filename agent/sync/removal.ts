import { Failure } from '#api/failure.ts';
import { displayName } from '#api/kubernetes.ts';
import { label } from '#api/names.ts';
import type { Client } from '../cluster/client.ts';
import type { InventoryEntry } from '../manifest/inventory.ts';
import { reverseWaves } from '../manifest/order.ts';
import { failureOf } from './failures.ts';

export interface RemovalContext {
  client: Client;
  application: string;
  signal: AbortSignal;
}

export interface Removal {
  /** Confirmed gone, or no longer ours: these leave the inventory. */
  gone: InventoryEntry[];
  failures: Failure[];
}

/**
 * Deletes what an inventory lists, in reverse order of apply. An object is deleted only when it carries our owner
 * labels and the recorded UID, with the UID as precondition (invariant I3 of spec/sync.md).
 */
export async function removeEntries(entries: InventoryEntry[], context: RemovalContext): Promise<Removal> {
  const result: Removal = { gone: [], failures: [] };
  const byId = new Map(entries.map((entry) => [entry as object, entry]));
  for (const wave of reverseWaves(entries)) {
    const outcomes = await Promise.all(wave.map((reference) => removeOne(byId.get(reference) ?? (reference as InventoryEntry), context)));
    for (const outcome of outcomes) {
      if (outcome instanceof Failure) result.failures.push(outcome);
      else result.gone.push(outcome);
    }
  }
  return result;
}

async function removeOne(entry: InventoryEntry, { client, application, signal }: RemovalContext): Promise<InventoryEntry | Failure> {
  try {
    const known = await client.kinds.find(entry.apiVersion, entry.kind);
    if (!known) return entry;
    const live = await client.get(entry, { signal });
    if (!live || !isOurs(live.metadata, entry, application)) return entry;
    await client.delete(entry, { ...(live.metadata.uid ? { uid: live.metadata.uid } : {}), signal });
    return entry;
  } catch (error) {
    const failure = failureOf(error, `remove ${displayName(entry)}`);
    return new Failure('PruneFailed', `${displayName(entry)} could not be removed: ${failure.message}`, {
      kind: failure.kind,
      cause: error,
      ...(failure.remedy ? { remedy: failure.remedy } : {}),
    });
  }
}

function isOurs(metadata: { uid?: string; labels?: Record<string, string> }, entry: InventoryEntry, application: string): boolean {
  if (entry.uid !== undefined && entry.uid !== metadata.uid) return false;
  const labels = metadata.labels ?? {};
  return labels[label.application] === application && labels[label.component] === entry.component;
}
