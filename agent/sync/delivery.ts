import type { Cause } from '#api/failure.ts';
import { type ObjectReference, objectId } from '#api/kubernetes.ts';
import { rfc3339 } from '#core/clock.ts';
import type { Lanes } from '#core/lanes.ts';
import type { Client } from '../cluster/client.ts';
import type { Health } from '../cluster/health.ts';
import { kindKey, type LiveObjects } from '../cluster/live-objects.ts';
import type { LiveObject } from '../cluster/projection.ts';
import type { AgentMetrics } from '../metrics.ts';
import type { BuiltObject } from '../manifest/check.ts';
import { wavesBy } from '../manifest/order.ts';
import { Applier, type Drift, type DriftMode, type Outcome, type Task } from './applier.ts';
import type { Autoscalers } from './autoscalers.ts';
import { refusalOf } from './atomic.ts';
import { refusesApplication, unwatched } from './causes.ts';
import type { BuildPoint, Claims } from './claims.ts';
import { type Delivered, deliveredOf } from './delivered.ts';
import type { Desired } from './desired.ts';
import { DriftFights } from './drift-fights.ts';
import type { Inventories } from './inventories.ts';
import { isEnding } from './endings.ts';
import { expires, mayExpire } from './expiring.ts';
import { intention } from './intention.ts';
import { KnownObjects } from './known-objects.ts';
import type { Holding } from './inventory-index.ts';
import type { InventoryStore } from './inventory-store.ts';
import { isInVelasHands, type NestedContext } from './nested-applications.ts';
import { isApplication } from './beside-vela-core.ts';
import { ownerKey } from './owner-key.ts';
import { Pace } from './pace.ts';
import { titleTo } from './ownership.ts';
import { mayBeKnownNow, type Prepared, prepare } from './prepared.ts';
import { Refusals } from './refusals.ts';
import { worstHealth } from './worst-health.ts';
import { type Pruned, type PruneRequest, pruneStale } from './pruner.ts';
import { staleOf } from './stale.ts';
import { verdictOn } from './verdict.ts';

export interface DeliveryContext extends NestedContext {
  client: Client;
  live: LiveObjects;
  namespace: string;
  inventories: Inventories;
  claims: Claims;
  autoscalers: Autoscalers;
  metrics: AgentMetrics;
  /** Components that write side by side. */
  writing: Lanes;
}

export interface DeliveryOwner {
  application: string;
  component: string;
  /** False: objects that leave Git, or whose Application goes, stay in the cluster. */
  prune: boolean;
  /** Objects that are applied but neither waited for nor pruned: the Application itself and its ancestors. */
  exempt: (reference: ObjectReference) => boolean;
}

export interface DeliveryRequest {
  /** The same array as long as nothing was built anew. */
  objects: readonly BuiltObject[];
  at?: BuildPoint;
  atomic: boolean;
  drift: DriftMode;
  /** Whether an object that nobody owns may be taken. */
  adopt: (live: LiveObject) => boolean;
}

export type { Delivered } from './delivered.ts';
export type { Pruned, PruneRequest } from './pruner.ts';

interface Work {
  task: Task;
  from: Holding | undefined;
}

interface Run {
  owner: DeliveryOwner;
  signal: AbortSignal;
  /** How often it is looked again where objects are not those that were known. */
  looks: number;
}

/** Whoever deletes and makes an object anew faster than this is waited for. */
const LOOKS = 3;

/**
 * What one component has in the cluster: checks, intends, applies, judges and prunes its objects (steps 7 to 11 of
 * spec/sync.md §6A). What has nothing to do sends nothing.
 */
export class Delivery {
  readonly #context: DeliveryContext;
  readonly #store: InventoryStore;
  readonly #fights = new DriftFights();
  readonly #pace = new Pace();
  readonly #applier: Applier;
  readonly #known: KnownObjects;
  #prepared: Prepared | undefined;
  /** Kinds whose watch the API server refused, by kindKey. */
  #refused = new Map<string, unknown>();
  #watched = '';
  #desired: Desired[] = [];
  readonly #refusals = new Refusals();

  constructor(context: DeliveryContext, store: InventoryStore, hooks: { onDrift: (drift: Drift) => void; now: () => number }) {
    this.#context = context;
    this.#store = store;
    this.#known = new KnownObjects(context.live);
    this.#applier = new Applier({ ...context, ...hooks, fights: this.#fights });
  }

  /** What the API server has refused is tried again at the next apply. */
  forgetRefusals(): void {
    this.#refusals.clear();
  }

  /** A person has asked for a try: what was given up as a fight is tried too. */
  forgetFights(): void {
    this.#fights.clear();
  }

