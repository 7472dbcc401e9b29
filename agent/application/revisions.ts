import type { Application, ApplicationSpec, WorkflowStatus } from '#api/application.ts';
import type { Cause } from '#api/failure.ts';
import type { KubeObject, ObjectReference } from '#api/kubernetes.ts';
import { API_VERSION, annotation, label } from '#api/names.ts';
import { sameJson } from '#api/json.ts';
import { publishVersionOf } from '#api/publish-version.ts';
import { specContent } from '#api/spec-defaults.ts';
import { ApiError, type Client } from '../cluster/client.ts';
import type { LiveObjects } from '../cluster/live-objects.ts';
import { type Decision, decide, outdated, type Recorded } from '../revision/decision.ts';
import { unpacked } from '../revision/content.ts';
import type { Externals } from '../revision/externals.ts';
import { contentHash, type RecordedSpec, recordedSpec, revisionNumber, type RevisionName, snapshot } from '../revision/snapshot.ts';

const KIND = { apiVersion: API_VERSION, kind: 'ApplicationRevision' };

export interface RevisionsContext {
  client: Client;
  live: LiveObjects;
  /** Revisions that are kept besides the one that runs. */
  revisionLimit: number;
}

/** What an Application is now: its spec with everything in it that it names elsewhere, and those objects. */
export interface Present {
  application: Application;
  spec: ApplicationSpec;
  externals: Externals;
}

/** What is to run: `spec` is the snapshot's where the decision says `stored`. */
export interface Settled extends Decision {
  spec: ApplicationSpec;
  /** The same as it was written. */
  written: ApplicationSpec;
}

/** How a revision has run. */
interface EndedRun {
  /** Of the revision. */
  name: string;
  workflow: WorkflowStatus;
  /** `main@sha1:…` by component. */
  commits: Record<string, string>;
}

/** The ApplicationRevisions of one Application: one for each state that ran, never overwritten. */
export class Revisions {
  readonly #context: RevisionsContext;
  /** What this agent has made for the Application of this UID, and the watch may not have brought back yet. */
  #made: (Recorded & { of: string | undefined }) | undefined;
  /** The last decision, and the state that it was made for: most passes are about something else. */
  #settled: { key: string; settled: Settled } | undefined;
  /** Grows with each revision that comes or goes. */
  #changes = 0;
  #snapshot: (RecordedSpec & { name: string; of: string | undefined }) | undefined;
  #displaced: string | undefined;
  #closed: string | undefined;

  constructor(context: RevisionsContext) {
    this.#context = context;
  }

