import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where systems keep the time zone database (tzset(3)). */
const DATABASES = ['/usr/share/zoneinfo', '/usr/lib/zoneinfo', '/usr/share/lib/zoneinfo', '/etc/zoneinfo'];

/**
 * The abbreviation of a zone at an offset from UTC, such as `CST`, out of the time zone database (RFC 8536), as Go and
 * date(1) print it; Intl has abbreviations for few zones. Undefined where there is no database.
 */
export function zoneAbbreviation(zone: string, offsetSeconds: number): string | undefined {
  if (!/^[A-Za-z0-9_+-]+(\/[A-Za-z0-9_+-]+)*$/.test(zone)) return undefined;
  for (const database of DATABASES) {
    const file = read(join(database, zone));
    const found = file && abbreviationIn(file, offsetSeconds);
    if (found) return found;
  }
  return undefined;
}

function read(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}

const HEADER = 44;
const TYPE = 6;

/** The name of the latest kind of local time with that offset. Reads the first block, which every version of the format has. */
function abbreviationIn(file: Buffer, offsetSeconds: number): string | undefined {
  if (file.length < HEADER || file.toString('latin1', 0, 4) !== 'TZif') return undefined;
  const start = file[4] === 0 ? 0 : secondBlock(file);
  const [transitions, types, letters] = [32, 36, 40].map((at) => file.readUInt32BE(start + at)) as [number, number, number];
  const typeIndexes = start + HEADER + transitions * (start === 0 ? 4 : 8);
  const typeTable = typeIndexes + transitions;
  const names = typeTable + types * TYPE;
  const latestFirst = [...file.subarray(typeIndexes, typeTable)].reverse();
  for (const type of [...latestFirst, ...Array.from({ length: types }, (_, index) => index)]) {
    const at = typeTable + type * TYPE;
    if (file.readInt32BE(at) !== offsetSeconds) continue;
    const name = names + (file[at + 5] ?? 0);
    return file.toString('latin1', name, Math.min(file.indexOf(0, name), names + letters));
  }
  return undefined;
}

/** Version 2 and later repeat everything with times of 64 bits; the first block may be empty there. */
function secondBlock(file: Buffer): number {
  const [isUt, isStd, leaps, transitions, types, letters] = [20, 24, 28, 32, 36, 40].map((at) => file.readUInt32BE(at)) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  return HEADER + transitions * 5 + types * TYPE + letters + leaps * 8 + isStd + isUt;
}
