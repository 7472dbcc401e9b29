import { DELIMITER, FLUSH, packetsOf, pktLine } from './pkt-line.ts';

export interface PackRequest {
  commit: string;
  /** Commits that are there with all their files: what they have is left out. */
  held: readonly string[];
  /** Those whose parents are not there. */
  shallow: readonly string[];
}

export interface PackAnswer {
  /** The commit, where it has parents: they are not in the pack. */
  shallow: string[];
  pack: Buffer;
}

const SHALLOW_LINE = /^shallow ([0-9a-f]{40})\n?$/;
/** First byte of a packet that holds a piece of the pack, or what a person may read of the progress. */
const [DATA, PROGRESS] = [1, 2];

/** Body of a POST that asks for one commit with its files and without its history (gitprotocol-v2, fetch). */
export function packRequest({ commit, held, shallow }: PackRequest): string {
  const options = ['thin-pack', 'no-progress', 'ofs-delta', 'deepen 1', `want ${commit}`];
  const known = [...shallow.map((id) => `shallow ${id}`), ...held.map((id) => `have ${id}`), 'done'];
  const lines = [...options, ...known].map((line) => pktLine(`${line}\n`));
  return `${pktLine('command=fetch\n')}${DELIMITER}${lines.join('')}${FLUSH}`;
}

/** Undefined where it is anything but what the boundary of the history and a whole pack make. */
export function parsePackAnswer(body: Buffer): PackAnswer | undefined {
  const packets = packetsOf(body);
  const begin = packets?.findIndex((packet) => packet.toString('latin1') === 'packfile\n') ?? -1;
  if (!packets || begin < 0) return undefined;
  const shallow = shallowOf(packets.slice(0, begin).map((packet) => packet.toString('latin1')));
  const pieces = packets.slice(begin + 1).map(pieceOf);
  if (!shallow || pieces.includes(undefined)) return undefined;
  const pack = Buffer.concat(pieces as Buffer[]);
  return pack.toString('latin1', 0, 4) === 'PACK' ? { shallow, pack } : undefined;
}

/** Of the section `shallow-info` and the delimiter behind it, where there is one. */
function shallowOf(lines: readonly string[]): string[] | undefined {
  if (lines.length === 0) return [];
  if (lines[0] !== 'shallow-info\n' || lines.at(-1) !== DELIMITER) return undefined;
  const ids = lines.slice(1, -1).map((line) => SHALLOW_LINE.exec(line)?.[1]);
  return ids.includes(undefined) ? undefined : (ids as string[]);
}

const NOTHING = Buffer.alloc(0);

function pieceOf(packet: Buffer | string): Buffer | undefined {
  if (typeof packet === 'string') return undefined;
  if (packet[0] === PROGRESS) return NOTHING;
  return packet[0] === DATA ? packet.subarray(1) : undefined;
}
