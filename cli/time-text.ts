import { formatDuration } from '#api/duration.ts';
import { zoneAbbreviation } from './zone-name.ts';

/** `2026-11-22 09:54:14 +0000 UTC`: how Go, and so `vela`, prints a time in a zone. The text itself where it is no time. */
export function goTime(rfc3339: string, timeZone: string): string {
  const date = new Date(rfc3339);
  if (Number.isNaN(date.getTime())) return rfc3339;
  const parts = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    timeZoneName: 'longOffset',
  }).formatToParts(date);
  const part = (type: string): string => parts.find((one) => one.type === type)?.value ?? '';
  const [, sign = '+', hours = '00', minutes = '00'] = /^GMT([+-])(\d\d):(\d\d)/.exec(part('timeZoneName')) ?? [];
  const offsetSeconds = (Number(hours) * 3_600 + Number(minutes) * 60) * (sign === '-' ? -1 : 1);
  // The tz database's own habit for zones without a name is their offset: +08, +0530.
  const zone = offsetSeconds === 0 && timeZone === 'UTC' ? 'UTC' : zoneAbbreviation(timeZone, offsetSeconds);
  const day = `${part('year')}-${part('month')}-${part('day')}`;
  const time = `${part('hour')}:${part('minute')}:${part('second')}`;
  return `${day} ${time} ${sign}${hours}${minutes} ${zone ?? `${sign}${hours}${minutes === '00' ? '' : minutes}`}`;
}

const UNITS: [name: string, ms: number][] = [
  ['y', 365 * 86_400_000],
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
];

/** `3m ago`, `2d ago`: in the largest unit that fits. */
export function ageText(rfc3339: string, nowMs: number): string | undefined {
  const ms = nowMs - Date.parse(rfc3339);
  if (Number.isNaN(ms)) return undefined;
  for (const [name, unitMs] of UNITS) if (ms >= unitMs) return `${Math.floor(ms / unitMs)}${name} ago`;
  return 'just now';
}

/** `in 1m12s`, or `now` where it is due: whole seconds, rounded up. */
export function inText(atMs: number, nowMs: number): string {
  const seconds = Math.ceil((atMs - nowMs) / 1_000);
  return seconds <= 0 ? 'now' : `in ${formatDuration(seconds * 1_000)}`;
}
