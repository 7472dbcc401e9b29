import { type FSWatcher, watch } from 'node:fs';
import { expiryOf } from '#certs/expiry.ts';
import { type CertificateFiles, readCertificateFiles } from '#certs/files.ts';
import type { KeyPair } from '#certs/issue.ts';
import type { Clock } from '#core/clock.ts';
import { messageOf } from '#core/errors.ts';
import type { Log } from '#core/log.ts';
import type { BundleWriter } from './bundle-writer.ts';
import type { CertificateSource, Kept } from './certificate-source.ts';
import { haveBundle } from './configurations.ts';

export interface MountedOptions {
  folder: string;
  bundles: BundleWriter;
  clock: Clock;
  log: Log;
  /** The folder may have changed. */
  onHint: () => void;
}

/** How long an authority stands in the configurations before a certificate of it is served: the API server hears of it in less. */
const STANDING_MS = 2_000;

/**
 * Certificates that cert-manager or a person makes, in a mounted Secret. They are read at every look, so nothing depends on
 * the watch of the folder, which only brings the look forward: the kernel tells of no change on some file systems (network
 * file systems, some overlays), and may be out of watches. What was read last goes on being served while the files are wrong.
 */
export class MountedCertificates implements CertificateSource {
  readonly #options: MountedOptions;
  #last: CertificateFiles | undefined;
  #serving: KeyPair | undefined;
  #problem: string | undefined;
  /** When a configuration was last seen without our authority. */
  #untrustedMs = Number.NEGATIVE_INFINITY;
  #watcher: FSWatcher | undefined;

  constructor(options: MountedOptions) {
    this.#options = options;
  }

  async look(): Promise<Kept> {
    const { bundles } = this.#options;
    this.#watch();
    const configurations = await bundles.read();
    const { files, problem } = await this.#read();
    const nowMs = this.#options.clock.now();
    if (!haveBundle(configurations, files.authorities)) this.#untrustedMs = nowMs;
    const written = await bundles.write(configurations, files.authorities);
    const former = this.#serving && this.#isAlive(this.#serving) ? this.#serving : undefined;
    this.#serving = nowMs - this.#untrustedMs < STANDING_MS && former ? former : files.serving;
    return { serving: this.#serving, configurations: written, ...(problem === undefined ? {} : { problem }) };
  }

  close(): void {
    this.#watcher?.close();
  }

  async #read(): Promise<{ files: CertificateFiles; problem?: string }> {
    const { folder, log } = this.#options;
    try {
      const files = await readCertificateFiles(folder);
      if (files.serving.cert !== this.#last?.serving.cert)
        log.info('certificate read', { folder, expires: new Date(expiryOf(files.serving.cert)).toISOString() });
      this.#last = files;
      this.#problem = undefined;
      return { files };
    } catch (error) {
      if (!this.#last || !this.#isAlive(this.#last.serving)) throw error;
      const problem = messageOf(error);
      if (problem !== this.#problem) log.warn('certificate files are not used', { error: problem });
      this.#problem = problem;
      return { files: this.#last, problem };
    }
  }

  #isAlive({ cert }: KeyPair): boolean {
    return expiryOf(cert) > this.#options.clock.now();
  }

  /** Of the folder, not of the files: the kubelet puts a new folder in the place of the old one behind a link. */
  #watch(): void {
    if (this.#watcher) return;
    const { folder, log, onHint } = this.#options;
    try {
      this.#watcher = watch(folder, onHint);
      this.#watcher.on('error', () => this.#unwatch());
    } catch (error) {
      log.debug('folder cannot be watched; it is read every few seconds', { folder, error: messageOf(error) });
    }
  }

  #unwatch(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
  }
}
