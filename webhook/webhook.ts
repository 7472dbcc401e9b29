import type { Express } from 'express';
import { expiryOf } from '#certs/expiry.ts';
import { livesOf } from '#certs/rotation.ts';
import { backoffMs } from '#core/backoff.ts';
import type { Clock } from '#core/clock.ts';
import { messageOf } from '#core/errors.ts';
import type { Log } from '#core/log.ts';
import type { Settings } from '#core/settings.ts';
import { createApp } from './app.ts';
import { BundleWriter } from './bundle-writer.ts';
import { ExpiryWarning, tellStep } from './certificate-events.ts';
import { MountedCertificates } from './certificate-files.ts';
import { CertificateKeeper } from './certificate-keeper.ts';
import type { CertificateSource, Kept } from './certificate-source.ts';
import type { Cluster } from './cluster.ts';
import { bundlesIn } from './configurations.ts';
import { messageClasses } from './message-classes.ts';
import { WebhookMetrics } from './metrics.ts';
import { Namespaces } from './namespaces.ts';
import { checkSelf } from './self-check.ts';
import { startTlsServer, type TlsServer } from './server.ts';
import type { webhookSettings } from './settings.ts';

export type WebhookSettings = Settings<typeof webhookSettings>;

export interface WebhookParts {
  settings: WebhookSettings;
  cluster: Cluster;
  clock: Clock;
  log: Log;
  random: () => number;
}

/** How soon a configuration that somebody emptied is mended. */
const LONGEST_LOOK_MS = 10_000;
/** While it is not ready, what is missing may be there in a moment: the bundle of another replica, say. */
const UNREADY_LOOK_MS = 1_000;

/** One replica of the webhook, from its first certificate to its end. */
export class Webhook {
  readonly #parts: WebhookParts;
  readonly #certificates: CertificateSource;
  readonly #namespaces: Namespaces;
  readonly #metrics = new WebhookMetrics();
  readonly #warning: ExpiryWarning;
  readonly #app: Express;
  #server: TlsServer | undefined;
  #served: string | undefined;
  #problem: string | undefined = 'it has not reached itself yet';
  /** Aborted: look again now. */
  #wake = new AbortController();

  constructor(parts: WebhookParts) {
    this.#parts = parts;
    const { settings, log } = parts;
    this.#certificates = certificatesOf(parts, () => this.#wake.abort());
    this.#namespaces = new Namespaces(parts);
    this.#warning = new ExpiryWarning(parts);
    this.#metrics.ready.set({}, 0);
    this.#app = createApp({
      log,
      metrics: this.#metrics,
      minIntervalMs: settings.minInterval,
      namespace: (name) => this.#namespaces.facts(name),
      ready: () => this.#problem,
    });
  }

  /** The port, once it listens. */
  get port(): number | undefined {
    return this.#server?.port;
  }

  /** Runs until the signal, then drains. */
  async run(signal: AbortSignal): Promise<void> {
    const stop = new AbortController();
    const watching = this.#namespaces.run(AbortSignal.any([signal, stop.signal]));
    await this.#keep(signal);
    const { clock, settings, log } = this.#parts;
    this.#setProblem('it is stopping');
    log.info('draining', { ms: settings.drain });
    this.#server?.drain();
    if (this.#server) await clock.sleep(settings.drain);
    stop.abort();
    await watching;
    await this.#server?.close();
    this.#certificates.close();
    this.#parts.cluster.close();
  }

  async #keep(signal: AbortSignal): Promise<void> {
    const { clock, random, log, settings } = this.#parts;
    const pauseMs = Math.min(LONGEST_LOOK_MS, Math.max(300, settings.certificateLife / 60));
    for (let failures = 0; !signal.aborted; ) {
      this.#wake = new AbortController();
      try {
        this.#warning.look(this.#served, await this.#look());
        failures = 0;
      } catch (error) {
        log.warn('certificates cannot be looked after', { error: messageOf(error) });
        this.#warning.look(this.#served, messageOf(error));
        failures += 1;
      }
      const dueMs = this.#problem === undefined ? pauseMs : Math.min(pauseMs, UNREADY_LOOK_MS);
      const waitMs = failures > 0 ? backoffMs(failures - 1, random(), { firstMs: 500, maxMs: LONGEST_LOOK_MS }) : dueMs;
      await clock.sleep(waitMs, AbortSignal.any([signal, this.#wake.signal])).catch(() => undefined);
    }
  }

  /** Resolves to what kept the certificate from being renewed, if anything did. */
  async #look(): Promise<string | undefined> {
    const kept = await this.#certificates.look();
    await this.#serve(kept);
    const problem = await this.#checkSelf(kept);
    if (problem !== this.#problem)
      this.#parts.log.info(problem === undefined ? 'ready' : 'not ready', problem === undefined ? {} : { why: problem });
    this.#setProblem(problem);
    return kept.problem;
  }

  #setProblem(problem: string | undefined): void {
    this.#problem = problem;
    this.#metrics.ready.set({}, problem === undefined ? 1 : 0);
  }

  async #serve({ serving }: Kept): Promise<void> {
    if (serving.cert === this.#served) return;
    const { address } = this.#parts.settings;
    if (this.#server) this.#server.reload(serving);
    else this.#server = await startTlsServer({ ...address, pair: serving, listener: this.#app, classes: messageClasses(this.#app) });
    this.#served = serving.cert;
    this.#metrics.expiry.set({}, expiryOf(serving.cert) / 1000);
    this.#parts.log.info('serving', { port: this.#server.port, expires: new Date(expiryOf(serving.cert)).toISOString() });
  }

  /** With the bundle of each webhook, not with the one that we know: it is the API server that has to reach us. */
  async #checkSelf({ configurations }: Kept): Promise<string | undefined> {
    const { settings } = this.#parts;
    if (configurations.some(({ object }) => !object)) return `the webhook configuration ${settings.configuration} is not there`;
    const serverName = `${settings.service}.${settings.namespace}.svc`;
    const { host } = settings.address;
    const port = this.#server!.port;
    const problems = await Promise.all(
      [...new Set(bundlesIn(configurations))].map((bundle) => checkSelf({ port, host, serverName, bundle })),
    );
    return problems.find((problem) => problem !== undefined);
  }
}

function certificatesOf(parts: WebhookParts, onHint: () => void): CertificateSource {
  const { settings, cluster, clock, log, random } = parts;
  const { namespace, secret, configuration, certificateFiles: folder } = settings;
  const bundles = new BundleWriter({ cluster, clock, log, configuration });
  if (folder !== '') return new MountedCertificates({ folder, bundles, clock, log, onHint });
  return new CertificateKeeper({
    cluster,
    clock,
    log,
    namespace,
    secret,
    bundles,
    hosts: hostsOf(settings),
    lives: livesOf(settings.certificateLife),
    patience: random(),
    onStep: (step, why) => tellStep(parts, step, why),
  });
}

/** Every name that the API server may call it by. */
function hostsOf({ service, namespace, hosts }: WebhookSettings): string[] {
  return [...new Set([service, `${service}.${namespace}`, `${service}.${namespace}.svc`, ...hosts])];
}
