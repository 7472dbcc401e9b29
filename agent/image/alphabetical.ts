import { compareBytes } from './byte-order.ts';
import type { Order, Policy } from './policy.ts';

/** Byte order, no locale: asc takes the greatest text, desc the least (spec/image-automation.md §3.2). */
export function alphabetical(order: Order): Policy {
  const direction = order === 'asc' ? 1 : -1;
  return {
    name: `alphabetical:${order}`,
    rank: () => ({ rank: undefined }),
    compare: (a, b) => direction * compareBytes(a.key, b.key),
  };
}
