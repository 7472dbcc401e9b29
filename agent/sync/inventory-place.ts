import type { KubeObject, ObjectReference } from '#api/kubernetes.ts';
import { ApiError, type Client } from '../cluster/client.ts';
import { type Inventory, inventoryName, inventoryText, isInventoryOf, toConfigMap } from '../manifest/inventory.ts';
import type { SharedInventories } from './shared-inventories.ts';
import type { SharedInventory } from './shared-inventory.ts';
import { isAnotherObject, isPlaceTaken, ONLY_NEW, placeTaken } from './taken-place.ts';

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
 * from its own to a shared one, so where both have it, its own is the newer one. What somebody else has put there is left.
 */
export class InventoryPlace {
  readonly #context: PlaceContext;
  readonly #application: string;
  /** There is a ConfigMap of its own, or may be one. */
  #own: boolean;
  /** Of its own ConfigMap; undefined where none is known to be there. */
  #uid: string | undefined;
  #shared: SharedInventory | undefined;

  /** `own`: UID of a ConfigMap of its own. */
  constructor(application: string, context: PlaceContext, found: { own?: string | undefined; shared?: SharedInventory | undefined } = {}) {
    this.#application = application;
    this.#context = context;
    this.#own = found.own !== undefined;
    this.#uid = found.own;
    this.#shared = found.shared;
    if (this.#own) this.#leaveShared();
  }

  /** Resolves when the inventory stands in the cluster. */
  async write(inventory: Inventory, { hasTime }: { hasTime: boolean }): Promise<void> {
    if (!this.#own && (await this.#writeShared(inventory, { hasTime }))) return;
    await this.#writeOwn(toConfigMap(inventory, this.#context.namespace), { hasTime });
    this.#leaveShared();
  }

  /** Resolves when it stands nowhere any more. An older one must not come to light: the shared one goes first. */
  async remove(signal: AbortSignal): Promise<void> {
    await this.#shared?.remove(this.#application);
    this.#shared = undefined;
    if (!this.#own) return;
    const uid = this.#uid ?? (await this.#uidOfUnanswered(signal));
    // From here on its going is no loss.
    this.#uid = undefined;
    try {
      if (uid) await this.#context.client.delete(this.#reference, { uid, signal });
    } catch (error) {
      this.#uid = uid;
      throw error;
    }
    this.#own = false;
  }

  /** Its own ConfigMap with this UID is gone, and not by our hand. False where it had none like that. */
  lost(uid: string): boolean {
    if (this.#uid !== uid) return false;
    this.#uid = undefined;
    return true;
  }

  /** Only into the ConfigMap that is known to be ours, or a new one. */
  async #writeOwn(object: KubeObject, calls: { hasTime: boolean }): Promise<void> {
    try {
      this.#own = true;
      await this.#apply(object, this.#uid, calls);
    } catch (error) {
      if (!isAnotherObject(error)) throw error;
      // A person has deleted it; or the answer was lost that would have told us of it.
      const there = await this.#context.client.get(this.#reference);
      if (there && !isInventoryOf(this.#application, there)) {
        this.#own = false;
        this.#uid = undefined;
        throw placeTaken(there);
      }
      await this.#apply(object, there?.metadata.uid, calls);
    }
  }

  async #apply(object: KubeObject, uid: string | undefined, calls: { hasTime: boolean }): Promise<void> {
    const metadata = { ...object.metadata, ...(uid ? { uid } : ONLY_NEW) };
    const answer = await this.#context.client.apply({ ...object, metadata }, calls);
    this.#uid = answer.metadata.uid;
  }

  async #uidOfUnanswered(signal: AbortSignal): Promise<string | undefined> {
    const there = await this.#context.client.get(this.#reference, { signal });
    return there && isInventoryOf(this.#application, there) ? there.metadata.uid : undefined;
  }

  get #reference(): ObjectReference {
    return { apiVersion: 'v1', kind: 'ConfigMap', namespace: this.#context.namespace, name: inventoryName(this.#application) };
  }

  /** False where it is to have a ConfigMap of its own. */
  async #writeShared(inventory: Inventory, calls: { hasTime: boolean }): Promise<boolean> {
    const { shared, sharing, client } = this.#context;
    const text = inventoryText(inventory);
    const bytes = Buffer.byteLength(text);
    if (this.#shared && !shared.mayStay(this.#shared, bytes)) return false;
    const joins = sharing === 'always' || (sharing === 'auto' && client.transport.crowded());
    this.#shared ??= joins ? shared.withRoom(bytes) : undefined;
    if (!this.#shared) return false;
    try {
      await this.#shared.put(inventory, text, calls);
      return true;
    } catch (error) {
      // What the API server refuses may be the fault of another inventory.
      if (isPlaceTaken(error) || (error instanceof ApiError && REFUSED.has(error.status))) return false;
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
