import { displayName, type ObjectReference } from '#api/kubernetes.ts';
import { Failure } from '#api/failure.ts';
import type { LiveObject } from '../cluster/projection.ts';
import type { Difference } from './drift-text.ts';
import { keepOnly } from './keep-only.ts';

/** The same thing put back so often within this time is a fight that nobody wins. */
const LIMIT = 5;
const WINDOW_MS = 600_000;
/** What is deleted each time is put back after this time then, and after twice as long each further time. */
const RESTORE_MS = 60_000;
const MAX_FIELDS = 1_000;

/** The object that is fought about, as Git has it. */
interface Disputed {
  id: string;
  /** Digest of the manifest: another one begins anew. */
  manifest: string;
  reference: ObjectReference;
}

interface Lost {
  manifest: string;
  /** Why, and until when nothing is tried, by the state that the object then has. */
  states: Map<string, { fight: Difference; untilMs: number }>;
}

/** Counts how often each field is put back against the same manager, and how often each deleted object. */
export class DriftFights {
  readonly #times = new Map<string, number[]>();
  readonly #lost = new Map<string, Lost>();

  /** By identity, what Git has: of others it is remembered at most how often they were put back. */
  keep(ids: ReadonlySet<string>): void {
    keepOnly(this.#lost, ids);
  }

  /** Fields of an object in that state were put back. */
  record({ id, manifest }: Disputed, differences: readonly Difference[], state: string, nowMs: number): void {
    for (const fight of differences) {
      if (this.#count([id, fight.path, fight.manager ?? ''], nowMs) < LIMIT) continue;
      const before = this.#lost.get(id);
      const lost = before?.manifest === manifest ? before : { manifest, states: new Map() };
      lost.states.set(state, { fight, untilMs: nowMs + WINDOW_MS });
      this.#lost.set(id, lost);
    }
  }

  /** Why the object is left alone in that state; another difference is put back all the same. */
  lost({ id, manifest, reference }: Disputed, state: string, nowMs: number): Failure | undefined {
    const found = this.#lost.get(id);
    if (found && found.manifest !== manifest) this.#lost.delete(id);
    const one = found?.manifest === manifest ? found.states.get(state) : undefined;
    if (!one) return undefined;
    if (isAhead(one.untilMs - nowMs)) return fightFailure(displayName(reference), one.fight);
    found?.states.delete(state);
    return undefined;
  }

  /** A deleted object was put back. */
  restored({ id }: Disputed, nowMs: number): void {
    this.#count([id], nowMs);
  }

  /** Why a deleted object is not put back yet. */
  mayNotRestore({ id, reference }: Disputed, nowMs: number): Failure | undefined {
    const times = this.#recent(JSON.stringify([id]), nowMs);
    const waitMs = Math.min(WINDOW_MS, RESTORE_MS * 2 ** (times.length - LIMIT));
    if (times.length < LIMIT || nowMs - (times.at(-1) ?? 0) >= waitMs) return undefined;
    const name = displayName(reference);
    return new Failure('DriftFight', `${name} was put back ${times.length} times in ten minutes and is deleted each time`, {
      kind: 'stalled',
      remedy: `find out who deletes it (the garbage collector, where its owner is not there), or take ${name} out of Git`,
    });
  }

  /** A person has asked for another try. */
  clear(): void {
    this.#times.clear();
    this.#lost.clear();
  }

  #count(what: readonly string[], nowMs: number): number {
    const key = JSON.stringify(what);
    const times = [...this.#recent(key, nowMs), nowMs];
    this.#times.delete(key);
    this.#times.set(key, times);
    const oldest = this.#times.keys().next();
    if (this.#times.size > MAX_FIELDS && !oldest.done) this.#times.delete(oldest.value);
    return times.length;
  }

  #recent(key: string, nowMs: number): number[] {
    return (this.#times.get(key) ?? []).filter((at) => at <= nowMs && nowMs - at < WINDOW_MS);
  }
}

/** Of more than was ever set, the clock was set back. */
function isAhead(leftMs: number): boolean {
  return leftMs > 0 && leftMs <= WINDOW_MS;
}

/** What of an object differs, as far as a watch tells: the same state is the same difference. */
export function stateOf(live: LiveObject | undefined): string {
  return live ? JSON.stringify([live.ownership.fields, live.ownership.additions ?? null]) : 'deleted';
}

function fightFailure(name: string, { path, manager, added, stood }: Difference): Failure {
  const who = manager ?? 'somebody';
  const does = added ? 'adds' : manager === undefined && !stood ? 'removes' : 'changes';
  const back = added ? 'taken away' : 'put back';
  const remedy = added ? `write ${path} in Git` : `take ${path} out of Git`;
  return new Failure('DriftFight', `${path} of ${name} was ${back} five times in ten minutes and ${who} ${does} it each time`, {
    kind: 'stalled',
    remedy: `${remedy}, or ${manager === undefined ? 'find out who that is' : `stop ${manager}`}`,
  });
}
