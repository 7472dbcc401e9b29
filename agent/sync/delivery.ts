import { createHash } from 'node:crypto';
import type { Cause } from '#api/failure.ts';
import { Failure } from '#api/failure.ts';
import { displayName, type KubeObject, type ObjectReference, objectId, referenceOf } from '#api/kubernetes.ts';
import { label } from '#api/names.ts';
import type { Client } from '../cluster/client.ts';
import { assessHealth, type Health } from '../cluster/health.ts';
import type { LiveObjects } from '../cluster/live-objects.ts';
import { type BuiltObject, checkObjects } from '../manifest/check.ts';
import type { InventoryEntry } from '../manifest/inventory.ts';
import { waves } from '../manifest/order.ts';
import { failureOf } from './failures.ts';
import type { InventoryStore } from './inventory-store.ts';
import { removeEntries } from './removal.ts';

export interface DeliveryContext {
  client: Client;
  live: LiveObjects;
  namespace: string;
}

export interface DeliveryOwner {
  application: string;
  component: string;
  /** False: objects that leave Git, or whose Application goes, stay in the cluster. */
  prune: boolean;
  /** Objects that are applied but neither waited for nor pruned: the Application itself and its ancestors. */
  exempt: (reference: ObjectReference) => boolean;
}

export interface PruneResult {
  removed: ObjectReference[];
  kept: ObjectReference[];
}

interface AppliedObject {
  hash: string;
  uid: string;
  /** What the API server answered, until the watch has caught up with it. */
  answer?: KubeObject;
}

/**
 * What one component has in the cluster: checks, applies, judges and prunes its objects (steps 7 to 11 of
 * spec/sync.md §6A). Steps that have nothing to do send nothing.
 */
export class Delivery {
  readonly #context: DeliveryContext;
  readonly #store: InventoryStore;
  readonly #applied = new Map<string, AppliedObject>();
  #desired: ObjectReference[] = [];

  constructor(context: DeliveryContext, store: InventoryStore) {
    this.#context = context;
    this.#store = store;
  }

  get desired(): readonly ObjectReference[] {
    return this.#desired;
  }

