import type { ApplicationStatus } from '#api/application.ts';
import { detail } from '#api/details.ts';

/** What others say or have written: git, registries, the API server, the authors of commits. Names and ids stay as they are. */
const WORDS: ReadonlySet<string> = new Set(['message', detail.subject, detail.author, detail.imageMessage]);

/** The status as everybody may see it who may read Applications: without what is known to be secret. Itself where it holds none. */
export function shown(status: ApplicationStatus, scrub: (text: string) => string): ApplicationStatus {
  return clean('', status, scrub) as ApplicationStatus;
}

/** A status is looked at in every pass and hardly ever changed: nothing is copied then. */
function clean(key: string, value: unknown, scrub: (text: string) => string): unknown {
  if (typeof value === 'string') return WORDS.has(key) ? scrub(value) : value;
  if (typeof value !== 'object' || value === null) return value;
  let changed: Record<string, unknown> | undefined;
  for (const [name, before] of Object.entries(value)) {
    const after = clean(name, before, scrub);
    if (after === before) continue;
    changed ??= (Array.isArray(value) ? [...(value as unknown[])] : { ...value }) as Record<string, unknown>;
    changed[name] = after;
  }
  return changed ?? value;
}
