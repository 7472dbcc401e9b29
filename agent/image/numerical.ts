import { compareBytes } from './byte-order.ts';
import { compareExact, type ExactNumber, parseExactNumber } from './exact-number.ts';
import type { Order, Policy } from './policy.ts';

/**
 * asc takes the largest number, desc the smallest (spec/image-automation.md §3.1). Exact, and what is no number is left
 * out, not fatal. Of equal numbers the one that comes first by bytes is taken, as Flux does where it is not random.
 */
export function numerical(order: Order): Policy {
  const direction = order === 'asc' ? 1 : -1;
  const policy: Policy<ExactNumber> = {
    name: `numerical:${order}`,
    rank(key) {
      const rank = parseExactNumber(key);
      return rank ? { rank } : { reason: 'NotANumber', why: `${shown(key)} is not a number` };
    },
    compare: (a, b) => direction * compareExact(a.rank, b.rank) || compareBytes(b.key, a.key),
  };
  return policy as Policy;
}

function shown(key: string): string {
  return key === '' ? 'the empty text' : JSON.stringify(key.slice(0, 80));
}
