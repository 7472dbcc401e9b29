import type { Listing } from './listing.ts';
import { DELIMITER, FLUSH, packetsOf, pktLine } from './pkt-line.ts';

/** `COMMIT REF`, then attributes (gitprotocol-v2, ls-refs); of an unborn HEAD there is no commit. */
// oxlint-disable-next-line no-control-regex -- none may stand in a name (git-check-ref-format)
const REF_LINE = /^([0-9a-f]{40}|[0-9a-f]{64}|unborn) ([^\u0000-\u0020\u007f]+)((?: [^\u0000-\u0020\u007f]+)*)\n?$/;
const SYMBOLIC = ' symref-target:refs/heads/';

/** Body of a POST that asks for the refs whose name begins with `ref`, and for what they point at (gitprotocol-v2, ls-refs). */
export function lsRefsRequest(ref: string): string {
  return `${pktLine('command=ls-refs\n')}${DELIMITER}${pktLine('symrefs\n')}${pktLine(`ref-prefix ${ref}\n`)}${FLUSH}`;
}

/** The refs of an answer. Undefined where it is anything but lines of refs and the flush that ends them. */
export function parseLsRefs(body: Buffer): Listing | undefined {
  const commits = new Map<string, string>();
  let head: string | undefined;
  const packets = packetsOf(body);
  for (const packet of packets ?? []) {
    const [, commit, ref, attributes = ''] = REF_LINE.exec(packet.toString('utf8')) ?? [];
    if (commit === undefined || ref === undefined) return undefined;
    if (commit !== 'unborn') commits.set(ref, commit);
    if (ref === 'HEAD') head = headOf(attributes);
  }
  return packets && { commits, head };
}

function headOf(attributes: string): string | undefined {
  const [, rest] = attributes.split(SYMBOLIC);
  return rest?.split(' ')[0];
}
