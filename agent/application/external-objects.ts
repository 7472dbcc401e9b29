import type { ApplicationSpec, PolicyObject, WorkflowObject } from '#api/application.ts';
import type { Cause } from '#api/failure.ts';
import type { KubeObject, ObjectMeta } from '#api/kubernetes.ts';
import { groupOf } from '#api/kubernetes.ts';
import { EXTERNAL_VERSION, GROUP } from '#api/names.ts';
import { ApiError } from '../cluster/client.ts';
import type { LiveObjects } from '../cluster/live-objects.ts';
import { type Externals, externalsOf, mayNameExternals, NO_EXTERNALS } from '../revision/externals.ts';

const POLICY = { apiVersion: EXTERNAL_VERSION, kind: 'Policy' };
const WORKFLOW = { apiVersion: EXTERNAL_VERSION, kind: 'Workflow' };

/** The Policy and Workflow objects that one Application names, watched while it names any. */
export class ExternalObjects {
  readonly #live: LiveObjects;
  readonly #namespace: string;
  readonly #user: string;
  #watching = false;

  constructor({ name, namespace = '' }: ObjectMeta, { live }: { live: LiveObjects }) {
    this.#live = live;
    this.#namespace = namespace;
    this.#user = `workflow ${name ?? ''}`;
  }

  /** `unwatched`: nobody will tell when what is missing comes. */
  async of(spec: ApplicationSpec): Promise<{ externals: Externals; missing: Cause[]; unwatched: boolean }> {
    if (!mayNameExternals(spec)) {
      await this.stop();
      return { externals: NO_EXTERNALS, missing: [], unwatched: false };
    }
    // A kind that is not installed, or no longer, holds no object: what is named is missing then.
    const refused = await this.#live.need(this.#user, [POLICY, WORKFLOW]);
    for (const error of refused.values()) if (!(error instanceof ApiError && error.status === 404)) throw error;
    this.#watching = true;
    const namespace = this.#namespace;
    const found = externalsOf(spec, {
      policy: (name) => this.#live.get({ ...POLICY, namespace, name }) as unknown as PolicyObject | undefined,
      workflow: (name) => this.#live.get({ ...WORKFLOW, namespace, name }) as unknown as WorkflowObject | undefined,
    });
    return { ...found, unwatched: refused.size > 0 || [POLICY, WORKFLOW].some((kind) => !this.#live.watches(kind)) };
  }

  /** Whether a change of the object may change what the Application is. */
  concern({ apiVersion, kind }: KubeObject): boolean {
    return this.#watching && groupOf(apiVersion) === GROUP && (kind === 'Policy' || kind === 'Workflow');
  }

  async stop(): Promise<void> {
    if (!this.#watching) return;
    this.#watching = false;
    await this.#live.need(this.#user, []);
  }
}
