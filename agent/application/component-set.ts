import type { Application, Component } from '#api/application.ts';
import type { ObjectReference } from '#api/kubernetes.ts';
import type { RevisionName } from '../revision/snapshot.ts';
import type { InventoryStore } from '../sync/inventory-store.ts';
import { type ComponentInput, ComponentLoop, type ComponentResult, type ComponentWork } from './component-loop.ts';
import { type KustomizeContext, KustomizeWork } from './kustomize-work.ts';
import { isNative, NativeWork } from './native-work.ts';

interface Running {
  type: string;
  loop: ComponentLoop;
  /** What it was told last, for comparing. */
  token: string;
}

export interface ComponentRun {
  application: Application;
  revision: RevisionName;
  store: InventoryStore;
  /** All components that there are to be. */
  components: readonly Component[];
  /** Those whose turn it is, and what their results shall speak of. */
  open: ReadonlyMap<string, { component: Component; run: string }>;
  exempt: (reference: ObjectReference) => boolean;
  /** Changes whenever something that a component may depend on has changed. */
  token: string;
}

/** The running components of one Application. */
export class ComponentSet {
  readonly #context: KustomizeContext;
  readonly #onChange: () => void;
  readonly #running = new Map<string, Running>();
  #token: string | undefined;

  constructor(context: KustomizeContext, onChange: () => void) {
    this.#context = context;
    this.#onChange = onChange;
  }

  result(name: string): ComponentResult | undefined {
    return this.#running.get(name)?.loop.result;
  }

  /** What the components are busy with, for comparing; undefined while each has said how it stands and nothing is on its way. */
  get busy(): string | undefined {
    const states = [...this.#running].map(([name, { loop }]) => `${name} ${busyWith(loop.result) ?? ''}`);
    return states.some((state) => !state.endsWith(' ')) ? states.join() : undefined;
  }

  trigger(name: string): void {
    this.#running.get(name)?.loop.trigger();
  }

  objectChanged(name: string): void {
    this.#running.get(name)?.loop.objectChanged();
  }

  /** Starts what is new, tells what runs, stops what is no longer asked for. */
  async run(run: ComponentRun): Promise<void> {
    const wanted = new Map(run.components.map((component) => [component.name, component]));
    await this.#stop((name, type) => wanted.get(name)?.type !== type);
    // After the stop: what still ran might have remembered something more.
    if (run.token !== this.#token) await this.#tidy(run.store, new Set(wanted.keys()));
    this.#token = run.token;
    for (const [name, { component, run: of }] of run.open) {
      const input = { application: run.application, component, revision: run.revision, run: of, exempt: run.exempt };
      const running = this.#running.get(name);
      const token = `${run.token} ${of}`;
      if (!running) this.#start(token, input, run.store);
      else if (running.token !== token) {
        running.token = token;
        this.#context.claims.again({ application: run.application.metadata.name, component: name });
        running.loop.update(input);
      }
    }
  }

  async #tidy(store: InventoryStore, components: ReadonlySet<string>): Promise<void> {
    await store.keepImages(components);
    await store.returned(components);
  }

  async stop(): Promise<void> {
    this.#token = undefined;
    await this.#stop(() => true);
  }

  #start(token: string, input: ComponentInput, store: InventoryStore): void {
    const { component } = input;
    const details = input.application.status?.services?.find(({ name }) => name === component.name)?.details ?? {};
    const work: ComponentWork = isNative(component.type)
      ? new NativeWork()
      : new KustomizeWork(this.#context, { wake: () => this.trigger(component.name), details });
    const loop = new ComponentLoop(input, { work, store, context: this.#context, onChange: this.#onChange });
    this.#running.set(component.name, { type: component.type, loop, token });
    loop.trigger();
  }

  async #stop(which: (name: string, type: string) => boolean): Promise<void> {
    const stopping = [...this.#running].filter(([name, { type }]) => which(name, type));
    for (const [name] of stopping) this.#running.delete(name);
    await Promise.all(stopping.map(([, { loop }]) => loop.stop()));
  }
}

/** What is applied and not well yet may be in a moment: that is being busy too. */
function busyWith(result: ComponentResult | undefined): 'work' | 'health' | undefined {
  if (!result || result.state === 'working') return 'work';
  return result.state === 'settled' && !result.healthy && !result.failure ? 'health' : undefined;
}
