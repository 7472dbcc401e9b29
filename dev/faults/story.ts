import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError } from '#agent/cluster/client.ts';
import type { KubeObject, ObjectReference } from '#api/kubernetes.ts';
import { API_VERSION } from '#api/names.ts';
import { commitFiles, type FileChange } from '../git-repository.ts';
import { differences } from './differences.ts';
import { filesOf, objectsOf, type Wanted, WITNESSED } from './wanted.ts';
import { GIT_SECRET, type World } from './world.ts';

/** After so long with nothing in its way the agent has failed to get there: its longest wait in between is a minute. */
const CONVERGE_MS = 150_000;
const POLL_MS = 150;

export interface StoryOptions {
  /** With a kustomization file in each folder, so that the program runs. */
  kustomized?: boolean;
  /** A large prune waits for a person, who is to come, or it would never end. */
  heldPrunes?: true;
}

/** One Application, its repository, and every state that both have had since they were last seen to agree with the cluster. */
export class Story {
  readonly world: World;
  readonly name: string;
  /** Of our own deletions: what a person deletes is no mistake of the agent. */
  readonly pardoned = new Set<string>();
  #wanted: Wanted = { components: {}, folders: {}, deleted: true };
  #since: Wanted[] = [];
  #files = new Set<string>();
  readonly #commits: { id: string; folders: Wanted['folders'] }[] = [];
  #checked = 0;

  readonly #options: StoryOptions;

  constructor(world: World, name: string, options: StoryOptions = {}) {
    this.world = world;
    this.name = name;
    this.#options = options;
  }

  get wanted(): Wanted {
    return this.#wanted;
  }

  /** Pushes what differs in Git, then applies the Application where that differs. */
  async want(wanted: Wanted): Promise<void> {
    const before = this.#wanted;
    // Neither Git nor the Application is first for sure: the agent may see one before the other.
    this.#since.push({ ...wanted, folders: before.folders }, { ...before, folders: wanted.folders }, wanted);
    this.#wanted = wanted;
    await this.#push(wanted);
    if (wanted.deleted) return before.deleted ? undefined : this.#delete();
    const spec = ({ components, suspended }: Wanted): string => JSON.stringify([components, suspended]);
    if (before.deleted || spec(before) !== spec(wanted)) await this.#apply(wanted);
  }

  /** Commits at which the folder holds what it holds now: an unchanged folder is not built again. */
  commitsOf(folder: string): string[] {
    const contents = ({ folders }: Pick<Wanted, 'folders'>): string =>
      JSON.stringify(
        Object.entries(folders[folder] ?? {})
          .map(String)
          .sort(),
      );
    return this.#commits.filter((commit) => contents(commit) === contents(this.#wanted)).map(({ id }) => id);
  }

  /** Resolves when the cluster is what Git has and the agent is at rest; rejects with everything that differs. */
  async converged(options: { keepHistory?: boolean } = {}): Promise<void> {
    const end = Date.now() + CONVERGE_MS;
    for (;;) {
      const found = await differences(this);
      if (found.length === 0) break;
      if (Date.now() > end) throw new Error(`not converged: ${found.join('; ')}`);
      await sleep(POLL_MS);
    }
    if (!options.keepHistory) this.forgetHistory();
  }

  /** From here on only what Git has now excuses a deletion; what was deleted until now has been judged. */
  forgetHistory(): void {
    this.#since = [this.#wanted];
  }

  /** Objects that were deleted although every state of Git since the last agreement has had them. */
  wronglyDeleted(): string[] {
    const all = this.world.deletions.seen();
    const fresh = all.slice(this.#checked).filter(({ name }) => name.startsWith(`${this.name}-`));
    this.#checked = all.length;
    // The Deployment of a nested Application stands and falls with it.
    const always = (id: string): boolean =>
      this.#since.every((wanted) => Object.hasOwn(objectsOf(wanted), id.replace(/^Deployment/, 'Application')));
    return fresh
      .filter(({ kind, name, uid }) => !this.pardoned.has(uid) && always(`${kind}/${name}`))
      .map(({ kind, name, uid }) => `${kind}/${name} (${uid})`);
  }

  async object(id: string): Promise<KubeObject | undefined> {
    return this.world.client.get(this.#reference(id));
  }

  #reference(id: string): ObjectReference {
    const [kind = '', name = ''] = id.split('/');
    const apiVersion = WITNESSED.find((witnessed) => witnessed[1] === kind)?.[0] ?? 'v1';
    return { apiVersion, kind, namespace: this.world.namespace, name };
  }

  /** A person deletes one of its objects. */
  async drift(id: string): Promise<void> {
    const uid = (await this.object(id))?.metadata.uid;
    if (uid === undefined) return;
    this.pardoned.add(uid);
    // With its UID: the agent may have deleted it and made it anew meanwhile, and nobody has pardoned that one.
    await this.world.client.delete(this.#reference(id), { uid }).catch((error: unknown) => {
      if (!(error instanceof ApiError) || error.status !== 409) throw error;
    });
  }

  async #push({ folders }: Wanted): Promise<void> {
    const directory = await this.world.git.createRepository(this.name);
    const files = filesOf(folders, this.#options.kustomized ?? false);
    const gone = [...this.#files].filter((file) => !Object.hasOwn(files, file));
    const changes: Record<string, FileChange> = { ...files, ...Object.fromEntries(gone.map((file) => [file, null])) };
    this.#files = new Set(Object.keys(files));
    if (Object.keys(changes).length === 0) return;
    const id = await commitFiles(directory, 'main', changes, { message: 'Change it' });
    this.#commits.push({ id, folders });
  }

  async #apply({ components, suspended }: Wanted): Promise<void> {
    const { world, name } = this;
    const spec = {
      components: Object.entries(components).map(([component, folder]) => ({
        name: component,
        type: 'kustomize',
        properties: {
          url: `${world.git.url}/${name}`,
          git: { branch: 'main' },
          path: `./${folder}`,
          pullInterval: '1s',
          timeout: '5s',
          secretRef: GIT_SECRET,
          ...(component === suspended ? { suspend: true } : {}),
          ...(this.#options.heldPrunes ? {} : { pruneBudget: { count: 1_000, percent: 100 } }),
        },
      })),
    };
    const object = { apiVersion: API_VERSION, kind: 'Application', metadata: { name, namespace: world.namespace }, spec };
    await world.client.apply(object, { fieldManager: 'person' });
  }

  async #delete(): Promise<void> {
    const { world, name } = this;
    await world.client.delete({ apiVersion: API_VERSION, kind: 'Application', namespace: world.namespace, name });
  }
}
