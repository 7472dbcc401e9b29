import { X509Certificate, createPrivateKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { certificatesIn } from './bundle.ts';
import type { KeyPair } from './issue.ts';

/** Certificates that somebody else makes, as cert-manager and `kubectl create secret tls` name the keys of their Secret. */
export interface CertificateFiles {
  serving: KeyPair;
  /** PEM: what a caller has to trust. */
  authorities: string;
}

/**
 * Reads `tls.crt`, `tls.key` and `ca.crt` of a folder. Throws, with what to do, where one is missing or they do not belong
 * together: the files of a mounted Secret are changed together, those of other folders one after another.
 */
export async function readCertificateFiles(folder: string): Promise<CertificateFiles> {
  const [cert, key, authorities] = await Promise.all(['tls.crt', 'tls.key', 'ca.crt'].map((name) => readText(folder, name)));
  if (certificatesIn(authorities!).length === 0) throw new Error(`${join(folder, 'ca.crt')} holds no certificate in PEM`);
  if (!belongTogether(cert!, key!, folder))
    throw new Error(`the key in ${join(folder, 'tls.key')} is not that of the certificate in tls.crt; write both anew`);
  return { serving: { cert: cert!, key: key! }, authorities: authorities! };
}

async function readText(folder: string, name: string): Promise<string> {
  return readFile(join(folder, name), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    throw new Error(`${folder} has no file ${name}; the Secret of the webhook needs the keys tls.crt, tls.key and ca.crt`);
  });
}

/** Errors of OpenSSL quote nothing of a key. */
function belongTogether(cert: string, key: string, folder: string): boolean {
  try {
    return new X509Certificate(cert).checkPrivateKey(createPrivateKey(key));
  } catch (error) {
    throw new Error(`tls.crt or tls.key in ${folder} is no PEM that can be read: ${(error as Error).message}`, { cause: error });
  }
}
