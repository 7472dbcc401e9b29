// oxlint-disable-next-line no-control-regex -- ASCII is what it asks for
const ASCII = /^[\u0000-\u007f]*$/;

/** Order of the UTF-8 bytes. For tags, which are ASCII, JavaScript's own order is that. */
export function compareBytes(a: string, b: string): number {
  if (a === b) return 0;
  if (ASCII.test(a) && ASCII.test(b)) return a < b ? -1 : 1;
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
