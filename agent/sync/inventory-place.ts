import { ApiError, type Client } from '../cluster/client.ts';
import { type Inventory, inventoryName, inventoryText, toConfigMap } from '../manifest/inventory.ts';
import type { SharedInventories } from './shared-inventories.ts';
import type { SharedInventory } from './shared-inventory.ts';

/** Who shares a ConfigMap: `auto` those that are first applied while requests queue, else nobody or all. */
export type Sharing = 'auto' | 'never' | 'always';

export interface PlaceContext {
  client: Client;
  namespace: string;
  shared: SharedInventories;
  sharing: Sharing;
}

/**
 * Where the inventory of one Application stands: in a ConfigMap of its own, or in one that it shares. It never goes back
 * from its own to a shared one, so where both have it, its own is the newer one.
 */
export class InventoryPlace {
  readonly #context: PlaceContext;
  readonly #application: string;
  /** There is a ConfigMap of its own, or may be one. */
  #own: boolean;
  #shared: SharedInventory | undefined;

  constructor(application: string, context: PlaceContext, found: { own?: boolean; shared?: SharedInventory | undefined } = {}) {
    this.#application = application;
    this.#context = context;
    this.#own = found.own ?? false;
    this.#shared = found.shared;
    if (this.#own) this.#leaveShared();
  }

  /** Resolves when the inventory stands in the cluster. */
  async write(inventory: Inventory, { hasTime }: { hasTime: boolean }): Promise<void> {
    if (!this.#own && (await this.#writeShared(inventory))) return;
    const { client, namespace } = this.#context;
    this.#own = true;
    await client.apply(toConfigMap(inventory, namespace), { hasTime });
    this.#leaveShared();
  }

  /** Resolves when it stands nowhere any more. An older one must not come to light: the shared one goes first. */
  async remove(signal: AbortSignal): Promise<void> {
    const { client, namespace } = this.#context;
    await this.#shared?.remove(this.#application);
    this.#shared = undefined;
    if (!this.#own) return;
    await client.delete({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name: inventoryName(this.#application) }, { signal });
    this.#own = false;
  }

  /** False where it is to have a ConfigMap of its own. */
  async #writeShared(inventory: Inventory): Promise<boolean> {
    const { shared, sharing, client } = this.#context;
    const text = inventoryText(inventory);
    const bytes = Buffer.byteLength(text);
    if (this.#shared && !shared.mayStay(this.#shared, bytes)) return false;
    const joins = sharing === 'always' || (sharing === 'auto' && client.transport.crowded());
    this.#shared ??= joins ? shared.withRoom(bytes) : undefined;
    if (!this.#shared) return false;
    try {
      await this.#shared.put(inventory, text);
      return true;
    } catch (error) {
      // What the API server refuses may be the fault of another inventory.
      if (error instanceof ApiError && REFUSED.has(error.status)) return false;
      throw error;
    }
  }

  /** Its own is there. What cannot be taken out now is seen again at the next start. */
  #leaveShared(): void {
    const left = this.#shared;
    left?.remove(this.#application).then(
      () => {
        this.#shared = undefined;
      },
      () => undefined,
    );
  }
}

const REFUSED: ReadonlySet<number> = new Set([400, 403, 413, 422]);
