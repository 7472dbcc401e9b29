import type { Listing } from './listing.ts';

/** Media types of smart HTTP (gitprotocol-http). */
export const LS_REFS_HEADERS = {
  'content-type': 'application/x-git-upload-pack-request',
  accept: 'application/x-git-upload-pack-result',
  'git-protocol': 'version=2',
} as const;

const FLUSH = '0000';
const DELIMITER = '0001';
/** The four digits that tell the length of a line count themselves. */
const LENGTH_DIGITS = 4;
/** `COMMIT REF`, then attributes (gitprotocol-v2, ls-refs); of an unborn HEAD there is no commit. */
// oxlint-disable-next-line no-control-regex -- none may stand in a name (git-check-ref-format)
const REF_LINE = /^([0-9a-f]{40}|[0-9a-f]{64}|unborn) ([^\u0000-\u0020\u007f]+)((?: [^\u0000-\u0020\u007f]+)*)\n?$/;
const SYMBOLIC = ' symref-target:refs/heads/';

/** Body of a POST that asks for the refs whose name begins with `ref`, and for what they point at (gitprotocol-v2, ls-refs). */
export function lsRefsRequest(ref: string): string {
  return `${line('command=ls-refs\n')}${DELIMITER}${line('symrefs\n')}${line(`ref-prefix ${ref}\n`)}${FLUSH}`;
}

function line(text: string): string {
  return `${(Buffer.byteLength(text) + LENGTH_DIGITS).toString(16).padStart(LENGTH_DIGITS, '0')}${text}`;
}

/** The refs of an answer. Undefined where it is anything but lines of refs and the flush that ends them. */
export function parseLsRefs(body: Buffer): Listing | undefined {
  const commits = new Map<string, string>();
  let head: string | undefined;
  let at = 0;
  for (;;) {
    const digits = body.toString('latin1', at, at + LENGTH_DIGITS);
    if (digits === FLUSH) return at + LENGTH_DIGITS === body.length ? { commits, head } : undefined;
    const length = /^[0-9a-f]{4}$/.test(digits) ? parseInt(digits, 16) : 0;
    if (length <= LENGTH_DIGITS || at + length > body.length) return undefined;
    const [, commit, ref, attributes = ''] = REF_LINE.exec(body.toString('utf8', at + LENGTH_DIGITS, at + length)) ?? [];
    if (commit === undefined || ref === undefined) return undefined;
    if (commit !== 'unborn') commits.set(ref, commit);
    if (ref === 'HEAD') head = headOf(attributes);
    at += length;
  }
}

function headOf(attributes: string): string | undefined {
  const [, rest] = attributes.split(SYMBOLIC);
  return rest?.split(' ')[0];
}
