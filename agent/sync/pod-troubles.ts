import { type KubeObject, referenceOf } from '#api/kubernetes.ts';
import type { Client } from '../cluster/client.ts';
import { GRACE_MS } from '../cluster/health-rule.ts';
import type { Health } from '../cluster/health.ts';
import { pathOf } from '../cluster/kinds.ts';
import { selectorText } from '../cluster/label-selector.ts';
import type { LiveObject } from '../cluster/projection.ts';
import { podTrouble, progressOf, waitsForPods } from '../cluster/workload-pods.ts';

/** Of more pods than this the others are in the same trouble. */
const MAX_PODS = 50;
/** Looked at after 15 s, then after 30 s more, 60 s, and so on up to this. */
const MAX_PAUSE_MS = 300_000;
/** Without the right to list pods it is asked again this seldom. */
const DENIED_MS = 300_000;
const REQUEST_MS = 10_000;

/** A workload that is in progress. */
interface Slow {
  progress: string;
  looks: number;
  nextMs: number;
  /** Undefined until it is asked for: kept for all workloads it would take memory for what is rare. */
  selector: string | undefined;
  trouble: Health | undefined;
}

export interface PodTroublesContext {
  client: Client;
  namespace: string;
}

/**
 * Why workloads of one component that stay in progress come no further: most workloads do not say of their pods why these do not
 * start. Pods are not watched; those of a workload are listed now and then while nothing about it changes, and none of one that is
 * well. Where the Role does not let us list pods, nothing is said about them.
 */
export class PodTroubles {
  readonly #client: Client;
  readonly #namespace: string;
  /** By UID. */
  #slow = new Map<string, Slow>();
  #deniedUntilMs = 0;

  constructor({ client, namespace }: PodTroublesContext) {
    this.#client = client;
    this.#namespace = namespace;
  }

  /** The worst trouble of all workloads that are in progress, and when to ask again; both undefined where there is nothing to say. */
  async of(inProgress: readonly LiveObject[], signal: AbortSignal): Promise<{ trouble?: Health; nextMs?: number }> {
    const workloads = inProgress.filter(waitsForPods);
    this.#follow(workloads);
    let nextMs: number | undefined;
    let trouble: Health | undefined;
    for (const workload of workloads) {
      const slow = this.#slow.get(uidOf(workload));
      if (!slow) continue;
      // A server that does not answer now is not asked for all the others too.
      if (slow.nextMs <= this.#now() && !(await this.#look(workload, slow, signal))) return { nextMs: slow.nextMs };
      // What is known to be broken is enough: nobody is told of the others.
      if (slow.trouble?.state === 'Failed') return { trouble: slow.trouble, nextMs: slow.nextMs };
      trouble ??= slow.trouble;
      nextMs = Math.min(nextMs ?? slow.nextMs, slow.nextMs);
    }
    return { ...(trouble ? { trouble } : {}), ...(nextMs === undefined ? {} : { nextMs }) };
  }

  /** One that has come further begins anew, with what its own status says. */
  #follow(workloads: readonly LiveObject[]): void {
    if (workloads.length === 0 && this.#slow.size === 0) return;
    const before = this.#slow;
    this.#slow = new Map();
    for (const workload of workloads) {
      const progress = progressOf(workload);
      const known = before.get(uidOf(workload));
      const fresh = { progress, looks: 0, nextMs: this.#now() + GRACE_MS, selector: known?.selector, trouble: undefined };
      this.#slow.set(uidOf(workload), known?.progress === progress ? known : fresh);
    }
  }

  /** False where there was no answer: what was known stays so until the next look. */
  async #look(workload: LiveObject, slow: Slow, signal: AbortSignal): Promise<boolean> {
    let answered = true;
    try {
      slow.trouble = podTrouble(workload, await this.#podsOf(workload, slow, signal), this.#now());
    } catch (error) {
      if (signal.aborted) throw error;
      answered = false;
    }
    slow.looks++;
    slow.nextMs = Math.max(this.#now() + Math.min(GRACE_MS * 2 ** slow.looks, MAX_PAUSE_MS), this.#deniedUntilMs);
    return answered || slow.trouble !== undefined;
  }

  async #podsOf(workload: LiveObject, slow: Slow, signal: AbortSignal): Promise<KubeObject[]> {
    if (this.#now() < this.#deniedUntilMs) return [];
    slow.selector ??= await this.#selectorOf(workload, signal);
    const kind = await this.#client.kinds.find('v1', 'Pod');
    if (slow.selector === undefined || !kind) return [];
    // The first page alone.
    const { status, body } = await this.#client.transport.request({
      method: 'GET',
      path: pathOf(kind, { namespace: this.#namespace }),
      query: { labelSelector: slow.selector, limit: String(MAX_PODS) },
      timeoutMs: REQUEST_MS,
      hasTime: true,
      signal,
    });
    if (status === 403) this.#deniedUntilMs = this.#now() + DENIED_MS;
    else if (status >= 300) throw new Error(`the API server answered ${status} to the list of pods`);
    return (body as { items?: KubeObject[] }).items ?? [];
  }

  async #selectorOf(workload: LiveObject, signal: AbortSignal): Promise<string | undefined> {
    const reference = { ...referenceOf(workload), namespace: this.#namespace };
    const whole = await this.#client.get(reference, { timeoutMs: REQUEST_MS, hasTime: true, signal });
    return selectorText((whole?.['spec'] as { selector?: object } | undefined)?.selector);
  }

  #now(): number {
    return this.#client.transport.serverNow();
  }
}

function uidOf({ metadata }: LiveObject): string {
  return metadata.uid ?? '';
}
