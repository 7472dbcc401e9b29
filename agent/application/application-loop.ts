import { allowListsOf } from '#api/allow-lists.ts';
import type { Application } from '#api/application.ts';
import { checkApplication } from '#api/check.ts';
import type { Cause } from '#api/failure.ts';
import type { KubeObject, ObjectReference } from '#api/kubernetes.ts';
import { type ApplicationsMode, type Claim, claimOf } from '#api/claim.ts';
import { sameJson } from '#api/json.ts';
import { annotation, CLAIM, VELA_FINALIZER } from '#api/names.ts';
import { rfc3339 } from '#core/clock.ts';
import { createLoop, type Loop } from '#core/loop.ts';
import type { Redactor } from '#core/redact.ts';
import { failureFields, failureOf } from '../sync/failures.ts';
import { checkShape, commitsOf, inputsOf, referenceTo } from './application-facts.ts';
import { claim, removePlaceholders } from './claiming.ts';
import { handsOff } from './hands-off.ts';
import { branchOf, isAncestor } from './ancestors.ts';
import { ComponentSet } from './component-set.ts';
import type { KustomizeContext } from './kustomize-work.ts';
import { resolved } from '../revision/externals.ts';
import type { ComponentResult } from './component-loop.ts';
import { ExternalObjects } from './external-objects.ts';
import { pullAhead } from './pulling.ts';
import { removeLeftovers } from './leftovers.ts';
import { NewestApplication } from './newest.ts';
import { noteOf } from './note.ts';
import { planOf } from '../revision/plan.ts';
import { Quiet } from './quiet.ts';
import { changedByVela, requestedBy } from './requester.ts';
import { Revisions, type Settled } from './revisions.ts';
import { admittedStatus } from './status.ts';
import { StandingInventory } from './standing-inventory.ts';
import { StatusWriter } from './status-writer.ts';
import { advance, openComponents, runOf } from './workflow.ts';

export interface ApplicationContext extends KustomizeContext {
  mode: ApplicationsMode;
  redactor: Pick<Redactor, 'scrub'>;
  minIntervalMs: number;
  /** ApplicationRevisions that are kept besides the one that runs. */
  revisionLimit: number;
  /** Applications of the namespace by name. */
  application: (name: string) => Application | undefined;
}

const RETRY_MS = 5_000;
/** So long a watch may lag behind what others have written. */
const LAG_MS = 500;
/** A kind that the API server does not serve cannot be watched. */
const UNKNOWN_KIND_MS = 10_000;
/** Nothing tells when a revision that is none of the Application's goes away. */
const FOREIGN_REVISION_MS = 30_000;

/** One Application from admission to status: the only writer of its status, revisions and inventory. */
export class ApplicationLoop {
  readonly #context: ApplicationContext;
  readonly #loop: Loop;
  readonly #components: ComponentSet;
  readonly #revisions: Revisions;
  readonly #externals: ExternalObjects;
  readonly #newest: NewestApplication;
  readonly #status: StatusWriter;
  readonly #quiet = new Quiet();
  readonly #standing: StandingInventory;
  readonly #begunMs: number;

  /** Inputs of the pass that is under way, and of the last one that came to its end. */
  #handling = '';
  #handled: string | undefined;

