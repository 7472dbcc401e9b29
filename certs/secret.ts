import type { CertificateState } from './rotation.ts';
import { bundleOf } from './rotation.ts';

/** The Secret `lateen-webhook-tls` (type kubernetes.io/tls): `tls.crt`, `tls.key` and `ca.crt` as tools expect them, and the whole state. */

const STATE = 'state.json';

/** `data` of the Secret, in base64. */
export function secretData(state: CertificateState): Record<string, string> {
  const texts = { 'tls.crt': state.serving.cert, 'tls.key': state.serving.key, 'ca.crt': bundleOf(state), [STATE]: JSON.stringify(state) };
  return Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, Buffer.from(text).toString('base64')]));
}

/** The state in a Secret; undefined where there is none that can be read, and a new one must be made. */
export function stateOfSecret(data: Readonly<Record<string, string>> | undefined): CertificateState | undefined {
  const text = data?.[STATE];
  if (text === undefined) return undefined;
  try {
    const state = JSON.parse(Buffer.from(text, 'base64').toString('utf8')) as CertificateState;
    bundleOf(state);
    return isPair(state.serving) && isPair(state.authority) ? state : undefined;
  } catch {
    return undefined;
  }
}

function isPair(pair: { cert?: unknown; key?: unknown }): boolean {
  return [pair.cert, pair.key].every((text) => typeof text === 'string' && text.startsWith('-----BEGIN '));
}
