import { allowListsOf } from '#api/allow-lists.ts';
import type { Application, ApplicationStatus, WorkflowStatus } from '#api/application.ts';
import { checkApplication } from '#api/check.ts';
import type { Cause } from '#api/failure.ts';
import type { KubeObject, ObjectReference } from '#api/kubernetes.ts';
import { type ApplicationsMode, type Claim, claimOf } from '#api/claim.ts';
import { sameJson } from '#api/json.ts';
import { annotation, CLAIM, VELA_FINALIZER } from '#api/names.ts';
import { rfc3339 } from '#core/clock.ts';
import { oneLine, sentences } from '#core/errors.ts';
import { createLoop, type Loop } from '#core/loop.ts';
import type { Redactor } from '#core/redact.ts';
import { failureFields, failureOf } from '../sync/failures.ts';
import { checkShape, commitsOf, inputsOf, referenceTo, version } from './application-facts.ts';
import { claim } from './claiming.ts';
import { handsOff } from './hands-off.ts';
import { regarding } from './regarding.ts';
import { branchOf, isAncestor } from './ancestors.ts';
import { ComponentSet } from './component-set.ts';
import type { KustomizeContext } from './kustomize-work.ts';
import { resolved } from '../revision/externals.ts';
import type { ComponentResult } from './component-loop.ts';
import { ExternalObjects } from './external-objects.ts';
import { removeLeftovers } from './leftovers.ts';
import { type Note, noteOf } from './note.ts';
import { planOf } from '../revision/plan.ts';
import { Quiet } from './quiet.ts';
import { changedByVela, requestedBy } from './requester.ts';
import { Revisions, type Settled } from './revisions.ts';
import { shown } from './shown.ts';
import { admittedStatus, refusedStatus, statusPatch } from './status.ts';
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

/** One Application from admission to status: the only writer of its status, revisions and inventory. */
export class ApplicationLoop {
  readonly #context: ApplicationContext;
  readonly #loop: Loop;
  readonly #components: ComponentSet;
  readonly #revisions: Revisions;
  readonly #externals: ExternalObjects;
  #application: Application;
  readonly #quiet = new Quiet();
  /** status.workflow as this agent wrote it last. */
  #written: WorkflowStatus | undefined;

  /** Inputs of the pass that is under way, and of the last one that came to its end. */
  #handling = '';
  #handled: string | undefined;

