import type { Application } from '#api/application.ts';
import { Failure } from '#api/failure.ts';
import { objectId, referenceOf } from '#api/kubernetes.ts';
import { API_VERSION, label } from '#api/names.ts';
import { backoffMs } from '#core/backoff.ts';
import { createLoop, type Loop } from '#core/loop.ts';
import type { WatchEvent } from '../cluster/watch.ts';
import { letsGo } from '../sync/autoscalers.ts';
import { failureFields, failureOf } from '../sync/failures.ts';
import type { Owner } from '../sync/owner-key.ts';
import { ApplicationLoop, type ApplicationContext } from './application-loop.ts';
import { farewell } from './farewell.ts';

const APPLICATION = { apiVersion: API_VERSION, kind: 'Application' };
const INVENTORY = { apiVersion: 'v1', kind: 'ConfigMap' };
const REVISION = { apiVersion: API_VERSION, kind: 'ApplicationRevision' };

/** How long a farewell waits before it looks again whether others have taken over what they render. */
const WAITING_MS = 1_000;

/** After so long it is said: a hand-over takes a moment. */
const LONG_WAIT_MS = 10_000;

/** So long a parent may take to put a nested Application back; with `drift: off` it never does. */
const RETURN_MS = 60_000;

/** One name: an Application that runs, or one that is gone and whose objects are being removed. */
interface Tenant {
  loop?: ApplicationLoop | undefined;
  /** Brings `loop` in step with whether the Application exists. */
  keeper: Loop;
  /** Those that have failed since the Application went. */
  farewells: number;
  /** The kind has come back under our eyes, and the Application has not: whoever is to bring it back may not be done. */
  strands?: boolean;
  /** Since when the Application is not there (monotonic milliseconds), and whether it was said that others are waited for. */
  gone?: { sinceMs: number; told: boolean } | undefined;
}

/** All Applications of the namespace: one loop each, and a farewell for those that are gone. */
export class Supervisor {
  readonly #context: ApplicationContext;
  readonly #tenants = new Map<string, Tenant>();
  /** Undefined until it listens for ends of inventories, and for everything. */
  #stopListening: { inventories?: () => void; all?: () => void } = {};
  #kindWasMissing = false;

  constructor(context: Omit<ApplicationContext, 'application'>) {
    this.#context = { ...context, application: (name) => this.#find(name) };
  }

  /** Resolves when the Applications of the namespace are known and their loops run. */
  async start(signal: AbortSignal): Promise<void> {
    const { live, inventories, ownNamespace } = this.#context;
    await this.#needKinds();
    // Every pass begins with it; one that fails asks again.
    ownNamespace.facts().catch(() => undefined);
    for (const error of (await live.need('supervisor', [APPLICATION, REVISION])).values()) throw error;
    // Before they are read, so that no later end of one is missed; refused, they are written again when something changes.
    await live.need('inventories', [INVENTORY]);
    this.#stopListening.inventories ??= live.listen((event) => inventories.onEvent(event));
    await inventories.start(signal);
    // Nothing after this fails, so that no loop begins twice.
    this.#stopListening.all = live.listen((event) => this.#onEvent(event));
    ownNamespace.listen(() => this.#tenants.forEach(({ loop }) => loop?.namespaceChanged()));
    for (const application of live.all(APPLICATION)) this.#tenant(application.metadata.name ?? '').keeper.trigger();
    // Objects of an Application that was deleted while no agent ran.
    for (const name of inventories.applications().filter((one) => !this.#find(one))) {
      const tenant = this.#tenant(name);
      tenant.strands = this.#kindWasMissing;
      tenant.keeper.trigger();
    }
  }

  /** A kind that is not there is not watched: without this an agent would wait for it unseen. */
  async #needKinds(): Promise<void> {
    const { client } = this.#context;
    const wanted = [APPLICATION, REVISION];
    const found = await Promise.all(wanted.map(({ apiVersion, kind }) => client.kinds.find(apiVersion, kind)));
    const missing = wanted.filter((_, index) => !found[index]).map(({ kind }) => kind);
    if (missing.length === 0) return;
    this.#kindWasMissing = true;
    throw new Failure('UnknownKind', `the API server does not know ${missing.join(' and ')} in ${API_VERSION}`, {
      remedy: 'install the chart lateen, or apply charts/lateen/crds; the agent goes on by itself then',
    });
  }

  async stop(): Promise<void> {
    for (const stopListening of Object.values(this.#stopListening)) stopListening();
    const loops = [...this.#tenants.values()].flatMap(({ keeper, loop }) => (loop ? [keeper, loop] : [keeper]));
    await Promise.all(loops.map((loop) => loop.stop()));
  }

  #onEvent(event: WatchEvent): void {
    const { object } = event;
    const { autoscalers, inventories } = this.#context;
    if (object.kind === 'Application') this.#tenant(object.metadata.name ?? '').keeper.trigger();
    if (object.kind === 'ApplicationRevision') this.#tenants.get(object.metadata.labels?.[label.appName] ?? '')?.loop?.revisionChanged();
    if (object.kind === 'Policy' || object.kind === 'Workflow') this.#tenants.forEach(({ loop }) => loop?.externalChanged(object));
    if (letsGo(event)) for (const released of autoscalers.released()) this.#wake(inventories.index.holdings(objectId(released)));
    this.#wake(this.#concerned(event));
  }

  #wake(owners: readonly Owner[]): void {
    for (const { application, component } of owners) this.#tenants.get(application)?.loop?.objectChanged(component);
  }

  /** Whose object it is by the inventories; one that nobody has may have been in the way of those who render it. */
  #concerned({ type, object }: WatchEvent): Owner[] {
    const id = objectId(referenceOf(object));
    const holdings = this.#context.inventories.index.holdings(id);
    return holdings.length === 0 && type === 'deleted' ? this.#context.claims.rendering(id) : holdings;
  }

  #find(name: string): Application | undefined {
    return this.#context.live.get({ ...APPLICATION, namespace: this.#context.namespace, name }) as unknown as Application | undefined;
  }

