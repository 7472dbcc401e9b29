import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';

/** What is read of a certificate. PEM in; throws where it is none. */

/** The end of its life, in milliseconds since the epoch. */
export function expiryOf(pem: string): number {
  return Date.parse(new X509Certificate(pem).validTo);
}

/** How long it is good, in milliseconds, from its first moment to its last. */
export function lifeOf(pem: string): number {
  return expiryOf(pem) - Date.parse(new X509Certificate(pem).validFrom);
}

/** Two thirds of a life: the other third is for whoever was away. */
export function renewalOf(pem: string, lifeMs: number): number {
  return expiryOf(pem) - lifeMs / 3;
}

/** Whether half of that third is over as well: something keeps it from being renewed. */
export function isOverdue(pem: string, lifeMs: number, nowMs: number): boolean {
  return expiryOf(pem) - nowMs < lifeMs / 6;
}

/** Whether a server certificate is for all of the hosts. */
export function covers(pem: string, hosts: readonly string[]): boolean {
  const certificate = new X509Certificate(pem);
  return hosts.every((host) => (isIP(host) === 0 ? certificate.checkHost(host) : certificate.checkIP(host)) !== undefined);
}

/** The names and addresses that a certificate is for, as OpenSSL writes them. */
export function hostsOf(pem: string): string {
  return new X509Certificate(pem).subjectAltName ?? '';
}
