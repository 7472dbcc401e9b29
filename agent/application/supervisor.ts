import type { Application } from '#api/application.ts';
import { API_VERSION, label } from '#api/names.ts';
import { backoffMs } from '#core/backoff.ts';
import { createLoop, type Loop } from '#core/loop.ts';
import type { WatchEvent } from '../cluster/watch.ts';
import { failureFields, failureOf } from '../sync/failures.ts';
import { ApplicationLoop, type ApplicationContext } from './application-loop.ts';
import { farewell, orphans } from './farewell.ts';

const APPLICATION = { apiVersion: API_VERSION, kind: 'Application' };
const REVISION = { apiVersion: API_VERSION, kind: 'ApplicationRevision' };

/** One name: an Application that runs, or one that is gone and whose objects are being removed. */
interface Tenant {
  loop?: ApplicationLoop | undefined;
  /** Brings `loop` in step with whether the Application exists. */
  keeper: Loop;
  farewells: number;
}

/** All Applications of the namespace: one loop each, and a farewell for those that are gone. */
export class Supervisor {
  readonly #context: ApplicationContext;
  readonly #tenants = new Map<string, Tenant>();
  #stopListening: (() => void) | undefined;

  constructor(context: Omit<ApplicationContext, 'application'>) {
    this.#context = { ...context, application: (name) => this.#find(name) };
  }

  /** Resolves when the Applications of the namespace are known and their loops run. */
  async start(signal: AbortSignal): Promise<void> {
    const { client, live, namespace } = this.#context;
    await live.need('supervisor', [APPLICATION, REVISION]);
    this.#stopListening = live.listen((event) => this.#onEvent(event));
    for (const application of live.all(APPLICATION)) this.#tenant(application.metadata.name ?? '').keeper.trigger();
    const kind = await client.kinds.find('v1', 'ConfigMap');
    const selector = `${label.application},!${label.component}`;
    const inventories = kind ? await client.list(kind, { namespace, labelSelector: selector, signal }) : [];
    for (const name of orphans(inventories, (application) => this.#find(application) !== undefined)) this.#tenant(name).keeper.trigger();
  }

  async stop(): Promise<void> {
    this.#stopListening?.();
    const loops = [...this.#tenants.values()].flatMap(({ keeper, loop }) => (loop ? [keeper, loop] : [keeper]));
    await Promise.all(loops.map((loop) => loop.stop()));
  }

  #onEvent(event: WatchEvent): void {
    const { object, previous } = event;
    if (object.kind === 'Application') this.#tenant(object.metadata.name ?? '').keeper.trigger();
    for (const owned of [object, previous]) {
      const labels = owned?.metadata.labels ?? {};
      const [application, component] = [labels[label.application], labels[label.component]];
      if (application && component) this.#tenants.get(application)?.loop?.objectChanged(component);
    }
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
    if (application && tenant.loop) {
      tenant.loop.update(application);
      return undefined;
    }
    if (application) {
      tenant.loop = new ApplicationLoop(application, this.#context);
      return undefined;
    }
    await tenant.loop?.stop();
    tenant.loop = undefined;
    const outcome = await farewell(name, this.#context, signal);
    if (outcome === 'kind-gone') {
      this.#context.log.warn('the kind Application is gone: nothing is removed', { application: name });
    }
    if (!this.#find(name)) this.#tenants.delete(name);
    return undefined;
  }

  #retry(name: string, tenant: Tenant, error: unknown): number {
    const failure = failureOf(error, `remove what Application ${name} had applied`);
    this.#context.log.warn('removal failed', { application: name, ...failureFields(failure) });
    return backoffMs(tenant.farewells++, this.#context.random());
  }
}
