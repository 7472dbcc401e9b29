import type { SecureContextOptions } from 'node:tls';
import type { Connection } from './connection.ts';

/** What of a connection node:tls and node:https are told. */
export function tlsOptions({
  ca,
  cert,
  key,
  serverName,
  insecure,
}: Connection): SecureContextOptions & { servername?: string; rejectUnauthorized?: boolean } {
  return {
    ...(ca ? { ca } : {}),
    ...(cert ? { cert } : {}),
    ...(key ? { key } : {}),
    ...(serverName ? { servername: serverName } : {}),
    ...(insecure ? { rejectUnauthorized: false } : {}),
  };
}
