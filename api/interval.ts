import { formatDuration, parseDuration } from './duration.ts';
import type { Finding, Site } from './schema.ts';
import { quote, shorten } from './wording.ts';

// The longest that setTimeout can wait; longer ones fire at once.
const MAX_MS = 2 ** 31 - 1;

/** A Go duration over zero. */
export function durationRule(text: string): Finding[] {
  const ms = text.length > 64 ? undefined : parseDuration(text);
  if (ms === undefined) return [finding(text, 'must be a duration such as 5m or 1h30m', instead(text))];
  if (ms <= 0) return [finding(text, 'must be longer than zero', 'write a duration such as 5m')];
  return ms > MAX_MS ? [finding(text, 'must be shorter than 25 days', 'write 24h or the like')] : [];
}

/** A duration that is not under the minimum of the agent, where whoever asks knows it. */
export function pullIntervalRule(text: string, { context }: Site): Finding[] {
  const mistakes = durationRule(text);
  const minimum = context.minIntervalMs;
  if (mistakes.length > 0 || minimum === undefined || parseDuration(text)! >= minimum) return mistakes;
  return [
    {
      code: 'IntervalTooShort',
      text: `must be at least ${formatDuration(minimum)} (the agent's setting min-interval), received ${quote(text)}`,
      value: shorten(text),
      remedy: `write ${formatDuration(minimum)} or more`,
    },
  ];
}

function finding(text: string, problem: string, remedy: string): Finding {
  return { code: 'InvalidDuration', text: `${problem}, received ${quote(text)}`, value: shorten(text), remedy };
}

/** The likeliest meaning of what is not a Go duration: days, weeks, or a number without a unit. */
function instead(text: string): string {
  const days = /^(\d{1,4})\s*([dw])$/.exec(text);
  if (days) return `write ${Number(days[1]) * (days[2] === 'w' ? 168 : 24)}h`;
  if (/^\d{1,6}$/.test(text)) return `add a unit: ${text}s or ${text}m`;
  return /^\d{1,6}\s+(ms|s|m|h)$/.test(text) ? `write ${text.replace(/\s+/, '')}` : 'write a number and a unit: ms, s, m or h';
}
