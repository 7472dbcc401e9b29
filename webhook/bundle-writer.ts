import { bundle, certificatesIn, Guests } from '#certs/bundle.ts';
import type { Clock } from '#core/clock.ts';
import type { Log } from '#core/log.ts';
import type { Cluster } from './cluster.ts';
import { bundlesIn, type Configuration, readConfigurations, writeBundle } from './configurations.ts';

/** Far longer than replicas take to get the same files, or to follow each other in an upgrade. */
const GRACE_MS = 600_000;

export interface BundleWriterOptions {
  cluster: Cluster;
  clock: Clock;
  log: Log;
  /** Name of both webhook configurations. */
  configuration: string;
}

/** Keeps what we vouch for in both webhook configurations, and for a while what other replicas wrote there. */
export class BundleWriter {
  readonly #options: BundleWriterOptions;
  readonly #guests = new Guests(GRACE_MS);

  constructor(options: BundleWriterOptions) {
    this.#options = options;
  }

  /** To be read before the certificates: see writeBundle. */
  read(): Promise<Configuration[]> {
    return readConfigurations(this.#options.cluster, this.#options.configuration);
  }

  /** Resolves to the configurations as they stand afterwards. `retired`: PEM that must not stay, whoever wrote it. */
  async write(configurations: Configuration[], own: string, retired: readonly string[] = []): Promise<Configuration[]> {
    const { cluster, clock, log } = this.#options;
    const live = certificatesIn(...bundlesIn(configurations)).filter((pem) => !retired.includes(pem));
    const guests = this.#guests.stay(live, certificatesIn(own), clock.now());
    const written = await writeBundle(cluster, configurations, bundle(own, ...guests));
    if (written === 0) return configurations;
    log.info('wrote the bundle into webhook configurations', { written });
    return this.read();
  }
}
