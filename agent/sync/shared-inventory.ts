import type { KubeObject, ObjectReference } from '#api/kubernetes.ts';
import { ApiError } from '../cluster/client.ts';
import { type Inventory, inventoryText } from '../manifest/inventory.ts';
import { carriesSharedFormat, type SharedContent, toSharedConfigMap } from '../manifest/shared-inventory.ts';
import type { SharedInventoriesOptions } from './shared-inventories.ts';
import { isAnotherObject, placeTaken } from './taken-place.ts';

/** While requests queue, changes gather for so long: each write then serves more Applications. */
const GATHER_MS = 300;
/** Then nothing but records of what was applied has come: nobody waits for these to write an object. */
const RECORDS_MS = 1_000;

const GATHERED = new Error('gathered');

/** Changes that go together in one write: the stored text by Application, null to take it out. */
interface Batch {
  texts: Map<string, string | null>;
  written: PromiseWithResolvers<void>;
  /** Resolves when something comes that has no time. */
  pressing: PromiseWithResolvers<void>;
}

/**
 * One ConfigMap with the inventories of many Applications. What arrives while a write is on its way goes together in the
 * next. A write changes only the keys that it names, so it says nothing about other Applications.
 */
export class SharedInventory {
  readonly name: string;
  readonly #options: SharedInventoriesOptions;
  /** What the cluster has, or is about to have: its room is taken. */
  readonly #held = new Map<string, { inventory: Inventory; bytes: number }>();
  /** It also holds what this version cannot read: it is never deleted. */
  readonly #hasUnreadable: boolean;
  #bytes = 0;
  /** Of the ConfigMap when it was last read or written; undefined where it is not known to be there. */
  #resourceVersion: string | undefined;
  /** Likewise. */
  #uid: string | undefined;
  #batch: Batch | undefined;
  #sending = false;

  constructor(
    name: string,
    options: SharedInventoriesOptions,
    found?: SharedContent & { uid: string | undefined; resourceVersion: string | undefined },
  ) {
    this.name = name;
    this.#uid = found?.uid;
    this.#options = options;
    this.#resourceVersion = found?.resourceVersion;
    this.#hasUnreadable = (found?.damaged.size ?? 0) > 0;
    for (const inventory of found?.inventories.values() ?? []) this.#hold(inventory, inventoryText(inventory));
  }

  get applications(): number {
    return this.#held.size;
  }

  /** Of all inventories in it. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Resolves when the inventory stands in the cluster; `text` is its inventoryText. */
  put(inventory: Inventory, text: string, { hasTime }: { hasTime: boolean }): Promise<void> {
    this.#hold(inventory, text);
    return this.#enqueue([[inventory.application, text]], hasTime);
  }

  /** Resolves when the cluster no longer has the inventory of the Application here. */
  remove(application: string): Promise<void> {
    return this.#enqueue([[application, null]]);
  }

  /** The ConfigMap with this UID is gone. Resolves when it is written again, where it was this one and not by our hand. */
  lost(uid: string): Promise<void> {
    if (this.#uid !== uid || this.#held.size === 0) return Promise.resolve();
    this.#resourceVersion = undefined;
    return this.#enqueue();
  }

  /** Whatever changes with it. */
  #enqueue(changes: [string, string | null][] = [], hasTime = false): Promise<void> {
    this.#batch ??= { texts: new Map(), written: Promise.withResolvers(), pressing: Promise.withResolvers() };
    const { texts, written, pressing } = this.#batch;
    for (const [application, text] of changes) texts.set(application, text);
    if (!hasTime) pressing.resolve();
    if (!this.#sending) void this.#sendAll();
    return written.promise;
  }

  async #sendAll(): Promise<void> {
    const { client } = this.#options;
    this.#sending = true;
    while (this.#batch) {
      if (client.transport.queues()) await this.#gather(this.#batch);
      const { texts, written } = this.#batch;
      this.#batch = undefined;
      await this.#send(texts).then(written.resolve, written.reject);
    }
    this.#sending = false;
  }

  async #gather({ pressing }: Batch): Promise<void> {
    const { clock } = this.#options;
    const over = new AbortController();
    const late = clock.sleep(RECORDS_MS, over.signal).catch(() => undefined);
    await Promise.race([late, pressing.promise]);
    over.abort(GATHERED);
    await clock.sleep(GATHER_MS);
  }

  async #send(texts: Batch['texts']): Promise<void> {
    for (const [application, text] of texts) if (text === null) this.#release(application);
    if (this.#held.size === 0 && !this.#hasUnreadable && (await this.#delete())) return;
    const patched = this.#resourceVersion === undefined ? undefined : await this.#patch(Object.fromEntries(texts));
    const { metadata } = patched ?? (await this.#create(texts));
    this.#resourceVersion = metadata.resourceVersion;
    this.#uid = metadata.uid;
  }

  /** Undefined where a person has deleted the ConfigMap. */
  async #patch(data: Record<string, string | null>): Promise<KubeObject | undefined> {
    try {
      return await this.#options.client.mergePatch(this.#reference, { metadata: { uid: this.#uid }, data });
    } catch (error) {
      if (isAnotherObject(error) || (error instanceof ApiError && error.status === 404)) return undefined;
      throw error;
    }
  }

  /** With all that it is to hold; `texts` is what changes. */
  async #create(texts: Batch['texts']): Promise<KubeObject> {
    const { client, namespace } = this.#options;
    const data = Object.fromEntries([...this.#held].map(([application, { inventory }]) => [application, inventoryText(inventory)]));
    try {
      return await client.create(toSharedConfigMap(this.name, namespace, data));
    } catch (error) {
      if (!isAnotherObject(error)) throw error;
      const there = await client.get(this.#reference);
      if (!there) throw error;
      if (!carriesSharedFormat(there)) throw placeTaken(there);
      // The answer to the first try was lost: no other makes one. It may have what is to go.
      const { uid } = there.metadata;
      return client.mergePatch(this.#reference, { metadata: { uid }, data: { ...Object.fromEntries(texts), ...data } });
    }
  }

  /** With nothing left in it. False where somebody has written to it meanwhile. */
  async #delete(): Promise<boolean> {
    const { client } = this.#options;
    // Unknown: an answer was lost, and it may be there all the same.
    const there = this.#resourceVersion === undefined ? await client.get(this.#reference) : undefined;
    const resourceVersion = this.#resourceVersion ?? (there && carriesSharedFormat(there) ? there.metadata.resourceVersion : undefined);
    this.#resourceVersion = resourceVersion;
    this.#uid = there?.metadata.uid ?? this.#uid;
    try {
      if (resourceVersion !== undefined) await client.delete(this.#reference, { resourceVersion });
      this.#resourceVersion = undefined;
      return true;
    } catch (error) {
      if (error instanceof ApiError && error.status === 409) return false;
      throw error;
    }
  }

  #hold(inventory: Inventory, text: string): void {
    this.#release(inventory.application);
    const bytes = Buffer.byteLength(text);
    this.#held.set(inventory.application, { inventory, bytes });
    this.#bytes += bytes;
  }

  #release(application: string): void {
    this.#bytes -= this.#held.get(application)?.bytes ?? 0;
    this.#held.delete(application);
  }

  get #reference(): ObjectReference {
    return { apiVersion: 'v1', kind: 'ConfigMap', namespace: this.#options.namespace, name: this.name };
  }
}
