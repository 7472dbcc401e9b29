import type { Component } from '#api/application.ts';
import { detail } from '#api/details.ts';
import type { Clock } from '#core/clock.ts';
import { isMap } from '#api/schema.ts';
import type { Revision, Source } from '../sync/source.ts';

/** A history that takes longer to look up comes later: a slow repository keeps drift, prunes and the status of others not waiting. */
const SOON_MS = 250;

/** Of a commit; more than enough to tell those of one branch apart. */
const SHOWN_DIGITS = 12;

/** What the status says of the newest commits of a branch, for whoever waits for one: those that are applied, and those that cannot be. */
export class RecentCommits {
  /** The newest first, shortened. */
  #applied: readonly string[];
  #failing: readonly string[] = [];
  /** The history has been asked for in this process. */
  #looked = false;
  /** Grows with each other result: what was looked up for an older one is not taken. */
  #turn = 0;
  #about = '';
  /** The commit of which is to be told as applied, and since which turn that is being looked up. */
  #owed: { commit: string; turn: number } | undefined;
  readonly #around: { clock: Pick<Clock, 'sleep'>; wake: () => void };

  /** `wake` is called when something is known that came late. */
  constructor(details: Readonly<Record<string, string>>, around: { clock: Pick<Clock, 'sleep'>; wake: () => void }) {
    this.#around = around;
    this.#applied = (details[detail.recent] ?? '').split(' ').filter((commit) => commit !== '');
  }

  get details(): Record<string, string> {
    return {
      ...(this.#applied.length > 0 ? { [detail.recent]: this.#applied.join(' ') } : {}),
      ...(this.#failing.length > 0 ? { [detail.failing]: this.#failing.join(' ') } : {}),
    };
  }

  /** Everything of the revision is applied. `told`: the status is written anyway. `asked`: somebody wants to know. */
  async applied(source: Source, revision: Revision, { told, asked }: { told: boolean; asked: boolean }): Promise<void> {
    this.#speaksOf(`applied ${revision.commit.id}`);
    this.#failing = [];
    const looks = asked && !this.#looked;
    const { id: commit } = revision.commit;
    const isOwed = this.#owed?.commit === commit && this.#owed.turn !== this.#turn;
    if (!looks && (!(told || asked || isOwed) || this.#isAt(revision))) return;
    this.#owed = { commit, turn: this.#turn };
    await this.#soon(asked, this.#commits(source, revision, looks), (commits) => {
      this.#applied = commits;
      this.#owed = undefined;
    });
  }

  /** Something of the revision could not be applied. */
  async failed(source: Source, revision: Revision, asked: boolean): Promise<void> {
    this.#speaksOf(`failed ${revision.commit.id}`);
    if (this.#isAt(revision)) return;
    await this.#soon(asked, this.#commits(source, revision, asked && !this.#looked), (commits) => {
      const end = commits.findIndex((commit) => this.#applied.includes(commit));
      this.#failing = end < 0 ? commits : commits.slice(0, end);
    });
  }

  #speaksOf(about: string): void {
    if (about !== this.#about) this.#turn++;
    this.#about = about;
  }

  /** Waits for what is looked up, to its end where somebody asked for it. */
  async #soon(asked: boolean, commits: Promise<string[]>, take: (commits: string[]) => void): Promise<void> {
    const turn = this.#turn;
    const { clock, wake } = this.#around;
    let late = false;
    const known = commits.then((found) => {
      if (turn !== this.#turn) return;
      take(found);
      if (late) wake();
    });
    if (asked) return known;
    const patience = new AbortController();
    const over = clock.sleep(SOON_MS, patience.signal).then(
      () => {
        late = true;
      },
      () => undefined,
    );
    await Promise.race([known, over]);
    patience.abort(KNOWN);
  }

  /**
   * What is older than the first commit that was seen is looked up when somebody asks: that costs a fetch from the server, and
   * most Applications are never waited for.
   */
  async #commits(source: Source, revision: Revision, looks: boolean): Promise<string[]> {
    this.#looked ||= looks;
    if (!looks && this.#applied.length === 0) return [shortened(revision.commit.id)];
    return (await source.recent(revision, looks ? [] : this.#applied)).map(shortened);
  }

  #isAt({ commit }: Revision): boolean {
    return this.#applied[0] === shortened(commit.id);
  }
}

const KNOWN = new Error('known');

function shortened(commit: string): string {
  return commit.slice(0, SHOWN_DIGITS);
}

/**
 * Whether other components of the Application follow the same branch: a commit is applied once all of them have it, so each
 * has to say so, even where nothing in its own folder has changed.
 */
export function sharesBranch(components: readonly Component[], { name, properties }: Component): boolean {
  const branch = branchOf(properties);
  return components.some((other) => other.type === 'kustomize' && other.name !== name && branchOf(other.properties) === branch);
}

function branchOf(properties: Component['properties'] = {}): string {
  const git = isMap(properties['git']) ? properties['git'] : {};
  return JSON.stringify([properties['url'], git['branch']]);
}
