import type { KeyPair } from '#certs/issue.ts';
import type { Configuration } from './configurations.ts';

/** Where the certificates come from: made here (certificate-keeper.ts), or given as files (certificate-files.ts). */
export interface CertificateSource {
  /** One look: does whatever is due, and mends the configurations. Rejects where there is nothing to serve. */
  look(): Promise<Kept>;
  close(): void;
}

export interface Kept {
  serving: KeyPair;
  configurations: Configuration[];
  /** Why a step that is due was not taken: what there is goes on being served. */
  problem?: string;
}
