import type { RevisionName } from './snapshot.ts';

/** A revision that is there, as much of it as the decision needs. */
export interface Recorded extends RevisionName {
  /** Its publishVersion. */
  version: string | undefined;
  /** False: it belongs to an earlier Application of the name and will be collected with it; only its number counts. */
  usable: boolean;
  succeeded: boolean;
  /** startTime of the run that its status records; undefined while none has ended. */
  endedRun: string | undefined;
}

/** The Application as it stands now. */
export interface Wanted {
  application: string;
  /** Over the spec and what it names. */
  hash: string;
  version: string | undefined;
  /** The value of the annotation lateen.dev/hold. */
  hold: string | undefined;
  /** status.latestRevision. */
  latest: { name: string; revision: number } | undefined;
}

export type NoteReason = 'Held' | 'PublishVersionUnchanged' | 'VersionReused' | 'RevisionNotFound';

export interface Decision {
  revision: RevisionName & { version: string | undefined };
  isNew: boolean;
  /** True: the snapshot of the revision runs, and not the spec. */
  stored: boolean;
  /** Why what the spec says does not run. */
  note?: NoteReason;
  /** The revision that the note is about, where it is not the one that runs. */
  about?: string;
}

/**
 * Which revision an Application is to run (spec/kubevela.md §3.1-3.2). Numbers only grow and no snapshot is overwritten; a
 * hold goes before everything; a publishVersion runs what it ran when it was first seen, whatever has become of the spec.
 */
export function decide(wanted: Wanted, recorded: readonly Recorded[]): Decision {
  const usable = recorded.filter((one) => one.usable).toSorted((left, right) => right.number - left.number);
  const latest = usable.find(({ name }) => name === wanted.latest?.name) ?? usable[0];
  if (wanted.hold !== undefined) return held(wanted, { usable, latest, all: recorded });
  if (wanted.version === undefined) {
    const [newest] = usable;
    return newest?.version === undefined && newest?.hash === wanted.hash ? run(newest, wanted) : fresh(wanted, recorded);
  }
  const drives = [latest, usable[0]].find((one) => one?.version === wanted.version);
  if (drives) return run(drives, wanted);
  const earlier = usable.find(({ version }) => version === wanted.version);
  if (!earlier) return fresh(wanted, recorded);
  // Only the version went back (a `git revert` of its bump): the Application says that version, and it runs.
  if (earlier.hash === wanted.hash || latest?.hash === wanted.hash) return run(earlier, wanted);
  return { ...run(latest ?? earlier, wanted), stored: true, note: 'VersionReused', about: earlier.name };
}

function held(wanted: Wanted, found: { usable: readonly Recorded[]; latest: Recorded | undefined; all: readonly Recorded[] }): Decision {
  const { hold = '', application } = wanted;
  const one = found.usable.find(({ name }) => name === hold || name === `${application}-${hold}`);
  if (one) return { ...run(one, wanted), note: 'Held' };
  const { latest } = found;
  const decision = latest ? run(latest, wanted) : fresh(wanted, found.all);
  return { ...decision, note: 'RevisionNotFound', about: hold };
}

function run({ name, number, hash, version }: Recorded, wanted: Wanted): Decision {
  const stored = hash !== wanted.hash;
  const revision = { name, number, hash, version };
  return { revision, isNew: false, stored, ...(stored ? { note: 'PublishVersionUnchanged' as const } : {}) };
}

function fresh({ application, hash, version, latest }: Wanted, recorded: readonly Recorded[]): Decision {
  const number = Math.max(0, latest?.revision ?? 0, ...recorded.map((one) => one.number)) + 1;
  return { revision: { name: `${application}-v${number}`, number, hash, version }, isNew: true, stored: false };
}

/**
 * The revisions that may go, oldest first: beyond `limit` and the one that runs (spec/kubevela.md §3.4). Never the one that
 * runs, the last that succeeded, or one that a hold names.
 */
export function outdated(recorded: readonly Recorded[], keep: { limit: number; running: string; hold: string | undefined }): Recorded[] {
  const usable = recorded.filter((one) => one.usable).toSorted((left, right) => left.number - right.number);
  const lastSucceeded = usable.findLast(({ succeeded }) => succeeded);
  const isSafe = (one: Recorded): boolean =>
    one.name === keep.running || one === lastSucceeded || one.name === keep.hold || one.name.endsWith(`-${keep.hold}`);
  return usable.filter((one) => !isSafe(one)).slice(0, Math.max(0, usable.length - keep.limit - 1));
}