  /** The revision that is to run. Makes no write: `make` does, once the rules have passed it. */
  async settle(present: Present, signal: AbortSignal): Promise<Settled> {
    const key = JSON.stringify([stateOf(present), this.#made?.name]);
    if (this.#settled?.key === key) return this.#settled.settled;
    const changes = this.#changes;
    const settled = await this.#settle(present, signal);
    // What is missing may have come meanwhile, and is told once.
    if (isRefusal(settled) && changes !== this.#changes) return this.settle(present, signal);
    // One that is still to be made may turn out to be there: `lateen publish` makes revisions too.
    this.#settled = settled.isNew ? undefined : { key, settled };
    return settled;
  }

  /** A revision has come or gone. True where that may change what was refused: then the next pass decides anew. */
  changed(): boolean {
    this.#changes++;
    if (!this.#settled || !isRefusal(this.#settled.settled)) return false;
    this.#settled = undefined;
    return true;
  }

  async #settle({ application, spec, externals }: Present, signal: AbortSignal): Promise<Settled> {
    const { name, annotations = {} } = application.metadata;
    const wanted = {
      application: name,
      hash: contentHash(application.spec, externals),
      version: publishVersionOf(application) || undefined,
      hold: annotations[annotation.hold],
      latest: application.status?.latestRevision,
    };
    const recorded = this.#recorded(application);
    const decision = await this.#returned(application, decide(wanted, recorded), { recorded, signal });
    if (!decision.stored) return { ...decision, spec, written: application.spec };
    const stored = await this.#stored(application, decision.revision.name, signal);
    // Written by vela-core, whose digests are others: the content decides.
    if (stored.hash !== wanted.hash) return { ...decision, spec: stored.spec, written: stored.written };
    const { note, ...rest } = decision;
    return { ...rest, stored: false, spec, written: application.spec, ...(note && note !== 'PublishVersionUnchanged' ? { note } : {}) };
  }

  /**
   * A version that was used for another content, where nothing but a Policy or Workflow object has changed since: the
   * Application is what it was then, and the snapshot of then runs.
   */
  async #returned(
    application: Application,
    decision: Decision,
    { recorded, signal }: { recorded: readonly Recorded[]; signal: AbortSignal },
  ): Promise<Decision> {
    const earlier = decision.note === 'VersionReused' ? recorded.find(({ name }) => name === decision.about) : undefined;
    if (!earlier) return decision;
    const { written } = await this.#stored(application, earlier.name, signal);
    if (!sameJson(specContent(written), specContent(application.spec))) return decision;
    const { name, number, hash, version } = earlier;
    return { revision: { name, number, hash, version }, isNew: false, stored: true, note: 'PublishVersionUnchanged' };
  }

  /**
   * False: somebody else has made one of this name, and the watch has not told yet. A cause where it will not, since that is
   * none of the Application.
   */
  async make(
    { application, externals }: Present,
    revision: RevisionName,
    requestedBy: string,
    signal: AbortSignal,
  ): Promise<boolean | Cause> {
    try {
      await this.#context.client.create(snapshot(application, revision, { externals, requestedBy }), { signal });
    } catch (error) {
      if (!(error instanceof ApiError) || error.reason !== 'AlreadyExists') throw error;
      return (await this.#foreign(application, revision.name, signal)) ?? false;
    }
    const version = publishVersionOf(application) || undefined;
    this.#made = { ...revision, version, usable: true, succeeded: false, endedRun: undefined, of: application.metadata.uid };
    return true;
  }

  /**
   * Another run begins: what became of the last one is written into its revision, where that was not done at its end. An
   * unfinished one counts as terminated (spec/kubevela.md §3.2).
   */
  async displace(application: Application, token: string, now: string, signal: AbortSignal): Promise<void> {
    const { workflow, latestRevision } = application.status ?? {};
    if (!workflow || !latestRevision || workflow.appRevision === token) return;
    const { name } = latestRevision;
    if (this.#displaced === name) return;
    const recorded = this.#recorded(application).find((one) => one.name === name);
    if (recorded && recorded.endedRun === undefined) {
      const over = { ...workflow, status: 'terminated', terminated: true, finished: true, suspend: false, endTime: now };
      await this.#record(application, { name, workflow: workflow.finished ? workflow : over, commits: {} }, signal);
    }
    this.#displaced = name;
  }

  /** Records in the revision how its run has ended, and removes revisions beyond the limit. */
  async close(application: Application, run: EndedRun, signal: AbortSignal): Promise<void> {
    const { name, workflow, commits } = run;
    const key = `${name} ${workflow.startTime ?? ''} ${workflow.status ?? ''}`;
    if (this.#closed === key) return;
    const recorded = this.#recorded(application).find((one) => one.name === name);
    const isRecorded = recorded?.endedRun === (workflow.startTime ?? '') && recorded.succeeded === (workflow.status === 'succeeded');
    if (!isRecorded) await this.#record(application, { name, workflow, commits }, signal);
    if (workflow.status === 'succeeded') await this.#removeOutdated(application, name, signal);
    this.#displaced = undefined;
    this.#closed = key;
  }

  async #record(application: Application, { name, workflow, commits }: EndedRun, signal: AbortSignal): Promise<void> {
    const context = Object.keys(commits).length > 0 ? { workflowContext: { commits: JSON.stringify(commits) } } : {};
    const status = { succeeded: workflow.status === 'succeeded', workflow, ...context };
    try {
      await this.#context.client.mergePatch(reference(application, name), { status }, { subresource: 'status', signal });
    } catch (error) {
      // Somebody deleted the revision: history is theirs to prune.
      if (!(error instanceof ApiError && error.status === 404)) throw error;
    }
  }

  async #removeOutdated(application: Application, running: string, signal: AbortSignal): Promise<void> {
    const hold = application.metadata.annotations?.[annotation.hold];
    const going = outdated(this.#recorded(application), { limit: this.#context.revisionLimit, running, hold });
    for (const { name } of going) await this.#context.client.delete(reference(application, name), { signal });
  }

  /** What has the name of a revision, where the watch does not tell it as one of the Application. */
  async #foreign(application: Application, name: string, signal: AbortSignal): Promise<Cause | undefined> {
    const there = await this.#context.client.get(reference(application, name), { signal });
    if (!there || recordedOf(application, there)) return undefined;
    const app = application.metadata.name;
    return {
      path: '',
      code: 'NotAdopted',
      message: `ApplicationRevision/${name} is there and is none of the Application ${app}`,
      remedy: `delete it, or set its label ${label.appName} to ${app}`,
    };
  }

  /** The snapshot of a revision, read once. */
  async #stored(application: Application, name: string, signal: AbortSignal): Promise<RecordedSpec> {
    const { uid: of } = application.metadata;
    if (this.#snapshot?.name === name && this.#snapshot.of === of) return this.#snapshot;
    const object = await this.#context.client.get(reference(application, name), { signal });
    const found = object && recordedSpec(unpacked(object));
    if (!found) throw new Error(`the ApplicationRevision ${name} holds no Application that can be run`);
    this.#snapshot = { name, of, ...found };
    return this.#snapshot;
  }

  #recorded(application: Application): Recorded[] {
    const found = this.#context.live.revisionsOf(application.metadata.name).flatMap((object) => recordedOf(application, object) ?? []);
    // From here on the watch tells what becomes of it.
    if (found.some(({ name }) => name === this.#made?.name)) this.#made = undefined;
    const made = this.#made;
    return made && made.of === application.metadata.uid ? [...found, made] : found;
  }
}

/** Whether the revisions that there are keep the Application from what it asks for. */
function isRefusal({ note }: Settled): boolean {
  return note === 'RevisionNotFound' || note === 'VersionReused';
}

/** All that the decision hangs on. */
function stateOf({ application: { metadata, status }, externals }: Present): unknown[] {
  const { uid, generation, annotations = {} } = metadata;
  const named = [...Object.values(externals.policies), ...(externals.workflow ? [externals.workflow] : [])];
  const versions = named.map((one) => `${one.metadata.uid} ${one.metadata.resourceVersion}`);
  return [uid, generation, annotations[annotation.publishVersion], annotations[annotation.hold], status?.latestRevision?.name, versions];
}

function recordedOf({ metadata: { name, uid } }: Application, { metadata, status }: KubeObject): Recorded | undefined {
  const { name: revision = '', labels = {}, annotations = {}, ownerReferences: owners = [] } = metadata;
  const number = labels[label.appName] === name ? revisionNumber(name, revision) : undefined;
  if (number === undefined) return undefined;
  return {
    name: revision,
    number,
    hash: labels[label.appRevisionHash] ?? '',
    version: annotations[annotation.publishVersion]?.trim() || undefined,
    // `vela up --revision` makes one without an owner.
    usable: owners.length === 0 || owners.some((owner) => owner.uid === uid),
    ...outcomeOf(status),
  };
}

function outcomeOf(status: unknown): Pick<Recorded, 'succeeded' | 'endedRun'> {
  const { succeeded = false, workflow } = (status ?? {}) as { succeeded?: boolean; workflow?: { startTime?: string } };
  return { succeeded, endedRun: workflow && (workflow.startTime ?? '') };
}

function reference({ metadata: { namespace } }: Application, name: string): ObjectReference {
  return { ...KIND, namespace, name };
}