  constructor(application: Application, context: ApplicationContext) {
    this.#application = application;
    this.#context = { ...context, log: context.log.child({ application: application.metadata.name }) };
    this.#components = new ComponentSet(this.#context, () => this.#loop.trigger());
    this.#revisions = new Revisions(context);
    this.#externals = new ExternalObjects(application.metadata, context);
    if (['ours', 'claim'].includes(this.#judge(application).verdict)) this.#expect(application);
    this.#loop = createLoop((signal) => this.#pass(signal), { clock: context.clock, onError: (error) => this.#failed(error) });
    this.#loop.trigger();
  }

  /** The Application as the API server has it now. Our own status writes come back here too and are no reason to run. */
  update(application: Application): void {
    if (version(application) < version(this.#application)) return;
    const before = this.#application;
    this.#application = application;
    const inputs = inputsOf(application);
    if (inputs !== inputsOf(before) || this.#isSteered(before, application)) this.#loop.trigger();
    // A version in which nothing has changed that matters: no pass will say so.
    else if (inputs === this.#handled) this.#context.claims.reached(application.metadata.name, application.metadata.resourceVersion);
  }

  /** What the Application asks for stands in the claims from now on. */
  #hasReached({ name, resourceVersion }: Application['metadata']): void {
    this.#handled = this.#handling;
    this.#context.claims.reached(name, resourceVersion);
  }

  /** A person has written into the status of the workflow: suspended, resumed, terminated or restarted it. */
  #isSteered({ status: before }: Application, { status: now }: Application): boolean {
    return !sameJson(before?.workflow, now?.workflow) && !sameJson(now?.workflow, this.#written);
  }

  /** What the Namespace allows has changed. */
  namespaceChanged(): void {
    this.#loop.trigger();
  }

  /** A revision of this Application has come or gone: a hold may be told before the revision that it names. */
  revisionChanged(): void {
    if (!this.#revisions.refuses()) return;
    this.#revisions.forget();
    this.#loop.trigger();
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
    const failure = failureOf(error, `reconcile Application ${this.#application.metadata.name}`);
    this.#context.log.warn('pass failed', failureFields(failure));
    return RETRY_MS;
  }

  async #pass(signal: AbortSignal): Promise<number | undefined> {
    const application = this.#application;
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
    const { externals, missing } = await this.#externals.of(application.spec);
    const present = { application, externals, spec: resolved(application.spec, externals) };
    const settled = await this.#revisions.settle(present, signal);
    const effective = settled.spec === application.spec ? application : { ...application, spec: settled.spec };
    const causes = [...(settled.stored ? [] : missing), ...(await this.#mistakes(effective))];
    if (causes.length > 0) return this.#refuse(application, causes, signal);
    if (settled.isNew) {
      const made = await this.#revisions.make(present, settled.revision, requestedBy(application, this.#context), signal);
      if (!made) return LAG_MS;
    }
    if (changedByVela(application)) return this.#hold(application, settled.revision.name, signal);
    return this.#reconcile(effective, settled, signal);
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
    const progress = { result, runOf: runOf(revision.name, application.spec) };
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
    const note = noteOf(settled, this.#application, branchOf(application, this.#context.application));
    const status = this.#shown(
      admittedStatus({ application, components, revision, workflow, result, note, inventory: store.inventory, nowMs }),
    );
    const busy = status.status === 'running' ? undefined : this.#components.busy;
    const wait = this.#quiet.leftMs(busy, nowMs, this.#context.client.transport.crowded());
    if (wait !== undefined) return wait;
    await this.#revisions.displace(application, token, rfc3339(nowMs), signal);
    await this.#write(application, status, signal);
    this.#announce(application, note);
    if (!workflow.finished) return wakeInMs;
    await this.#revisions.close(
      application,
      { name: revision.name, workflow: status.workflow ?? workflow, commits: commitsOf(components, result) },
      signal,
    );
    if (workflow.status !== 'succeeded') return undefined;
    return removeLeftovers({ application, store, components, exempt }, this.#context, signal);
  }

  /** Why what the spec says does not run, told once. */
  #announce(application: Application, note: Note | undefined): void {
    const told = application.status?.conditions?.some(({ reason, message }) => reason === note?.reason && message === note?.message);
    if (!note || told) return;
    this.#context.log.info('another state than the spec runs', { reason: note.reason, message: note.message });
    this.#context.events.record({ regarding: regarding(application), type: note.serious ? 'Warning' : 'Normal', ...note });
  }

  #shown(status: ApplicationStatus): ApplicationStatus {
    return shown(status, this.#context.redactor.scrub);
  }

  async #write(application: Application, status: ApplicationStatus, signal: AbortSignal): Promise<void> {
    const patch = statusPatch(application.status, status);
    if (!patch) return;
    this.#written = status.workflow;
    const answer = await this.#context.client.mergePatch(referenceTo(application), patch, { subresource: 'status', signal });
    // What comes back is the newest Application there is; the watch will bring it again and change nothing.
    this.update(answer as unknown as Application);
  }

  /** Others would wait for what its components are about to say, some of them for ever. */
  async #refuse(application: Application, causes: Cause[], signal: AbortSignal): Promise<undefined> {
    await this.#components.stop();
    this.#context.claims.rest(application.metadata.name);
    this.#hasReached(application.metadata);
    const status = this.#shown(refusedStatus(application, causes, this.#context.clock.now()));
    if (!statusPatch(application.status, status)) return undefined;
    await this.#write(application, status, signal);
    const message = oneLine(sentences(causes.map((cause) => cause.message)));
    this.#context.log.info('not admitted', { causes: causes.length, message });
    this.#context.events.record({ regarding: regarding(application), type: 'Warning', reason: causes[0]?.code ?? 'NotAdmitted', message });
    return undefined;
  }

  #judge(application: Application): Claim {
    const { mode, inventories } = this.#context;
    return claimOf(application, { mode, holds: inventories.find(application.metadata.name)?.stored ?? false });
  }

  /** What `vela` changed of an Application that Git has becomes a hold: pulls and drift leave it until `lateen resume`. */
  async #hold(application: Application, revision: string, signal: AbortSignal): Promise<undefined> {
    const patch = { metadata: { annotations: { [annotation.hold]: revision } } };
    this.update((await this.#context.client.mergePatch(referenceTo(application), patch, { signal })) as unknown as Application);
    return undefined;
  }

  /** The claim comes back as a change of the Application, and the next pass acts on it. */
  async #claim(application: Application, signal: AbortSignal): Promise<number> {
    const context = { client: this.#context.client, judge: (one: Application) => this.#judge(one) };
    const now = await claim(application, context, signal);
    if (now) this.update(now);
    return 0;
  }

  /** An Application that is being deleted: what it applied goes once it is gone (farewell.ts). */
  async #letGo(application: Application, signal: AbortSignal): Promise<undefined> {
    await this.#components.stop();
    // Whatever holds it: nobody waits for what it would say.
    this.#context.claims.rest(application.metadata.name);
    this.#hasReached(application.metadata);
    const { finalizers = [], resourceVersion, annotations = {} } = application.metadata;
    if (!finalizers.includes(VELA_FINALIZER) || annotations[annotation.controllerVersionRequire] !== CLAIM) return undefined;
    const left = finalizers.filter((finalizer) => finalizer !== VELA_FINALIZER);
    await this.#context.client.mergePatch(referenceTo(application), { metadata: { finalizers: left, resourceVersion } }, { signal });
    return undefined;
  }
}
