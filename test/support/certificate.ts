import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';

/** DER (ITU-T X.690): just enough of it to write a certificate, so that tests need neither openssl nor stored keys. */

function tlv(tag: number, ...contents: Uint8Array[]): Buffer {
  const body = Buffer.concat(contents);
  const length = body.length < 128 ? [body.length] : [0x82, body.length >> 8, body.length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
}

const sequence = (...parts: Uint8Array[]): Buffer => tlv(0x30, ...parts);
const oid = (hex: string): Buffer => tlv(0x06, Buffer.from(hex, 'hex'));
const octets = (content: Uint8Array): Buffer => tlv(0x04, content);
const TRUE = tlv(0x01, Buffer.from([0xff]));

const COMMON_NAME = '550403';
const ECDSA_WITH_SHA256 = '2a8648ce3d040302';
const BASIC_CONSTRAINTS = '551d13';
const SUBJECT_ALT_NAME = '551d11';

function name(commonName: string): Buffer {
  return sequence(tlv(0x31, sequence(oid(COMMON_NAME), tlv(0x0c, Buffer.from(commonName)))));
}

/** UTCTime, RFC 5280 §4.1.2.5.1. */
function time(date: Date): Buffer {
  return tlv(0x17, Buffer.from(`${date.toISOString().replace(/\D/g, '').slice(2, 14)}Z`));
}

function extension(id: string, value: Uint8Array, critical = false): Buffer {
  return sequence(oid(id), ...(critical ? [TRUE] : []), octets(value));
}

export interface Certificate {
  /** PEM. */
  cert: string;
  /** PEM. */
  key: string;
}

/** A self-signed certificate (RFC 5280), its own authority, for one day and for the IPv4 address. */
export function selfSignedCertificate(address = '127.0.0.1', now = Date.now()): Certificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const hour = 3_600_000;
  const signature = sequence(oid(ECDSA_WITH_SHA256));
  const addresses = sequence(tlv(0x87, Buffer.from(address.split('.').map(Number))));
  const serial = Buffer.concat([Buffer.from([1]), randomBytes(15)]);
  const body = sequence(
    tlv(0xa0, tlv(0x02, Buffer.from([2]))),
    tlv(0x02, serial),
    signature,
    name('Lateen test authority'),
    sequence(time(new Date(now - hour)), time(new Date(now + 24 * hour))),
    name('Lateen test authority'),
    publicKey.export({ type: 'spki', format: 'der' }),
    tlv(0xa3, sequence(extension(BASIC_CONSTRAINTS, sequence(TRUE), true), extension(SUBJECT_ALT_NAME, addresses))),
  );
  const signed = sequence(body, signature, tlv(0x03, Buffer.from([0]), sign('sha256', body, privateKey)));
  const base64 = signed.toString('base64').replace(/.{1,64}/g, '$&\n');
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${base64}-----END CERTIFICATE-----\n`,
    key: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
  };
}
