import type { Failure } from '#api/failure.ts';
import type { KubeObject } from '#api/kubernetes.ts';
import { FORMAT, type Inventory, parseInventory, PREFIX, unreadable } from './inventory.ts';

/**
 * A ConfigMap that holds the inventories of many Applications, each under the name of its Application, so that one write
 * serves many while hundreds of Applications are applied at once.
 */

const VERSION = 'shared-1';
const START = 'shared-';

/** No Application has a name that begins with a hyphen, so no inventory of one alone is called like this. */
const NAME_START = `${PREFIX}-inventories-`;

/** `suffix`: what tells it from the others of the namespace. */
export function sharedName(suffix: string): string {
  return `${NAME_START}${suffix}`;
}

/** Whether an object that carries the format of an inventory is one that Applications share. */
export function isShared(object: KubeObject): boolean {
  return (object.metadata.name ?? '').startsWith(NAME_START) || carriesSharedFormat(object);
}

/** Whether an object under the name of a shared inventory is one. */
export function carriesSharedFormat({ metadata: { labels = {} } }: KubeObject): boolean {
  return labels[FORMAT]?.startsWith(START) ?? false;
}

/** `texts`: inventoryText by the name of the Application. */
export function toSharedConfigMap(name: string, namespace: string, texts: Record<string, string>): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace, labels: { [FORMAT]: VERSION } }, data: texts };
}

export interface SharedContent {
  /** By the name of the Application. */
  inventories: Map<string, Inventory>;
  /** What this version cannot read, by the name of the Application. */
  damaged: Map<string, Failure>;
}

export function fromSharedConfigMap(object: KubeObject): SharedContent {
  const content: SharedContent = { inventories: new Map(), damaged: new Map() };
  for (const [application, text] of Object.entries((object['data'] ?? {}) as Record<string, string>)) {
    try {
      content.inventories.set(application, inventoryIn(object, application, text));
    } catch (error) {
      content.damaged.set(application, error as Failure);
    }
  }
  return content;
}

function inventoryIn({ metadata: { name = '', labels = {} } }: KubeObject, application: string, text: string): Inventory {
  const place = `${application} in ConfigMap/${name}`;
  const format = labels[FORMAT];
  if (format !== VERSION) throw unreadable(place, `the format is ${format ?? 'not named'}, this version reads ${VERSION}`);
  const inventory = parseInventory(() => text, place);
  if (inventory.application !== application) throw unreadable(place, `it is that of the Application ${inventory.application}`);
  return inventory;
}