  get desired(): readonly ObjectReference[] {
    return this.#desired.map(({ reference }) => reference);
  }

  /** Brings the cluster to what Git has. Objects that fail are left out and reported together; the others are applied. */
  async apply(request: DeliveryRequest, owner: DeliveryOwner, signal: AbortSignal): Promise<Delivered> {
    const prepared = await this.#prepare(request.objects, owner);
    this.#context.claims.render(owner, prepared.ids, request.at);
    await this.#watch(prepared.desired, owner);
    this.#desired = prepared.desired;
    const { open } = this.#judge(prepared, request, owner);
    const write = (): Promise<Delivered> => this.#write(prepared, request, { owner, signal, looks: LOOKS });
    // What somebody has changed is put back at once, however many others are being applied. What is not open writes nothing.
    const queues = open.some(({ task }) => task.verdict.do === 'apply');
    const delivered = await (queues ? this.#context.writing.run(signal, write) : write());
    this.#context.claims.applied(owner, !refusesApplication(delivered.failure));
    await this.#store.keep(owner.component, !owner.prune);
    return delivered;
  }

  /** Judged once more: things may have changed while others had their turn, or have changed under our hands. */
  async #write(prepared: Prepared, request: DeliveryRequest, run: Run): Promise<Delivered> {
    const { owner, signal, looks } = run;
    const { open, causes } = this.#judge(prepared, request, owner);
    if (open.length === 0) return deliveredOf(new Map(), causes);
    const refusal = request.atomic ? await refusalOf(open, causes, { applier: this.#applier, pace: this.#pace, signal }) : undefined;
    if (refusal) return { changed: 0, drifted: [], failure: refusal };
    await this.#intend(open, prepared, owner);
    const outcomes = await this.#context.metrics.timed('apply', () => this.#applyAll(open, signal));
    await this.#record(outcomes, prepared, owner);
    await this.#handOver(outcomes);
    const delivered = deliveredOf(outcomes, causes);
    const replaced = [...outcomes.values()].some((outcome) => outcome.done === 'failed' && outcome.replaced);
    if (!replaced || looks === 1) return delivered;
    const again = await this.#write(prepared, request, { ...run, looks: looks - 1 });
    return { ...again, changed: delivered.changed + again.changed };
  }

  /** The worst health of the desired objects, and a sentence about the first that is not well. */
  health(owner: DeliveryOwner): Health {
    const judged = this.desired.filter((reference) => !owner.exempt(reference));
    return worstHealth(judged, (reference) => this.live(reference));
  }

  /** The live object, never older than the answer to our own apply. */
  live(reference: ObjectReference): LiveObject | undefined {
    return this.#known.get(reference);
  }

  /** Removes what left Git. Called after a complete success only. */
  prune(request: PruneRequest, owner: DeliveryOwner, signal: AbortSignal): Promise<Pruned> {
    return pruneStale(
      { request, owner, desired: new Set(this.#desired.map(({ id }) => id)), store: this.#store, context: this.#context },
      signal,
    );
  }

  async release(owner: DeliveryOwner): Promise<void> {
    this.#context.autoscalers.forget(owner);
    await this.#context.live.need(ownerKey(owner), []);
  }

  /** Checks once per build; what nobody could say of a kind may be known by now. */
  async #prepare(objects: readonly BuiltObject[], owner: DeliveryOwner): Promise<Prepared> {
    const before = this.#prepared;
    if (before?.objects === objects && !mayBeKnownNow(before)) return before;
    this.#prepared = await prepare(objects, owner, this.#context);
    for (const one of [this.#known, this.#refusals, this.#fights, this.#applier]) one.keep(this.#prepared.ids);
    return this.#prepared;
  }

  async #watch(desired: readonly Desired[], owner: DeliveryOwner): Promise<void> {
    const kinds = new Map(desired.map(({ reference }) => [kindKey(reference), reference]));
    const wanted = [...kinds.keys()].toSorted().join(' ');
    if (wanted === this.#watched && this.#refused.size === 0) return;
    this.#refused = await this.#context.live.need(ownerKey(owner), kinds.values());
    this.#watched = wanted;
  }

  #judge(prepared: Prepared, request: DeliveryRequest, owner: DeliveryOwner): { open: Work[]; causes: Cause[] } {
    const { index } = this.#context.inventories;
    const causes = [...prepared.causes];
    const work: Work[] = [];
    for (const desired of prepared.desired) {
      const refused = this.#refused.get(kindKey(desired.reference));
      if (refused !== undefined) {
        causes.push(unwatched(desired, refused));
        continue;
      }
      const live = this.live(desired.reference);
      const { reference } = desired;
      // An Application that applies itself was made by a person first, by necessity.
      const adopt = (one: LiveObject): boolean => owner.exempt(reference) || request.adopt(one);
      const title = titleTo(desired, live, { owner, index, claims: this.#context.claims, adopt });
      if (title.may === 'not') {
        causes.push(title.cause);
        continue;
      }
      const { entry, from } = title;
      const settled = isInVelasHands(live, desired) ? ({ do: 'leave' } as const) : entry && verdictOn(desired, entry, live);
      const verdict = settled ?? ({ do: 'apply' } as const);
      if (verdict.do === 'leave') this.#applier.inSync(desired);
      work.push({ task: { desired, verdict, entry, live, mode: request.drift }, from });
    }
    return { open: work.filter(({ task }) => task.verdict.do !== 'leave'), causes };
  }

  /** Written before anything is created: the inventory holds whatever the agent may have made (invariant I2). */
  async #intend(open: readonly Work[], { ids }: Prepared, owner: DeliveryOwner): Promise<void> {
    const before = this.#store.entries(owner.component);
    const entries = new Map(before.map((entry) => [objectId(entry), entry]));
    const joined = staleOf(before, ids).some((entry) => !isEnding(entry)) ? { joined: true as const } : {};
    const since = rfc3339(this.#context.client.transport.serverNow());
    const made = { component: owner.component, since, ...joined };
    for (const { task, from } of open) entries.set(task.desired.id, intention(task, made, from !== undefined));
    await this.#store.setComponent(owner.component, [...entries.values()], { keep: !owner.prune, hasTime: false });
  }

  async #applyAll(open: readonly Work[], signal: AbortSignal): Promise<Map<Work, Outcome>> {
    const outcomes = new Map<Work, Outcome>();
    const applyOne = async (one: Work): Promise<void> => {
      const outcome = this.#refusals.of(one.task) ?? (await this.#applier.run(one.task, this.live(one.task.desired.reference), signal));
      outcomes.set(one, outcome);
      this.#learn(one.task, outcome);
    };
    for (const wave of wavesBy(open, ({ task }) => task.desired.reference)) {
      await Promise.all(wave.map((one) => this.#pace.run(() => applyOne(one))));
    }
    return outcomes;
  }

  #learn(task: Task, outcome: Outcome): void {
    const { id, reference } = task.desired;
    this.#refusals.forget(id);
    if (outcome.done === 'applied') this.#known.answered(reference, outcome.answer);
    if (outcome.done === 'applied' && outcome.changed && isApplication(outcome.answer))
      this.#context.claims.awaits(reference.name, outcome.answer.metadata.resourceVersion);
    if (outcome.done !== 'failed') return;
    const { replaced, failure } = outcome;
    if (replaced) this.#known.replaced(reference, replaced);
    // Of a fight the applier knows when it is over; until then it asks nobody.
    else if (failure.reason !== 'DriftFight') this.#refusals.learn(task, failure);
  }

  /** UIDs and digests as the API server answered them: a restarted agent knows by them that nothing has changed. */
  async #record(outcomes: ReadonlyMap<Work, Outcome>, { plurals }: Prepared, owner: DeliveryOwner): Promise<void> {
    const entries = new Map(this.#store.entries(owner.component).map((entry) => [objectId(entry), entry]));
    for (const [{ task }, outcome] of outcomes) {
      if (outcome.done !== 'applied') continue;
      const { desired } = task;
      const { metadata, ownership } = outcome.answer;
      const resource = plurals.get(kindKey(desired.reference));
      entries.set(desired.id, {
        component: owner.component,
        ...desired.reference,
        ...(resource ? { resource } : {}),
        ...(metadata.uid ? { uid: metadata.uid } : {}),
        manifest: desired.manifest,
        fields: ownership.fields,
        ...(entries.get(desired.id)?.joined ? { joined: true as const } : {}),
        ...(mayExpire(desired.reference) && expires(desired.object) ? { expires: true as const } : {}),
        ...desired.origin,
      });
    }
    await this.#store.setComponent(owner.component, [...entries.values()], { keep: !owner.prune, hasTime: true });
  }

  /** The new owner has entry and labels: now the old one lets go. */
  async #handOver(outcomes: ReadonlyMap<Work, Outcome>): Promise<void> {
    for (const [{ from }, outcome] of outcomes) {
      if (!from || outcome.done !== 'applied') continue;
      const { application, component, entry } = from;
      const store = this.#context.inventories.find(application);
      await store?.forget(new Set([entry]));
      if (!store?.held(component)) this.#context.metrics.heldPrunes.clear({ application, component });
    }
  }
}
