import { randomBytes } from 'node:crypto';
import type { KubeObject } from '#api/kubernetes.ts';
import { certificatesIn } from '#certs/bundle.ts';
import { expiryOf } from '#certs/expiry.ts';
import { afterStep, bundleOf, type CertificateState, dueStep, type Lives, type RotationInput, type Step } from '#certs/rotation.ts';
import { secretData, stateOfSecret } from '#certs/secret.ts';
import type { Clock } from '#core/clock.ts';
import { messageOf } from '#core/errors.ts';
import type { Log } from '#core/log.ts';
import type { BundleWriter } from './bundle-writer.ts';
import type { CertificateSource, Kept } from './certificate-source.ts';
import type { Cluster } from './cluster.ts';
import { type Configuration, haveBundle } from './configurations.ts';

export interface KeeperOptions {
  cluster: Cluster;
  clock: Clock;
  log: Log;
  /** Of the Secret. */
  namespace: string;
  secret: string;
  bundles: BundleWriter;
  hosts: readonly string[];
  lives: Lives;
  /** In [0, 1): how long this replica waits, so that mostly one of them makes a key and the others see it. */
  patience: number;
  onStep?: (step: Step, why: string) => void;
}

interface Settled {
  state: CertificateState;
  problem?: string;
}

/** More steps than can be due at a time, and more rivals than there are replicas. */
const MAX_WRITES = 12;

/**
 * Keeps the certificates in their Secret and the bundle in both configurations. Every replica runs it; whoever comes first
 * takes the step, and all serve what the Secret holds.
 */
export class CertificateKeeper implements CertificateSource {
  readonly #options: KeeperOptions;
  /** PEM of every authority that this replica has vouched for. */
  readonly #ours = new Set<string>();
  readonly #manager = `lateen-webhook-${randomBytes(4).toString('hex')}`;
  #known: CertificateState | undefined;

  constructor(options: KeeperOptions) {
    this.#options = options;
  }

  async look(): Promise<Kept> {
    const { bundles } = this.#options;
    const configurations = await bundles.read();
    const { state, ...rest } = await this.#settle(configurations);
    this.#known = state;
    const own = certificatesIn(bundleOf(state));
    const retired = [...this.#ours].filter((pem) => !own.includes(pem));
    for (const pem of own) this.#ours.add(pem);
    return { serving: state.serving, ...rest, configurations: await bundles.write(configurations, bundleOf(state), retired) };
  }

  close(): void {}

  /** The state of the Secret after every step that is due. */
  async #settle(configurations: readonly Configuration[]): Promise<Settled> {
    for (let writes = 0; writes < MAX_WRITES; writes++) {
      const secret = await this.#read();
      const held = stateOfSecret(secret?.['data'] as Record<string, string> | undefined);
      if (!held && this.#usable()) {
        // Somebody removed or emptied it: what is served and trusted stays.
        if (await this.#write(this.#usable()!, secret)) this.#options.log.warn('wrote the Secret again', { secret: this.#options.secret });
        continue;
      }
      const input = this.#input(held, configurations);
      const { step, why } = this.#due(input);
      if (step === 'none' && held) return { state: held };
      const next = await afterStep(step, input);
      const written = await this.#write(next, secret).catch((error: unknown) => this.#notWritten(step, error, held));
      if (written === false) continue;
      if (written !== true) return written;
      this.#options.log.info('certificates changed', { step, why, expires: new Date(expiryOf(next.serving.cert)).toISOString() });
      this.#options.onStep?.(step, why);
    }
    throw new Error(`the Secret ${this.#options.secret} changes faster than it can be written`);
  }

  /** A right that is missing, say, must not keep a replica from serving a certificate that is good for a while. */
  #notWritten(step: Step, error: unknown, held: CertificateState | undefined): Settled {
    if (!held || expiryOf(held.serving.cert) <= this.#options.clock.now()) throw error;
    const problem = messageOf(error);
    this.#options.log.warn('certificates not changed', { step, error: problem });
    return { state: held, problem };
  }

  #input(state: CertificateState | undefined, configurations: readonly Configuration[]): RotationInput {
    const { clock, lives, hosts } = this.#options;
    return { state, nowMs: clock.now(), lives, hosts, standing: state !== undefined && haveBundle(configurations, bundleOf(state)) };
  }

  /** What is due, unless it can wait for a more eager replica. */
  #due(input: RotationInput): { step: Step; why: string } {
    const due = dueStep(input);
    if (due.step !== 'renew' && due.step !== 'prepare') return due;
    const { lives, patience } = this.#options;
    const earlier = dueStep({ ...input, nowMs: input.nowMs - (patience * lives.servingMs) / 30 });
    return earlier.step === due.step ? due : { step: 'none', why: 'another replica may do it first' };
  }

  #usable(): CertificateState | undefined {
    const alive = this.#known && expiryOf(this.#known.serving.cert) > this.#options.clock.now();
    return alive ? this.#known : undefined;
  }

  get #path(): string {
    return `/api/v1/namespaces/${this.#options.namespace}/secrets`;
  }

  async #read(): Promise<KubeObject | undefined> {
    const { status, object } = await this.#options.cluster.call('GET', `${this.#path}/${this.#options.secret}`);
    if (status === 404) return undefined;
    if (status !== 200) throw new Error(`the Secret ${this.#options.secret} cannot be read: ${status} ${String(object['message'])}`);
    return object;
  }

  /** False where another replica was faster. */
  async #write(state: CertificateState, before: KubeObject | undefined): Promise<boolean> {
    const { cluster, secret: name, namespace } = this.#options;
    const data = secretData(state);
    const fresh = { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace }, type: 'kubernetes.io/tls', data };
    // A POST has no name that a Role could limit it to, an apply has. The manager is this replica: of two, one is refused.
    const { status, object } = before
      ? await cluster.call('PUT', `${this.#path}/${name}`, { ...before, data })
      : await cluster.call('APPLY', `${this.#path}/${name}?fieldManager=${this.#manager}`, fresh);
    if (status === 409) return false;
    if (status >= 300) throw new Error(`the Secret ${name} cannot be written: ${status} ${String(object['message'])}`);
    return true;
  }
}
