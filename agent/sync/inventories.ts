import { Failure } from '#api/failure.ts';
import type { Log } from '#core/log.ts';
import type { Client } from '../cluster/client.ts';
import { fromConfigMap, INVENTORY_SELECTOR, inventoryName } from '../manifest/inventory.ts';
import { failureFields, failureOf } from './failures.ts';
import { InventoryIndex } from './inventory-index.ts';
import { InventoryStore } from './inventory-store.ts';

export interface InventoriesOptions {
  client: Client;
  namespace: string;
  log: Log;
}

/** The inventories of all Applications of the namespace, listed once at the start: the agent is their only writer. */
export class Inventories {
  readonly index = new InventoryIndex();
  readonly #options: InventoriesOptions;
  readonly #stores = new Map<string, InventoryStore>();
  /** ConfigMaps that cannot be read, by name: their Applications get the reason, all others go on. */
  readonly #damaged = new Map<string, Failure>();

  constructor(options: InventoriesOptions) {
    this.#options = options;
  }

  async start(signal: AbortSignal): Promise<void> {
    const { client, namespace, log } = this.#options;
    const kind = await client.kinds.find('v1', 'ConfigMap');
    if (!kind) throw new Failure('ClusterUnavailable', 'the API server does not list the kind ConfigMap');
    for (const object of await client.list(kind, { namespace, labelSelector: INVENTORY_SELECTOR, signal })) {
      try {
        const inventory = fromConfigMap(object);
        this.#stores.set(inventory.application, this.#store({ inventory, stored: true }));
      } catch (error) {
        const failure = failureOf(error, `read ConfigMap/${object.metadata.name ?? ''}`);
        log.warn('inventory is damaged', failureFields(failure));
        this.#damaged.set(object.metadata.name ?? '', failure);
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

  /** The inventory of an Application that is there. Throws the Failure of a damaged one. */
  of(application: string, uid: string): InventoryStore {
    const damaged = this.#damaged.get(inventoryName(application));
    if (damaged) throw damaged;
    const store = this.#stores.get(application) ?? this.#store({ inventory: { application, uid, keep: [], entries: [] }, stored: false });
    store.adopt(uid);
    this.#stores.set(application, store);
    return store;
  }

  #store(part: { inventory: InventoryStore['inventory']; stored: boolean }): InventoryStore {
    const { client, namespace } = this.#options;
    return new InventoryStore({ client, namespace, index: this.index, ...part });
  }
}
