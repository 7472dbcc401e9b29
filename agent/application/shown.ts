import type { ApplicationStatus } from '#api/application.ts';
import { detail } from '#api/details.ts';

/** What others say or have written: git, registries, the API server, the authors of commits. Names and ids stay as they are. */
const WORDS: ReadonlySet<string> = new Set(['message', detail.subject, detail.author, detail.imageMessage]);

/** The status as everybody may see it who may read Applications: without what is known to be secret. */
export function shown(status: ApplicationStatus, scrub: (text: string) => string): ApplicationStatus {
  const clean = (key: string, value: unknown): unknown => (typeof value === 'string' && WORDS.has(key) ? scrub(value) : value);
  return JSON.parse(JSON.stringify(status), clean) as ApplicationStatus;
}
