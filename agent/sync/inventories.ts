import { type Cause, Failure } from '#api/failure.ts';
import type { KubeObject } from '#api/kubernetes.ts';
import { backoffMs } from '#core/backoff.ts';
import type { Clock } from '#core/clock.ts';
import type { Log } from '#core/log.ts';
import type { Client } from '../cluster/client.ts';
import type { WatchEvent } from '../cluster/watch.ts';
import { fromConfigMap, type Inventory, INVENTORY_SELECTOR, inventoryName } from '../manifest/inventory.ts';
import { fromSharedConfigMap, isShared } from '../manifest/shared-inventory.ts';
import { failureFields, failureOf } from './failures.ts';
import { InventoryIndex } from './inventory-index.ts';
import { InventoryPlace, type PlaceContext, type Sharing } from './inventory-place.ts';
import { InventoryStore } from './inventory-store.ts';
import { SharedInventories } from './shared-inventories.ts';
import type { SharedInventory } from './shared-inventory.ts';

/** A deleted one is tried to be written again for ten minutes; after that, whatever changes writes it. */
const REWRITES = 8;
const REWRITE = { firstMs: 2_000, maxMs: 300_000 };

export interface InventoriesOptions {
  client: Client;
  namespace: string;
  clock: Clock;
  log: Log;
  sharing: Sharing;
}

/** An inventory as it was found at the start. */
interface Found {
  inventory: Inventory;
  /** UID of a ConfigMap of its own. */
  own?: string | undefined;
  shared?: SharedInventory;
}

/** The inventories of all Applications of the namespace, listed once at the start: the agent is their only writer. */
export class Inventories {
  readonly index = new InventoryIndex();
  readonly #options: InventoriesOptions;
  readonly #places: PlaceContext;
  readonly #stores = new Map<string, InventoryStore>();
  /** Aborts when this agent stops. */
  #over: AbortSignal | undefined;
  /** Inventories that cannot be read, by inventoryName: their Applications get the reason, all others go on. */
  readonly #damaged = new Map<string, Failure>();
  /** ConfigMaps that were deleted while the inventories were being read; undefined once they are. */
  #early: KubeObject[] | undefined = [];

  constructor(options: InventoriesOptions) {
    const { client, namespace, sharing } = options;
    this.#options = options;
    this.#places = { client, namespace, sharing, shared: new SharedInventories(options) };
  }

  /** Reads them, once: from then on this agent alone writes them. To be told of the end of each ConfigMap from before on. */
  async start(signal: AbortSignal): Promise<void> {
    if (!this.#early) return;
    this.#over = signal;
    const { client, namespace } = this.#options;
    const kind = await client.kinds.find('v1', 'ConfigMap');
    if (!kind) throw new Failure('ClusterUnavailable', 'the API server does not list the kind ConfigMap');
    const objects = await client.list(kind, { namespace, labelSelector: INVENTORY_SELECTOR, signal });
    const found = new Map<string, Found>();
    for (const object of objects.filter(isShared)) this.#takeShared(object, found);
    for (const object of objects.filter((one) => !isShared(one))) this.#takeOwn(object, found);
    for (const [application, { inventory, ...at }] of found) {
      const place = new InventoryPlace(application, this.#places, at);
      this.#stores.set(application, new InventoryStore({ index: this.index, place, inventory, stored: true }));
    }
    const early = this.#early;
    this.#early = undefined;
    for (const object of early) this.#lost(object);
  }

  #takeShared(object: KubeObject, found: Map<string, Found>): void {
    const content = fromSharedConfigMap(object);
    const shared = this.#places.shared.found(object, content);
    for (const [application, inventory] of content.inventories) found.set(application, { inventory, shared });
    for (const [application, failure] of content.damaged) this.#refuse(inventoryName(application), failure);
  }

  /** One of its own is newer than a shared one (inventory-place.ts). */
  #takeOwn(object: KubeObject, found: Map<string, Found>): void {
    const { name = '', uid } = object.metadata;
    try {
      const inventory = fromConfigMap(object);
      // A copy that a person has made: another place than the one that is written decides nothing.
      if (inventoryName(inventory.application) !== name)
        return this.#options.log.warn('not an inventory', { name, of: inventory.application });
      this.#damaged.delete(inventoryName(inventory.application));
      found.set(inventory.application, { ...found.get(inventory.application), inventory, own: uid });
    } catch (error) {
      // The older one that it may have left in a shared place decides nothing.
      for (const application of found.keys()) if (inventoryName(application) === name) found.delete(application);
      this.#refuse(name, failureOf(error, `read ConfigMap/${name}`));
    }
  }

  #refuse(name: string, failure: Failure): void {
    this.#options.log.warn('inventory is damaged', failureFields(failure));
    this.#damaged.set(name, failure);
  }

  /** An inventory that somebody has deleted is written again: nothing else says what is ours. */
  onEvent({ type, object }: WatchEvent): void {
    if (type !== 'deleted' || object.kind !== 'ConfigMap') return;
    if (this.#early) this.#early.push(object);
    else this.#lost(object);
  }

  #lost({ metadata: { name = '', uid = '' } }: KubeObject): void {
    const stores = [...this.#stores].flatMap(([application, store]) => (inventoryName(application) === name ? [store] : []));
    for (const one of [...stores, this.#places.shared]) void this.#writeAgain(name, () => one.lost(uid));
  }

  async #writeAgain(name: string, write: () => Promise<void>): Promise<void> {
    const { log, clock } = this.#options;
    for (let tries = 0; tries < REWRITES && !this.#over?.aborted; tries++) {
      try {
        return await write();
      } catch (error) {
        log.warn('inventory is missing', failureFields(failureOf(error, `write ConfigMap/${name} again`)));
        await clock.sleep(backoffMs(tries, 1, REWRITE), this.#over).catch(() => undefined);
      }
    }
  }

  /** Names of the Applications that have an inventory in the cluster. */
  applications(): string[] {
    return [...this.#stores].filter(([, store]) => store.stored).map(([name]) => name);
  }

  /** Undefined where the Application has none. */
  find(application: string): InventoryStore | undefined {
    return this.#stores.get(application);
  }

  /** Why the inventory of an Application could not be read; undefined where it could, or there is none. */
  damage(application: string): [Cause] | undefined {
    const failure = this.#damaged.get(inventoryName(application));
    if (!failure) return undefined;
    const { reason, message, remedy } = failure;
    return [{ path: 'inventory', code: reason, message, ...(remedy ? { remedy } : {}) }];
  }

  /** The inventory of an Application that is there. Throws the Failure of a damaged one. */
  of(application: string, uid: string): InventoryStore {
    const damaged = this.#damaged.get(inventoryName(application));
    if (damaged) throw damaged;
    const store = this.#stores.get(application) ?? this.#fresh(application, uid);
    store.adopt(uid);
    this.#stores.set(application, store);
    return store;
  }

  /** Its Application is gone: nothing is kept of an inventory that stands nowhere. */
  forget(application: string): void {
    if (!this.#stores.get(application)?.stored) this.#stores.delete(application);
  }

  #fresh(application: string, uid: string): InventoryStore {
    const place = new InventoryPlace(application, this.#places);
    const inventory = { application, uid, keep: [], entries: [] };
    return new InventoryStore({ index: this.index, place, inventory, stored: false });
  }
}
