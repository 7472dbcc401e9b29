import { createHash } from 'node:crypto';
import { Failure } from '#api/failure.ts';
import { commitMessage, MESSAGE_PREFIX } from '#api/image/message.ts';
import { parseTemplate } from '#api/image/template.ts';
import { displayUrl } from '#api/source-url.ts';
import type { Clock } from '#core/clock.ts';
import type { Log } from '#core/log.ts';
import { createLoop, type Loop } from '#core/loop.ts';
import type { CommitChange, Git, GitCredentials, PushOutcome, Repository } from '../git/git.ts';
import type { ImageIntent } from '../manifest/image-memory.ts';
import { failureFields, failureOf } from './failures.ts';
import { MarkedFiles } from './image-files.ts';
import type { ImageMember } from './image-member.ts';
import { type ImagePlan, type ImagePolicy, type MarkerNote, planImages } from './image-plan.ts';
import type { Revision, Source } from './source.ts';

export interface ImageWriterContext {
  namespace: string;
  git: Git;
  credentials: (secretName: string, url: string) => Promise<GitCredentials>;
  clock: Clock;
  random: () => number;
  log: Log;
  gitTimeoutMs: number;
  /** So long is waited for other policies of the same repository. */
  quietWindowMs: number;
}

/** What a writer asks of whoever knows all components. */
export interface ImageWriterHooks {
  /** Components whose images this repository may hold and that commit to it. */
  members: () => ImageMember[];
  /** All policies of the namespace: any marker may name any of them. */
  policies: () => Map<ImagePolicy, ImageMember>;
  /** Commits that were about to be pushed to this repository, of which it is not known whether they were. */
  intents: () => readonly ImageIntent[];
  /** Writes down that this commit is about to be pushed. */
  intend: (plan: ImagePlan, intent: { commit: string; base: string }) => Promise<void>;
  /** Whether the commits of the intents are on the branch is known now. */
  resolved: (landed: ReadonlySet<string>) => Promise<void>;
  /** How things stand now. `pushed` names the commit where there is one. */
  settled: (plan: ImagePlan, outcome: { pushed?: string; failure?: Failure }) => Promise<void>;
}

interface Planned {
  plan: ImagePlan;
  members: ReadonlyMap<ImagePolicy, ImageMember>;
}

const AUTHOR = { name: 'kubevelabot', email: 'kubevelabot@users.noreply.github.com' };
/** Races in one run. Of three writers that never rest each loses two of three, and ten in a row soon happens. */
const MAX_TRIES = 30;
/** After so many it rests longer each time: to rest at once would only give way to those who have not raced yet. */
const PERSISTENT_TRIES = 12;
/**
 * After a push it rests for one to three times as long as the push took, and no longer than this: a writer that went on at once
 * would always be faster than those who have to fetch its commit first.
 */
const MAX_REST_MS = 5_000;
/** A refused push is tried again then, even if nothing changes. */
const RETRY_MS = 300_000;
const SHORT_RETRY_MS = 30_000;
/** Of the quiet window, however much goes on. */
const WINDOW_FACTOR = 5;

/** Writes images to one repository and branch with one credential: one commit for all policies that are due. */
export class ImageWriter {
  readonly #source: Source;
  readonly #context: ImageWriterContext;
  readonly #hooks: ImageWriterHooks;
  readonly #files = new MarkedFiles();
  readonly #loop: Loop;
  /** Begins the places of this repository and branch. */
  readonly place: string;
  /** Names repository, branch and credentials: that of the intents. */
  readonly name: string;
  /** Commits that the server did not take. */
  readonly #refused = new Set<string>();
  #lastNewsMs = 0;
  /** Others are let push before that. */
  #turnMs = 0;
  #firstNewsMs: number | undefined;

  constructor(source: Source, context: ImageWriterContext, hooks: ImageWriterHooks) {
    this.#source = source;
    this.#context = context;
    this.#hooks = hooks;
    const { url, branch = '', secretRef = '' } = source.key;
    this.place = sha256(`${url} ${branch}`).slice(0, 8);
    this.name = sha256(`${url} ${branch} ${secretRef}`).slice(0, 8);
    this.#loop = createLoop((signal) => this.#pass(signal), { clock: context.clock, onError: (error) => this.#failed(error) });
  }