  /** Checks everything, records what is intended, applies in waves. Throws a Failure with all causes together. */
  async apply(built: BuiltObject[], owner: DeliveryOwner, signal: AbortSignal): Promise<{ changed: number }> {
    const checked = await checkObjects(built, {
      namespace: this.#context.namespace,
      scope: (apiVersion, kind) => this.#context.client.kinds.find(apiVersion, kind),
    });
    if (checked.causes.length > 0) throw invalid(checked.causes);
    const objects = checked.objects.map((one) => ({ ...one, object: withOwner(one.object, owner) }));
    await this.#intend(objects, owner);
    await this.#context.live.need(
      userOf(owner),
      objects.map(({ object }) => object),
    );
    let changed = 0;
    for (const wave of waves(objects)) changed += await this.#applyWave(wave, signal);
    this.#desired = objects.map(({ object }) => referenceOf(object));
    await this.#recordUids(owner);
    return { changed };
  }

  /** The worst health of the desired objects, and a sentence about the first that is not well. */
  health(owner: DeliveryOwner): Health {
    const order: Health['state'][] = ['Failed', 'NotFound', 'Terminating', 'InProgress'];
    const all = this.#desired.filter((reference) => !owner.exempt(reference)).map((reference) => assessHealth(this.live(reference)));
    for (const state of order) {
      const found = all.find((health) => health.state === state);
      if (found) return found;
    }
    return { state: 'Current', message: '' };
  }

  /** The live object, never older than the answer to our own apply. */
  live(reference: ObjectReference): KubeObject | undefined {
    const watched = this.#context.live.get(reference);
    const applied = this.#applied.get(objectId(reference));
    if (!applied?.answer) return watched;
    if (watched && version(watched) >= version(applied.answer)) {
      delete applied.answer;
      return watched;
    }
    return applied.answer;
  }

  /** True where an object that was applied is gone from the cluster. */
  get incomplete(): boolean {
    return this.#desired.some((reference) => !this.live(reference));
  }

  /** The entries of the inventory that are no longer desired. */
  stale(owner: DeliveryOwner): InventoryEntry[] {
    const desired = new Set(this.#desired.map(objectId));
    return this.#store.entries(owner.component).filter((entry) => !desired.has(objectId(entry)));
  }

  /** Removes what left Git. Called after a complete success only. */
  async prune(owner: DeliveryOwner, signal: AbortSignal): Promise<PruneResult> {
    const stale = this.stale(owner);
    if (stale.length === 0) return { removed: [], kept: [] };
    const spared = stale.filter((entry) => !owner.prune || owner.exempt(entry));
    const { gone, failures } = await removeEntries(
      stale.filter((entry) => !spared.includes(entry)),
      { client: this.#context.client, application: owner.application, signal },
    );
    await this.#store.forget(new Set([...gone, ...spared]));
    for (const entry of gone) this.#applied.delete(objectId(entry));
    if (failures[0]) throw failures[0];
    return { removed: gone, kept: spared };
  }

  async release(owner: DeliveryOwner): Promise<void> {
    await this.#context.live.need(userOf(owner), []);
  }

  async #intend(objects: BuiltObject[], owner: DeliveryOwner): Promise<void> {
    const before = this.#store.entries(owner.component);
    const known = new Map(before.map((entry) => [objectId(entry), entry]));
    for (const { object } of objects) {
      const reference = referenceOf(object);
      const id = objectId(reference);
      known.set(id, { ...known.get(id), ...reference, component: owner.component });
    }
    await this.#store.setComponent(owner.component, [...known.values()], !owner.prune);
  }

  async #applyWave(wave: BuiltObject[], signal: AbortSignal): Promise<number> {
    const results = await Promise.all(wave.map((built) => this.#applyOne(built, signal)));
    const failures = results.filter((result) => result instanceof Failure);
    if (failures.length > 0) throw combined(failures);
    return results.filter((result) => result === true).length;
  }

  /** True: the object changed. False: nothing to do. A Failure: refused, as a value, so that the rest of the wave goes on. */
  async #applyOne({ object, origin }: BuiltObject, signal: AbortSignal): Promise<boolean | Failure> {
    const reference = referenceOf(object);
    const id = objectId(reference);
    const hash = createHash('sha256').update(JSON.stringify(object)).digest('hex');
    const applied = this.#applied.get(id);
    const before = this.live(reference)?.metadata;
    if (applied?.hash === hash && before?.uid === applied.uid) return false;
    try {
      const answer = await this.#context.client.apply(object, { signal });
      this.#applied.set(id, { hash, uid: answer.metadata.uid ?? '', answer });
      return answer.metadata.resourceVersion !== before?.resourceVersion;
    } catch (error) {
      const failure = failureOf(error, `apply ${displayName(reference)}`);
      const { file, line } = origin;
      const cause: Cause = {
        path: displayName(reference),
        code: failure.reason,
        message: failure.message,
        file,
        ...(line ? { line } : {}),
      };
      const { kind, remedy, retryAfterMs } = failure;
      return new Failure(failure.reason, failure.message, {
        kind,
        causes: [remedy ? { ...cause, remedy } : cause],
        cause: error,
        ...(remedy ? { remedy } : {}),
        ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      });
    }
  }

  async #recordUids(owner: DeliveryOwner): Promise<void> {
    const entries = this.#store.entries(owner.component).map((entry) => {
      const uid = this.#applied.get(objectId(entry))?.uid;
      return uid ? { ...entry, uid } : entry;
    });
    await this.#store.setComponent(owner.component, entries, !owner.prune);
  }
}

function userOf({ application, component }: DeliveryOwner): string {
  return `${application}/${component}`;
}

function withOwner(object: KubeObject, owner: DeliveryOwner): KubeObject {
  const labels = { ...object.metadata.labels, [label.application]: owner.application, [label.component]: owner.component };
  return { ...object, metadata: { ...object.metadata, labels } };
}

function version(object: KubeObject): bigint {
  const text = object.metadata.resourceVersion ?? '0';
  return /^\d+$/.test(text) ? BigInt(text) : 0n;
}

/** `a.yaml:3: Deployment/web: …` for every cause, the first ten in words. */
export function describeCauses(causes: readonly Cause[]): string {
  const shown = causes.slice(0, 10).map(({ file, line, message, remedy }) => {
    const place = file ? `${file}${line ? `:${line}` : ''}: ` : '';
    return `${place}${message}${remedy ? `; ${remedy}` : ''}`;
  });
  const more = causes.length - shown.length;
  return shown.join('. ') + (more > 0 ? `. And ${more} more` : '');
}

function invalid(causes: readonly Cause[]): Failure {
  const reason = causes[0]?.code ?? 'InvalidObject';
  return new Failure(reason, describeCauses(causes), { kind: 'stalled', causes });
}

function combined(failures: Failure[]): Failure {
  const first = failures[0];
  if (!first || failures.length === 1) return first ?? new Failure('Internal', 'no failure to report');
  const causes = failures.flatMap((failure) => failure.causes);
  const kind = failures.every((failure) => failure.kind === 'stalled') ? 'stalled' : 'transient';
  return new Failure(first.reason, describeCauses(causes), { kind, causes });
}