  #tenant(name: string): Tenant {
    const existing = this.#tenants.get(name);
    if (existing) return existing;
    const tenant: Tenant = {
      farewells: 0,
      keeper: createLoop((signal) => this.#keep(name, tenant, signal), {
        clock: this.#context.clock,
        onError: (error) => this.#retry(name, tenant, error),
      }),
    };
    this.#tenants.set(name, tenant);
    return tenant;
  }

  async #keep(name: string, tenant: Tenant, signal: AbortSignal): Promise<number | undefined> {
    const application = this.#find(name);
    if (application) Object.assign(tenant, { gone: undefined, strands: false });
    if (application && tenant.loop) {
      tenant.loop.update(application);
      return undefined;
    }
    if (application) {
      tenant.loop = new ApplicationLoop(application, this.#context);
      tenant.farewells = 0;
      return undefined;
    }
    await tenant.loop?.stop();
    tenant.loop = undefined;
    this.#context.claims.release(name);
    return this.#sayFarewell(name, tenant, signal);
  }

  /** The Application is not there. */
  async #sayFarewell(name: string, tenant: Tenant, signal: AbortSignal): Promise<number | undefined> {
    if (tenant.strands) await this.#context.inventories.find(name)?.strand();
    tenant.strands = false;
    const gone = (tenant.gone ??= { sinceMs: performance.now(), told: false });
    if (this.#comesBack(name, gone)) return this.#waits(name, gone, 'the Application that has this one in Git');
    const outcome = await farewell(name, this.#context, signal);
    if (outcome === 'stranded') {
      this.#context.log.warn('the kind Application was taken away: nothing is removed until it is applied again', { application: name });
    }
    if (outcome === 'waiting') return this.#waits(name, gone, 'components that have its objects, or may have them');
    if (outcome === 'ending') return this.#nextLookMs(name);
    if (this.#find(name)) return undefined;
    // Until the watch tells so too: an end that comes before that is told by nobody.
    if (outcome === 'came-back') return WAITING_MS;
    this.#context.inventories.forget(name);
    // A component that had left its spec, and whose prune was held, has no loop that would forget.
    this.#context.metrics.forget({ application: name });
    this.#tenants.delete(name);
    return undefined;
  }

  /** When to see whether what is being deleted has gone. */
  #nextLookMs(name: string): number {
    const store = this.#context.inventories.find(name);
    return store?.endings.nextInMs(store.inventory.entries) ?? WAITING_MS;
  }

  #waits(application: string, gone: NonNullable<Tenant['gone']>, others: string): number {
    const { inventories, log } = this.#context;
    if (gone.told || performance.now() - gone.sinceMs < LONG_WAIT_MS) return WAITING_MS;
    gone.told = true;
    const objects = inventories.find(application)?.inventory.entries.length ?? 0;
    log.info('a deleted Application keeps its objects for now', { application, objects, waitsFor: others });
    return WAITING_MS;
  }

  /** An Application that Git has in another one is about to be put back: what it runs must not go meanwhile. */
  #comesBack(name: string, { sinceMs }: { sinceMs: number }): boolean {
    const { namespace, inventories, claims } = this.#context;
    if (performance.now() - sinceMs > RETURN_MS) return false;
    const id = objectId({ ...APPLICATION, namespace, name });
    return inventories.index.holdings(id).some((parent) => claims.mayRender(parent, id));
  }

  #retry(name: string, tenant: Tenant, error: unknown): number {
    const failure = failureOf(error, `remove what Application ${name} had applied`);
    this.#context.log.warn('removal failed', { application: name, ...failureFields(failure) });
    return backoffMs(tenant.farewells++, this.#context.random());
  }
}
