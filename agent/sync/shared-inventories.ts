import { randomBytes } from 'node:crypto';
import type { KubeObject } from '#api/kubernetes.ts';
import type { Clock } from '#core/clock.ts';
import type { Client } from '../cluster/client.ts';
import { type SharedContent, sharedName } from '../manifest/shared-inventory.ts';
import { SharedInventory } from './shared-inventory.ts';

/** Applications of one ConfigMap: each write of one of them stores it whole, and a person may delete it. */
const MAX_APPLICATIONS = 250;
/** Of one when Applications join it; those in it may grow to twice that. A ConfigMap holds 1 MiB. */
const MAX_BYTES = 384 * 1024;
/** A larger inventory has a ConfigMap of its own. */
const MAX_INVENTORY_BYTES = 16 * 1024;

export interface SharedInventoriesOptions {
  client: Client;
  namespace: string;
  clock: Clock;
}

/** The ConfigMaps in which Applications share a place for their inventories. */
export class SharedInventories {
  readonly #options: SharedInventoriesOptions;
  readonly #all: SharedInventory[] = [];

  constructor(options: SharedInventoriesOptions) {
    this.#options = options;
  }

  /** One that is in the cluster already. */
  found({ metadata: { name = '', uid, resourceVersion } }: KubeObject, content: SharedContent): SharedInventory {
    return this.#add(new SharedInventory(name, this.#options, { ...content, uid, resourceVersion }));
  }

  /** The ConfigMap with this UID is gone. Resolves when it is written again, where it was one of these and is needed. */
  async lost(uid: string): Promise<void> {
    await Promise.all(this.#all.map((shared) => shared.lost(uid)));
  }

  /** Where there is room for an inventory of that size; undefined where it is too large to share. */
  withRoom(bytes: number): SharedInventory | undefined {
    if (bytes > MAX_INVENTORY_BYTES) return undefined;
    const roomy = this.#all.find((shared) => shared.applications < MAX_APPLICATIONS && shared.bytes + bytes <= MAX_BYTES);
    return roomy ?? this.#add(new SharedInventory(sharedName(randomBytes(4).toString('hex')), this.#options));
  }

  /** Whether an inventory that is of that size by now may stay where it is. */
  mayStay(shared: SharedInventory, bytes: number): boolean {
    return bytes <= MAX_INVENTORY_BYTES && shared.bytes + bytes <= 2 * MAX_BYTES;
  }

  #add(shared: SharedInventory): SharedInventory {
    this.#all.push(shared);
    return shared;
  }
}
