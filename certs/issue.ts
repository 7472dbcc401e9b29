import { generateKeyPair, randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import { promisify } from 'node:util';
import type * as forgeModule from 'node-forge';

/** Certificates of the webhook (RFC 5280), made with node-forge, which is loaded only when one is issued. */

const generate = promisify(generateKeyPair);

/** PEM texts. */
export interface KeyPair {
  cert: string;
  key: string;
}

export interface Validity {
  nowMs: number;
  /** From now on. */
  lifeMs: number;
}

/** Clocks differ: a certificate that is valid from now on is not valid yet for a server that is slow. */
const BACKDATE_MS = 300_000;
const RSA_BITS = 2_048;

type Forge = typeof forgeModule;
type Attributes = { name: string; value: string }[];

interface Plan {
  subject: Attributes;
  extensions: object[];
  notAfterMs: number;
  /** Who signs; absent: it signs itself. */
  authority?: KeyPair;
}

/**
 * A certificate authority of its own name, so that two of them never are taken for each other. It signs server
 * certificates and nothing else.
 */
export function issueAuthority({ nowMs, lifeMs }: Validity): Promise<KeyPair> {
  const subject = [{ name: 'commonName', value: `lateen-webhook-ca-${randomBytes(6).toString('hex')}` }];
  const extensions = [
    { name: 'basicConstraints', cA: true, pathLenConstraint: 0, critical: true },
    { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    { name: 'subjectKeyIdentifier' },
  ];
  return issue({ subject, extensions, notAfterMs: nowMs + lifeMs }, nowMs);
}

/** A server certificate for host names and addresses. It never outlives its authority. */
export async function issueServing(authority: KeyPair, hosts: readonly string[], { nowMs, lifeMs }: Validity): Promise<KeyPair> {
  const { pki } = await loadForge();
  const signer = pki.certificateFromPem(authority.cert);
  const altNames = hosts.map((host) => (isIP(host) === 0 ? { type: 2, value: host } : { type: 7, ip: host }));
  const extensions = [
    { name: 'basicConstraints', cA: false, critical: true },
    { name: 'keyUsage', digitalSignature: true, keyEncipherment: true, critical: true },
    { name: 'extKeyUsage', serverAuth: true },
    { name: 'subjectAltName', altNames },
    { name: 'authorityKeyIdentifier', keyIdentifier: signer.generateSubjectKeyIdentifier().getBytes() },
  ];
  const subject = [{ name: 'commonName', value: 'lateen-webhook' }];
  const notAfterMs = Math.min(nowMs + lifeMs, signer.validity.notAfter.getTime());
  return issue({ subject, extensions, notAfterMs, authority }, nowMs);
}

async function issue(plan: Plan, nowMs: number): Promise<KeyPair> {
  const { pki, md } = await loadForge();
  // Made by OpenSSL in a thread of its own: the server goes on answering.
  const { publicKey, privateKey } = await generate('rsa', {
    modulusLength: RSA_BITS,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const certificate = pki.createCertificate();
  certificate.publicKey = pki.publicKeyFromPem(publicKey);
  certificate.serialNumber = serialNumber();
  certificate.validity.notBefore = new Date(nowMs - BACKDATE_MS);
  certificate.validity.notAfter = new Date(plan.notAfterMs);
  certificate.setSubject(plan.subject);
  certificate.setIssuer(plan.authority ? pki.certificateFromPem(plan.authority.cert).subject.attributes : plan.subject);
  certificate.setExtensions(plan.extensions);
  certificate.sign(pki.privateKeyFromPem(plan.authority?.key ?? privateKey), md.sha256.create());
  return { cert: pki.certificateToPem(certificate).replaceAll('\r\n', '\n'), key: privateKey };
}

async function loadForge(): Promise<Forge> {
  const { default: forge } = await import('node-forge');
  return forge;
}

/** 16 random bytes as a positive number (RFC 5280 §4.1.2.2). */
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = (bytes[0]! & 0x3f) | 0x40;
  return bytes.toString('hex');
}