  constructor(application: Application, context: ApplicationContext) {
    this.#newest = new NewestApplication(application, context.live);
    this.#begunMs = context.clock.now();
    this.#context = { ...context, log: context.log.child({ application: application.metadata.name }) };
    this.#standing = new StandingInventory(this.#context);
    this.#status = new StatusWriter(this.#context, (answer) => this.#take(answer));
    this.#components = new ComponentSet(this.#context, () => this.#loop.trigger());
    this.#revisions = new Revisions(context);
    this.#externals = new ExternalObjects(application.metadata, context);
    if (['ours', 'claim'].includes(this.#judge(application).verdict)) this.#expect(application);
    this.#loop = createLoop((signal) => this.#pass(signal), { clock: context.clock, onError: (error) => this.#failed(error) });
    this.#loop.trigger();
  }

  /** The Application as the watch tells it. Our own status writes come back here too and are no reason to run. */
  update(application: Application): void {
    const before = this.#newest.application;
    if (this.#newest.told(application)) this.#changed(before, application);
  }

  /** The Application as the API server has answered it. */
  #take(answer: unknown): void {
    const before = this.#newest.application;
    const application = answer as Application;
    if (this.#newest.answered(application)) this.#changed(before, application);
  }

  #changed(before: Application, application: Application): void {
    const inputs = inputsOf(application);
    if (inputs !== inputsOf(before) || this.#isWrittenByOthers(before, application)) this.#loop.trigger();
    // A version in which nothing has changed that matters: no pass will say so.
    else if (inputs === this.#handled) this.#context.claims.reached(application.metadata.name, application.metadata.resourceVersion);
  }

  /** What the Application asks for stands in the claims from now on. */
  #hasReached({ name, resourceVersion }: Application['metadata']): void {
    this.#handled = this.#handling;
    this.#context.claims.reached(name, resourceVersion);
  }

  /** A person has written into the status: suspended, resumed, terminated or restarted the workflow, or something that is not so. */
  #isWrittenByOthers({ status: before }: Application, application: Application): boolean {
    const { status } = application;
    return !sameJson(before, status) && !sameJson(status, this.#status.written) && this.#judge(application).verdict === 'ours';
  }

  /** What the Namespace allows has changed. */
  namespaceChanged(): void {
    this.#loop.trigger();
  }

  /** A revision of this Application has come or gone: a hold may be told before the revision that it names. */
  revisionChanged(): void {
    if (this.#revisions.changed()) this.#loop.trigger();
  }

  /** A Policy or Workflow object has changed. */
  externalChanged(object: KubeObject): void {
    if (this.#externals.concern(object)) this.#loop.trigger();
  }

  /** An object that carries this Application's label has changed. */
  objectChanged(component: string): void {
    this.#components.objectChanged(component);
  }

  async stop(): Promise<void> {
    await this.#loop.stop();
    await this.#components.stop();
    await this.#externals.stop();
  }

  #failed(error: unknown): number {
    const failure = failureOf(error, `reconcile Application ${this.#newest.application.metadata.name}`);
    this.#context.log.warn('pass failed', failureFields(failure));
    return RETRY_MS;
  }

  async #pass(signal: AbortSignal): Promise<number | undefined> {
    const { application } = this.#newest;
    this.#handling = inputsOf(application);
    if (application.metadata.deletionTimestamp) return this.#letGo(application, signal);
    const judged = this.#judge(application);
    if (judged.verdict === 'hands-off' || judged.verdict === 'hand-back') {
      await this.#components.stop();
      const left = await handsOff(application, judged, this.#context, signal);
      this.#hasReached(application.metadata);
      return left;
    }
    this.#expect(application);
    if (judged.verdict === 'claim') return this.#claim(application, signal);
    await removePlaceholders(application, this.#context, signal);
    const mistake = checkShape(application);
    if (mistake.length > 0) return this.#refuse(application, mistake, signal);
    const damage = this.#context.inventories.damage(application.metadata.name);
    if (damage) return this.#refuse(application, damage, signal);
    return this.#settle(application, signal);
  }

  /** Even one that is refused keeps what it has. */
  #expect({ metadata, spec }: Application): void {
    const components: unknown = spec?.components;
    const names = Array.isArray(components) ? components.map((component: { name?: unknown } | null) => component?.name) : [];
    const known = names.filter((name) => typeof name === 'string');
    this.#context.claims.expect(metadata.name, known);
  }

  /** Which revision is to run, whether the rules let it, and who asked for it. */
  async #settle(application: Application, signal: AbortSignal): Promise<number | undefined> {
    const { externals, missing, unwatched } = await this.#externals.of(application.spec);
    const present = { application, externals, spec: resolved(application.spec, externals) };
    const settled = await this.#revisions.settle(present, signal);
    const effective = settled.spec === application.spec ? application : { ...application, spec: settled.spec };
    const causes = [...(settled.stored ? [] : missing), ...(await this.#mistakes(effective))];
    if (causes.length > 0) {
      const left = await this.#refuse(application, causes, signal);
      return left ?? (missing.length > 0 && unwatched ? UNKNOWN_KIND_MS : undefined);
    }
    if (!settled.isNew) return this.#runAt(effective, settled, signal);
    const stopPulling = pullAhead(effective, this.#context);
    try {
      const made = await this.#revisions.make(present, settled.revision, requestedBy(application, this.#context), signal);
      if (made === false) return LAG_MS;
      if (made !== true) return (await this.#refuse(application, [made], signal)) ?? FOREIGN_REVISION_MS;
      return await this.#runAt(effective, settled, signal);
    } finally {
      stopPulling();
    }
  }

  async #runAt(application: Application, settled: Settled, signal: AbortSignal): Promise<number | undefined> {
    if (changedByVela(application)) return this.#hold(application, settled.revision.name, signal);
    return this.#reconcile(application, settled, signal);
  }

  async #mistakes(application: Application): Promise<Cause[]> {
    const { namespace } = application.metadata;
    const { annotations } = await this.#context.ownNamespace.facts();
    const allowed = allowListsOf(annotations);
    const verdict = checkApplication(application, { minIntervalMs: this.#context.minIntervalMs, namespace, allowed });
    return [...verdict.causes, ...verdict.unsupported];
  }

  async #reconcile(application: Application, settled: Settled, signal: AbortSignal): Promise<number | undefined> {
    const { name, uid = '' } = application.metadata;
    const { revision } = settled;
    this.#context.claims.wake(name);
    const store = this.#context.inventories.of(name, uid);
    const plan = planOf(application.spec);
    const nowMs = this.#context.clock.now();
    const result = (component: string): ComponentResult | undefined => this.#components.result(component);
    const progress = { result, runOf: runOf(revision.name, application.spec), knownSinceMs: this.#begunMs };
    const token = revision.version ?? revision.name;
    const { workflow, wakeInMs } = advance(plan, { ...progress, token, nowMs, before: application.status?.workflow });
    const open = openComponents(plan, { ...progress, workflow });
    const exempt = (reference: ObjectReference): boolean => isAncestor(reference, application, this.#context.application);
    const { components } = plan;
    await this.#components.run({
      application,
      components,
      revision,
      store,
      open,
      exempt,
      token: `${revision.name} ${inputsOf(application)}`,
    });
    this.#hasReached(application.metadata);
    const note = noteOf(settled, this.#newest.application, branchOf(application, this.#context.application));
    const status = this.#status.shown(
      admittedStatus({ application, components, revision, workflow, result, note, inventory: store.inventory, nowMs }),
    );
    const busy = status.status === 'running' ? undefined : this.#components.busy;
    const wait = this.#quiet.leftMs(busy, nowMs, this.#context.client.transport.crowded());
    if (wait !== undefined) return wait;
    await this.#revisions.displace(application, token, rfc3339(nowMs), signal);
    if (!(await this.#status.write(application, status, signal))) return LAG_MS;
    this.#status.announce(application, note);
    await this.#standing.bringUpToDate(store, components);
    if (!workflow.finished) return this.#standing.soonest(wakeInMs);
    await this.#revisions.close(
      application,
      { name: revision.name, workflow: status.workflow ?? workflow, commits: commitsOf(components, result) },
      signal,
    );
    if (workflow.status !== 'succeeded') return this.#standing.soonest(undefined);
    return this.#standing.soonest(await removeLeftovers({ application, store, components, exempt }, this.#context, signal));
  }

  /** Others would wait for what its components are about to say, some of them for ever. */
  async #refuse(application: Application, causes: Cause[], signal: AbortSignal): Promise<number | undefined> {
    await this.#components.stop();
    this.#context.claims.rest(application.metadata.name);
    this.#hasReached(application.metadata);
    return (await this.#status.refuse(application, causes, signal)) ? undefined : LAG_MS;
  }

  #judge(application: Application): Claim {
    const { mode, inventories } = this.#context;
    return claimOf(application, { mode, holds: inventories.find(application.metadata.name)?.stored ?? false });
  }

  /** What `vela` changed of an Application that Git has becomes a hold: pulls and drift leave it until `lateen resume`. */
  async #hold(application: Application, revision: string, signal: AbortSignal): Promise<undefined> {
    const patch = { metadata: { annotations: { [annotation.hold]: revision } } };
    this.#take(await this.#context.client.mergePatch(referenceTo(application), patch, { signal }));
    return undefined;
  }

  /** The claim comes back as a change of the Application, and the next pass acts on it. */
  async #claim(application: Application, signal: AbortSignal): Promise<number> {
    const context = { client: this.#context.client, judge: (one: Application) => this.#judge(one) };
    const now = await claim(application, context, signal);
    if (now) this.#take(now);
    return 0;
  }

  /** An Application that is being deleted: what it applied goes once it is gone (farewell.ts). */
  async #letGo(application: Application, signal: AbortSignal): Promise<undefined> {
    await this.#components.stop();
    // Whatever holds it: nobody waits for what it would say.
    this.#context.claims.retire(application.metadata.name);
    this.#hasReached(application.metadata);
    const { finalizers = [], resourceVersion, annotations = {} } = application.metadata;
    if (!finalizers.includes(VELA_FINALIZER) || annotations[annotation.controllerVersionRequire] !== CLAIM) return undefined;
    const left = finalizers.filter((finalizer) => finalizer !== VELA_FINALIZER);
    await this.#context.client.mergePatch(referenceTo(application), { metadata: { finalizers: left, resourceVersion } }, { signal });
    return undefined;
  }
}
