import type { ApplicationSpec, PolicyObject, WorkflowObject } from '#api/application.ts';
import type { Cause } from '#api/failure.ts';
import type { KubeObject, ObjectMeta } from '#api/kubernetes.ts';
import { groupOf } from '#api/kubernetes.ts';
import { EXTERNAL_VERSION, GROUP } from '#api/names.ts';
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

  async of(spec: ApplicationSpec): Promise<{ externals: Externals; missing: Cause[] }> {
    if (!mayNameExternals(spec)) {
      await this.stop();
      return { externals: NO_EXTERNALS, missing: [] };
    }
    // A kind that is not installed holds no object: what is named is missing then.
    for (const refused of (await this.#live.need(this.#user, [POLICY, WORKFLOW])).values()) throw refused;
    this.#watching = true;
    const namespace = this.#namespace;
    return externalsOf(spec, {
      policy: (name) => this.#live.get({ ...POLICY, namespace, name }) as unknown as PolicyObject | undefined,
      workflow: (name) => this.#live.get({ ...WORKFLOW, namespace, name }) as unknown as WorkflowObject | undefined,
    });
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
