import { GROUP } from '#api/names.ts';
import { type Owner, ownerKey } from './owner-key.ts';

/** At which commit of which source a component has last been built, or could not be. */
export interface BuildPoint {
  /** URL and branch (sourceOf). */
  source: string;
  /** Empty: nothing has been pulled yet. */
  commit: string;
  /** False: the build failed, and what it holds is not known. */
  built: boolean;
  path: string;
}

interface Claim extends Owner {
  /** Identities of what Git has for the component; undefined until it has said so. */
  renders: ReadonlySet<string> | undefined;
  at: BuildPoint | undefined;
  /**
   * Whether the Applications that it renders at that point are in the cluster: what their components have is not known
   * before they are. `refused`: something could not be applied.
   */
  nested: 'applying' | 'refused' | 'applied';
  /** It has run, with whatever result. */
  heard: boolean;
  sinceMs: number;
}

export interface Sibling extends Owner {
  at: BuildPoint;
  /** It has been built at the commit, and Applications that it renders are not in the cluster yet, or could not be applied. */
  nested?: 'applying' | 'refused';
}

/** What BuildPoint calls a source; `branch` is undefined where the server has not yet said what its default is. */
export function sourceOf(url: string, branch: string | undefined): string {
  return `${url} ${branch ?? ''}`;
}

/** A component that has not run after this time waits for something: nobody waits for it any longer. */
const PATIENCE_MS = 60_000;

const SILENT = { renders: undefined, at: undefined, nested: 'applied', heard: false } as const;

/**
 * What the components of the agent render at the moment: decides who may take an object from whom, and whether something
 * that has left one component turns up in another. In memory; every component says it anew after a restart.
 */
export class Claims {
  readonly #claims = new Map<string, Claim>();
  /** Applications that were written and whose loops have not seen it yet: the resourceVersion, and since when. */
  readonly #awaited = new Map<string, { version: bigint; sinceMs: number }>();
  /** What the loops of Applications have come to their end with. */
  readonly #reached = new Map<string, bigint>();
  /** Applications that are refused. */
  readonly #resting = new Set<string>();
  readonly #listeners = new Set<() => void>();
  readonly #now: () => number;
  /** Grows with every change: tells whether something has changed during a run. */
  version = 0;