  /** Something that images depend on has changed. */
  trigger(): void {
    const now = this.#context.clock.now();
    this.#lastNewsMs = now;
    this.#firstNewsMs ??= now;
    this.#loop.trigger();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  #failed(error: unknown): number {
    this.#context.log.warn('images could not be written', failureFields(failureOf(error, 'write images')));
    return SHORT_RETRY_MS;
  }

  async #pass(signal: AbortSignal): Promise<number | undefined> {
    const wait = Math.max(this.#quietMs(), this.#restMs());
    if (wait > 0) return wait;
    this.#firstNewsMs = undefined;
    if (!(await this.#recover(signal))) return SHORT_RETRY_MS;
    for (let attempt = 1; ; attempt++) {
      const revision = this.#source.state.revision;
      if (!revision) return undefined;
      const members = this.#hooks.policies();
      const plan = await this.#plan(revision, [...members.keys()]);
      if (plan.files.length === 0) return this.#settle(plan, {});
      const begunMs = this.#context.clock.now();
      const outcome = await this.#push(revision, { plan, members }, signal);
      if (outcome instanceof Failure) return this.#settle(plan, { failure: outcome });
      if (outcome.outcome === 'pushed') {
        this.#rest(begunMs);
        await this.#settle(plan, { pushed: outcome.commit });
        // The sync follows at once.
        await this.#source.pollNow();
        return undefined;
      }
      if (outcome.outcome !== 'raced' || attempt >= MAX_TRIES) return this.#settle(plan, { failure: this.#refusal(outcome) });
      await this.#context.clock.sleep((50 + 450 * this.#context.random()) * Math.max(1, Math.min(attempt - PERSISTENT_TRIES, 6)), signal);
      await this.#source.pollNow();
    }
  }

  /**
   * What was about to be pushed when this agent, or the one before it, lost sight of it, is on the branch or is not: only
   * then it can be told what people have changed since. False where that cannot be found out now.
   */
  async #recover(signal: AbortSignal): Promise<boolean> {
    const intents = this.#hooks.intents();
    const open = intents.filter(({ commit }) => !this.#refused.has(commit));
    const landed = new Set<string>();
    if (open.length > 0) await this.#source.pollNow();
    const { revision, failure } = this.#source.state;
    if (open.length > 0 && (failure || !revision)) return false;
    for (const { commit, base } of open) {
      if (landed.has(commit) || base === revision!.tip.commit) continue;
      const { git, gitTimeoutMs: timeoutMs } = this.#context;
      if (await git.holds(await this.#repository(), revision!.tip, { commit, base }, { timeoutMs, signal })) landed.add(commit);
    }
    if (intents.length > 0) await this.#hooks.resolved(landed);
    this.#refused.clear();
    return true;
  }

  async #repository(): Promise<Repository> {
    const { url, secretRef } = this.#source.key;
    return { url, ...(secretRef ? { credentials: await this.#context.credentials(secretRef, url) } : {}) };
  }

  /** Alone, nobody is waited for; with others, until there was no news for a while. */
  #quietMs(): number {
    const { quietWindowMs, clock } = this.#context;
    const now = clock.now();
    // Nor where the clock was set back.
    if (this.#firstNewsMs === undefined || this.#lastNewsMs > now || this.#hooks.members().length < 2) return 0;
    return Math.min(this.#lastNewsMs + quietWindowMs, this.#firstNewsMs + WINDOW_FACTOR * quietWindowMs) - now;
  }

  /** Until others have had their turn; over where the clock was set back. */
  #restMs(): number {
    const left = this.#turnMs - this.#context.clock.now();
    return left > MAX_REST_MS ? 0 : left;
  }

  #rest(begunMs: number): void {
    const { clock, random } = this.#context;
    const now = clock.now();
    this.#turnMs = now + Math.min((now - begunMs) * (1 + 2 * random()), MAX_REST_MS);
  }

  async #plan(revision: Revision, policies: ImagePolicy[]): Promise<ImagePlan> {
    const folders = [...new Set(this.#hooks.members().map(({ follow }) => follow.path))];
    const strange: MarkerNote[] = [];
    const unreadable = (file: string): void =>
      void strange.push({ file, line: 1, reason: 'MarkerUnusable', text: 'the file is not UTF-8 text' });
    const files = await this.#files.read(revision, folders, unreadable);
    const plan = planImages(files, {
      namespace: this.#context.namespace,
      policies,
      source: this.place,
      relative: (path) => relativeTo(path, folders),
    });
    plan.notes.push(...strange);
    return plan;
  }

  async #settle(plan: ImagePlan, outcome: { pushed?: string; failure?: Failure }): Promise<number | undefined> {
    await this.#hooks.settled(plan, outcome);
    if (!outcome.failure) return undefined;
    return outcome.failure.kind === 'stalled' ? RETRY_MS : SHORT_RETRY_MS;
  }

  async #push({ tip }: Revision, planned: Planned, signal: AbortSignal): Promise<PushOutcome | Failure> {
    const { git, gitTimeoutMs: timeoutMs } = this.#context;
    const change = this.#change(planned);
    if (change instanceof Failure) return change;
    try {
      let made = '';
      const beforePush = async (commit: string): Promise<void> => {
        made = commit;
        await this.#hooks.intend(planned.plan, { commit, base: tip.commit });
      };
      const outcome = await git.publish(await this.#repository(), tip, change, { timeoutMs, signal, beforePush });
      if (outcome.outcome !== 'pushed') this.#refused.add(made);
      return outcome;
    } catch (error) {
      if (signal.aborted) throw error;
      return failureOf(error, 'push');
    }
  }

  /** Each message template tells of its own policies; equal ones tell together. */
  #change({ plan: { changes, files }, members }: Planned): CommitChange | Failure {
    const groups = new Map<string, { first: ImageMember; changes: ImagePlan['changes'] }>();
    for (const one of changes) {
      const member = members.get(one.policy)!;
      const text = member.follow.repository.commitMessage ?? '';
      const group = groups.get(text) ?? { first: member, changes: [] };
      group.changes.push(one);
      groups.set(text, group);
    }
    const ordered = [...groups].sort(([, a], [, b]) => (a.first.follow.component < b.first.follow.component ? -1 : 1));
    const { messagePrefix = MESSAGE_PREFIX, author } = ordered[0]![1].first.follow.repository;
    let message = '';
    for (const [text, group] of ordered) {
      const rendered = this.#render(messagePrefix, text, group);
      if (rendered instanceof Failure) return rendered;
      message += message === '' ? rendered : rendered.slice(messagePrefix.length);
    }
    return { author: { ...AUTHOR, ...author }, timeMs: this.#context.clock.now(), message, files };
  }

  #render(prefix: string, text: string, { first, changes }: { first: ImageMember; changes: ImagePlan['changes'] }): string | Failure {
    const parsed = text === '' ? undefined : parseTemplate(text);
    const automation = { namespace: this.#context.namespace, name: first.follow.component };
    const context = { automation, changes: changes.map(({ change }) => change) };
    const made = parsed && 'problem' in parsed ? parsed : commitMessage(prefix, parsed?.template, context, { sha256 });
    if ('message' in made) return made.message;
    const { text: words, line, column } = made.problem;
    return new Failure('InvalidTemplate', `commitMessage of ${first.follow.component}, line ${line}, column ${column}: ${words}`, {
      kind: 'stalled',
      remedy: 'try it with lateen image message',
    });
  }

  #refusal(outcome: Exclude<PushOutcome, { outcome: 'pushed' }>): Failure {
    const { url, branch, secretRef } = this.#source.key;
    const where = `${displayUrl(url)}${branch ? `, branch ${branch}` : ''}`;
    const who = secretRef ? `the user of the Secret ${secretRef}` : 'everybody';
    if (outcome.outcome === 'forbidden')
      return new Failure('PushForbidden', `${where} does not let ${who} push: ${outcome.words}`, {
        kind: 'stalled',
        remedy: secretRef ? 'give that user the right to write to the branch' : 'name a Secret with the right to write in secretRef',
      });
    const why = outcome.outcome === 'raced' ? `others were faster ${MAX_TRIES} times in a row` : outcome.words;
    return new Failure('PushRefused', `${where} did not take the push of ${who}: ${why}`, { remedy: 'it is tried again by itself' });
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function relativeTo(path: string, folders: readonly string[]): string {
  const folder = folders.find((one) => one !== '' && path.startsWith(`${one}/`));
  return folder === undefined ? path : path.slice(folder.length + 1);
}
