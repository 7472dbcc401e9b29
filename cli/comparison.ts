import { specContent } from '#api/spec-defaults.ts';
import type { Application } from '#api/application.ts';
import { sameJson } from '#api/json.ts';
import { annotation } from '#api/names.ts';
import { renderedObjects, type Side } from './diff-side.ts';
import { type ObjectChange, objectChanges, type Standing } from './object-changes.ts';
import { hideSecrets } from './secret-mask.ts';
import { type TextChange, textChanges } from './spec-changes.ts';

export interface CommitChange {
  component: string;
  before?: string;
  after?: string;
}

export interface Comparison {
  from: Pick<Side, 'title' | 'revision' | 'version'>;
  to: Pick<Side, 'title' | 'revision' | 'version'>;
  different: boolean;
  texts: TextChange[];
  objects: ObjectChange[];
  /** Kustomize components that were at another commit. */
  commits: CommitChange[];
  /** What could not be compared. */
  notes: string[];
  /** Why what the live spec says does not run. */
  inert?: { because: string; sentence: string };
}

export interface ComparedApplication {
  /** As the API server has it. */
  live: Application;
  /** What its latest revision recorded. */
  running: Side | undefined;
  standing: Standing;
}

/** Everything that differs between two sides, and what becomes of it. */
export async function compare(left: Side, right: Side, application: ComparedApplication): Promise<Comparison> {
  const texts = await textChanges(left, right);
  const [before, after] = [renderedObjects(left), renderedObjects(right)];
  const [old, now] = hideSecrets(before.objects, after.objects);
  const objects = objectChanges(old, now, application.standing);
  const commits = commitChanges(left, right);
  const inert = right.revision === undefined && (objects.length > 0 || texts.some(({ change }) => change !== 'none'));
  const why = inert ? inertness(application) : undefined;
  return {
    from: pick(left),
    to: pick(right),
    different: objects.length > 0 || commits.length > 0 || texts.some(({ change }) => change !== 'none'),
    texts,
    objects,
    commits,
    notes: [...new Set([...before.notes, ...after.notes])],
    ...(why ? { inert: why } : {}),
  };
}

function pick({ title, revision, version }: Side): Comparison['from'] {
  return { title, version, ...(revision === undefined ? {} : { revision }) };
}

function commitChanges(left: Side, right: Side): CommitChange[] {
  const names = new Set([...Object.keys(left.commits), ...Object.keys(right.commits)]);
  return [...names].flatMap((component) => {
    const [before, after] = [left.commits[component], right.commits[component]];
    if (before === after) return [];
    return [{ component, ...(before ? { before } : {}), ...(after ? { after } : {}) }];
  });
}

/** The live spec runs unless a revision is held, or its version is one that runs another spec. */
function inertness({ live, running }: ComparedApplication): Comparison['inert'] {
  const { name } = live.metadata;
  if (!running || sameJson(specContent(live.spec), specContent(running.application.spec))) return undefined;
  const hold = live.metadata.annotations?.[annotation.hold];
  if (hold !== undefined)
    return {
      because: `held at ${hold}`,
      sentence: `The live spec is without effect: the Application is held at ${hold} until lateen resume ${name}.`,
    };
  const version = live.metadata.annotations?.[annotation.publishVersion];
  if (!version || version !== running.version) return undefined;
  const sentence = `The live spec is without effect: the Application is pinned, and ${running.revision} runs under the same publishVersion ${version}. To roll it out: lateen publish ${name} --version VERSION`;
  return { because: 'pinned', sentence };
}