  /** `now`: monotonic milliseconds, since patience is no matter of what the clock on the wall says. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** The components that an Application has; others that it had are gone. */
  expect(application: string, components: readonly string[]): void {
    const wanted = new Set(components);
    for (const claim of this.#of(application)) if (!wanted.has(claim.component)) this.#drop(claim);
    for (const component of components) {
      const key = ownerKey({ application, component });
      if (this.#claims.has(key)) continue;
      this.#put({ application, component }, {});
    }
  }

  /** A nested Application was written: its components are about to say what they render. */
  awaits(application: string, resourceVersion: string | undefined): void {
    const version = versionOf(resourceVersion);
    // The watch may have told of it before the API server's answer came.
    if (version > (this.#reached.get(application) ?? 0n)) this.#awaited.set(application, { version, sinceMs: this.#now() });
  }

  /** The loop of an Application has come to its end with this version, or knows that it is not ours to run. */
  reached(application: string, resourceVersion: string | undefined): void {
    const version = versionOf(resourceVersion);
    this.#reached.set(application, version);
    const awaited = this.#awaited.get(application);
    if (!awaited || awaited.version > version) return;
    this.#awaited.delete(application);
    this.#changed();
  }

  /** What the component is to do has changed: it is about to say what it renders, as after a start. */
  again(owner: Owner): void {
    this.#put(owner, { heard: false, sinceMs: this.#now() });
  }

  /** The Application is gone, or no longer ours. */
  release(application: string): void {
    this.#resting.delete(application);
    this.#reached.delete(application);
    if (this.#awaited.delete(application)) this.#changed();
    for (const claim of this.#of(application)) this.#drop(claim);
  }

  /** What the component renders from now on. */
  render(owner: Owner, renders: ReadonlySet<string>, at?: BuildPoint): void {
    const before = this.#claims.get(ownerKey(owner));
    const same = before?.renders?.size === renders.size && [...renders].every((id) => before.renders?.has(id));
    const stays = same && before.at?.commit === at?.commit && before.at?.built === at?.built;
    const nested = stays ? before.nested : [...renders].some(isApplication) ? 'applying' : 'applied';
    this.#put(owner, { renders, at, nested, heard: true });
    if (!stays || !before.heard) this.#changed();
  }

  /** What the component renders was applied; `whole`: all of it. */
  applied(owner: Owner, whole: boolean): void {
    const before = this.#claims.get(ownerKey(owner));
    const nested = whole ? 'applied' : 'refused';
    if (!before?.renders || before.nested === nested || ![...before.renders].some(isApplication)) return;
    this.#put(owner, { nested });
    this.#changed();
  }

  /**
   * The component could not be built at that point, or not even pulled: what it rendered before stands. One that has never
   * said what it renders, and does not know where it would stand, counts as one that has not spoken.
   */
  failed(owner: Owner, at?: BuildPoint): void {
    const before = this.#claims.get(ownerKey(owner));
    const heard = at !== undefined || before?.renders !== undefined || before?.heard === true;
    const nested = before?.nested === 'applying' ? { nested: 'refused' as const } : {};
    this.#put(owner, { heard, ...nested, ...(at ? { at: { ...at, built: false } } : {}) });
    if (before?.heard !== heard || (at && (before.at?.commit !== at.commit || before.at.built))) this.#changed();
  }

  /**
   * The component neither builds nor applies for now: it keeps what it has, and nobody waits for what it would say. `at`: where
   * it stands, at no commit; what its folder may have is not deleted elsewhere meanwhile.
   */
  pause(owner: Owner, at?: BuildPoint): void {
    const before = this.#claims.get(ownerKey(owner));
    this.#put(owner, { heard: true, at, nested: 'applied' });
    if (!before?.heard || before.at?.commit !== at?.commit || before.nested !== 'applied') this.#changed();
  }

  /** The Application is refused: none of its components runs for now. */
  rest(application: string): void {
    this.#resting.add(application);
    for (const claim of this.#of(application)) this.pause(claim, claim.at && { ...claim.at, commit: '', built: false });
  }

  /** The Application is on its way out: what its components would take goes with it. */
  retire(application: string): void {
    this.#resting.add(application);
    for (const claim of this.#of(application)) this.pause(claim);
  }

  /** It is refused no longer: its components are about to say what they render, as after a start. */
  wake(application: string): void {
    if (!this.#resting.delete(application)) return;
    for (const claim of this.#of(application)) this.#put(claim, { heard: false, sinceMs: this.#now() });
  }

  /** True where the component has the object, or may have it: it exists and has not said. */
  mayRender(owner: Owner, id: string): boolean {
    const claim = this.#claims.get(ownerKey(owner));
    return claim !== undefined && (claim.renders === undefined || claim.renders.has(id));
  }

  /** Whether it runs, or is about to. */
  knows(application: string): boolean {
    return this.#of(application).length > 0;
  }

  /** Another component that certainly renders the object. */
  otherRendering(owner: Owner, id: string): Owner | undefined {
    const own = ownerKey(owner);
    for (const [key, claim] of this.#claims) if (key !== own && claim.renders?.has(id)) return claim;
    return undefined;
  }

  /** All components that render the object. */
  rendering(id: string): Owner[] {
    return [...this.#claims.values()].filter(({ renders }) => renders?.has(id));
  }

  /** Whether another component is about to say what it renders: the agent has just started, or it is new. */
  unheard(owner: Owner): boolean {
    const own = ownerKey(owner);
    const since = this.#now() - PATIENCE_MS;
    if ([...this.#awaited.values()].some(({ sinceMs }) => sinceMs > since)) return true;
    return [...this.#claims].some(([key, { heard, sinceMs }]) => key !== own && !heard && sinceMs > since);
  }

  /** Other components of the source that have not been built at the commit, or could not be, or have not brought it to its end. */
  behind(owner: Owner, at: BuildPoint): Sibling[] {
    const own = ownerKey(owner);
    return [...this.#claims].flatMap(([key, { application, component, at: other, nested }]) => {
      if (key === own || !other || !isSameSource(other.source, at.source)) return [];
      if (other.commit !== at.commit || !other.built) return [{ application, component, at: other }];
      return nested === 'applied' ? [] : [{ application, component, at: other, nested }];
    });
  }

  /** Whether a component has not brought the Applications that it renders into the cluster, or not all of them. */
  isUnderWay(owner: Owner): boolean {
    const claim = this.#claims.get(ownerKey(owner));
    return claim !== undefined && claim.nested !== 'applied';
  }

  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #of(application: string): Claim[] {
    return [...this.#claims.values()].filter((claim) => claim.application === application);
  }

  #put(owner: Owner, part: Partial<Claim>): void {
    const { application, component } = owner;
    const before = this.#claims.get(ownerKey(owner)) ?? { ...SILENT, sinceMs: this.#now() };
    this.#claims.set(ownerKey(owner), { ...before, ...part, application, component });
  }

  #drop(owner: Owner): void {
    if (this.#claims.delete(ownerKey(owner))) this.#changed();
  }

  #changed(): void {
    this.version++;
    for (const listener of this.#listeners) listener();
  }
}

/** By its identity (objectId). */
function isApplication(id: string): boolean {
  return id.startsWith(`${GROUP}/Application/`);
}

/** The branch of one may not be known yet. */
function isSameSource(one: string, other: string): boolean {
  return one === other || (one.endsWith(' ') && other.startsWith(one));
}

function versionOf(resourceVersion = ''): bigint {
  return /^\d+$/.test(resourceVersion) ? BigInt(resourceVersion) : 0n;
}
