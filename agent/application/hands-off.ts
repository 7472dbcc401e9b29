import type { Application } from '#api/application.ts';
import type { Claim } from '#api/claim.ts';
import { isClaimed, isFromParent } from '#api/handback.ts';
import { displayName, referenceOf } from '#api/kubernetes.ts';
import { annotation } from '#api/names.ts';
import { reasonCode } from '#api/reasons.ts';
import type { Log } from '#core/log.ts';
import { type Clock, rfc3339 } from '#core/clock.ts';
import type { Client } from '../cluster/client.ts';
import type { EventRecorder } from '../cluster/events.ts';
import { type Holding, letGo, takeClaimOff } from '../cluster/handback.ts';
import type { Claims } from '../sync/claims.ts';
import type { Inventories } from '../sync/inventories.ts';
import type { InventoryStore } from '../sync/inventory-store.ts';
import { regarding } from './regarding.ts';

export interface HandsOffContext {
  claims: Claims;
  client: Client;
  clock: Clock;
  events: EventRecorder;
  inventories: Inventories;
  log: Log;
}

/**
 * An Application that is not for this agent, once its components have stopped. Its status is never written: where it is
 * vela-core's, the two would write over each other for ever, so an Event says it.
 */
export async function handsOff(
  application: Application,
  judged: Extract<Claim, { why: string }>,
  context: HandsOffContext,
  signal: AbortSignal,
): Promise<undefined> {
  const { claims, events, log } = context;
  log.debug('hands off', { why: judged.why });
  claims.release(application.metadata.name);
  if (judged.verdict === 'hand-back') return handBack(application, context, signal);
  if (!judged.told) return undefined;
  log.info('left to vela-core', { reason: reasonCode(judged.told.reason), why: judged.why });
  events.record({ regarding: regarding(application), type: 'Normal', ...judged.told });
  return undefined;
}

/**
 * Lets go of an Application that a person gives back. `lateen handback` takes the claim off, so that a vela-core which acts as
 * whoever wrote last acts as that person; where the mark comes from Git, it is for the agent to do.
 */
async function handBack(application: Application, context: HandsOffContext, signal: AbortSignal): Promise<undefined> {
  const { client, clock, inventories, log, events } = context;
  const { name, uid = '' } = application.metadata;
  const store = inventories.of(name, uid);
  const holding = store.stored ? holdingOf(store, signal) : undefined;
  const now = rfc3339(clock.now());
  const { objects, left } = await letGo(application, holding, { client, now, signal });
  if (isClaimed(application)) {
    const onlyIf = (one: Application): boolean => isClaimed(one) && isFromParent(one, annotation.handedBack);
    await takeClaimOff(referenceOf({ ...application }), { client, signal, onlyIf });
  }
  for (const { object, why } of left) log.warn('not let go of', { object: displayName(object), why });
  if (!holding) return undefined;
  const count = `${objects.length} ${objects.length === 1 ? 'object' : 'objects'}`;
  const message = `Lateen has let go of ${count}; nothing was removed or changed`;
  log.info('handed back', { application: name, objects: objects.map(displayName).join(', ') });
  events.record({ regarding: regarding(application), type: 'Normal', reason: 'HandedBack', message });
  return undefined;
}

function holdingOf(store: InventoryStore, signal: AbortSignal): Holding {
  return {
    objects: store.inventory.entries,
    async keep() {
      await store.settle();
      await store.lettingGo(store.inventory.entries);
      for (const component of new Set(store.inventory.entries.map((entry) => entry.component))) {
        await store.setComponent(component, store.entries(component), { keep: true, hasTime: false });
      }
    },
    forget: () => store.remove(signal),
  };
}
