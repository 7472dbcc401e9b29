/** Lines of Git's protocols: each has its length in front, which counts itself (gitprotocol-common). */

export const FLUSH = '0000';
export const DELIMITER = '0001';
const LENGTH_DIGITS = 4;

export type Packet = Buffer | typeof FLUSH | typeof DELIMITER;

export function pktLine(text: string): string {
  return `${(Buffer.byteLength(text) + LENGTH_DIGITS).toString(16).padStart(LENGTH_DIGITS, '0')}${text}`;
}

/** The packets of an answer that ends with its only flush, without that. Undefined where it is anything else. */
export function packetsOf(body: Buffer): Packet[] | undefined {
  const packets: Packet[] = [];
  let at = 0;
  for (;;) {
    const digits = body.toString('latin1', at, at + LENGTH_DIGITS);
    if (digits === FLUSH) return at + LENGTH_DIGITS === body.length ? packets : undefined;
    const length = /^[0-9a-f]{4}$/.test(digits) ? parseInt(digits, 16) : 0;
    const end = digits === DELIMITER ? at + LENGTH_DIGITS : at + length;
    if (digits !== DELIMITER && length <= LENGTH_DIGITS) return undefined;
    if (end > body.length) return undefined;
    packets.push(digits === DELIMITER ? DELIMITER : body.subarray(at + LENGTH_DIGITS, end));
    at = end;
  }
}
