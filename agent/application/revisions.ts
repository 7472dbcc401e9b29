import type { Application, WorkflowStatus } from '#api/application.ts';
import { API_VERSION, label } from '#api/names.ts';
import { ApiError, type Client } from '../cluster/client.ts';
import type { LiveObjects } from '../cluster/live-objects.ts';
import { currentRevision, type RevisionName, snapshot } from '../revision/snapshot.ts';

/** The ApplicationRevisions of one Application: one for each spec that ran, never overwritten. */
export class Revisions {
  readonly #client: Client;
  readonly #live: LiveObjects;
  #made: RevisionName | undefined;
  /** The state of the spec that `made` is of: uid and generation. */
  #madeOf = '';
  #closed: string | undefined;

  constructor(client: Client, live: LiveObjects) {
    this.#client = client;
    this.#live = live;
  }

  /** The revision that the spec is; made where there is none. */
  async current(application: Application, signal: AbortSignal): Promise<RevisionName> {
    const { uid = '', generation } = application.metadata;
    const state = `${uid} ${generation ?? ''}`;
    if (this.#made && this.#madeOf === state && generation !== undefined) return this.#made;
    const existing = this.#live
      .all({ apiVersion: API_VERSION, kind: 'ApplicationRevision' })
      .filter((object) => object.metadata.labels?.[label.appName] === application.metadata.name);
    const { revision, isNew } = currentRevision(application, existing, this.#made);
    if (isNew) await this.#client.create(snapshot(application, revision), { signal });
    this.#made = revision;
    this.#madeOf = state;
    return revision;
  }

  /** Records in the revision that its workflow has succeeded. */
  async close(application: Application, workflow: WorkflowStatus, signal: AbortSignal): Promise<void> {
    const name = workflow.appRevision ?? '';
    if (this.#closed === name) return;
    const reference = { apiVersion: API_VERSION, kind: 'ApplicationRevision', namespace: application.metadata.namespace, name };
    const recorded = this.#live.get(reference)?.['status'] as { succeeded?: boolean } | undefined;
    if (recorded?.succeeded !== true) await this.#record(reference, workflow, signal);
    this.#closed = name;
  }

  async #record(reference: Parameters<Client['mergePatch']>[0], workflow: WorkflowStatus, signal: AbortSignal): Promise<void> {
    try {
      await this.#client.mergePatch(reference, { status: { succeeded: true, workflow } }, { subresource: 'status', signal });
    } catch (error) {
      // Somebody deleted the revision: history is theirs to prune.
      if (!(error instanceof ApiError && error.status === 404)) throw error;
    }
  }
}
