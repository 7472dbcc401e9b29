import type { Random } from './random.ts';
import type { Objects, Wanted } from './wanted.ts';

/** What a person may decide next. The folder of every component keeps at least one object: an empty one is a mistake. */
const CHANGES = {
  update: (random, wanted) => inFolder(random, wanted, (objects) => ({ ...objects, [anyOf(random, objects)]: value(random) })),
  updateAll: (random, wanted) =>
    inFolder(random, wanted, (objects) => Object.fromEntries(Object.keys(objects).map((id) => [id, value(random)]))),
  add: (random, wanted, prefix) => inFolder(random, wanted, (objects) => ({ ...objects, ...someObject(random, wanted, prefix) })),
  remove: (random, wanted) => inFolder(random, wanted, (objects) => without(objects, anyOf(random, objects))),
  move: (random, wanted) => moved(random, wanted),
  rename: (random, wanted) => {
    const old = random.pick(Object.keys(wanted.components));
    const { [old]: folder = '', ...others } = wanted.components;
    return { ...wanted, components: { ...others, [`c${random.between(0, 999)}`]: folder } };
  },
  addComponent: (random, wanted, prefix) => {
    const folder = `f${random.between(0, 999)}`;
    if (Object.hasOwn(wanted.folders, folder)) return wanted;
    return {
      ...wanted,
      components: { ...wanted.components, [`c${random.between(0, 999)}`]: folder },
      folders: { ...wanted.folders, [folder]: someObject(random, wanted, prefix) },
    };
  },
  removeComponent: (random, wanted) => {
    const names = Object.keys(wanted.components);
    if (names.length < 2) return wanted;
    const { [random.pick(names)]: folder = '', ...components } = wanted.components;
    return { ...wanted, components, folders: withoutFolder(wanted.folders, folder) };
  },
  delete: (_random, wanted) => ({ ...wanted, deleted: true }),
} satisfies Record<string, (random: Random, wanted: Wanted, prefix: string) => Wanted>;

export type ChangeName = keyof typeof CHANGES;

/** The last is rare: what is deleted has no history to hold against it. */
const OFTEN: readonly ChangeName[] = ['update', 'updateAll', 'add', 'remove', 'move', 'move', 'rename', 'addComponent', 'removeComponent'];

export function firstWanted(random: Random, prefix: string): Wanted {
  let wanted: Wanted = { components: { a: 'x', b: 'y' }, folders: { x: { [`ConfigMap/${prefix}-0`]: value(random) }, y: {} } };
  wanted = { ...wanted, folders: { ...wanted.folders, y: { [`ServiceAccount/${prefix}-1`]: value(random) } } };
  for (let more = random.between(0, 4); more > 0; more -= 1) wanted = CHANGES.add(random, wanted, prefix);
  return wanted;
}

export function nextWanted(random: Random, wanted: Wanted, prefix: string): { name: ChangeName | 'again'; wanted: Wanted } {
  const { deleted, ...rest } = wanted;
  if (deleted) return { name: 'again', wanted: rest };
  const name = random.chance(0.08) ? 'delete' : random.pick(OFTEN);
  return { name, wanted: CHANGES[name](random, wanted, prefix) };
}

/** A person suspends a component, or lets the one that is suspended go on. */
export function nextSuspension(random: Random, wanted: Wanted): { name: 'suspend' | 'resume'; wanted: Wanted } {
  const { suspended, ...rest } = wanted;
  if (suspended !== undefined) return { name: 'resume', wanted: rest };
  return { name: 'suspend', wanted: { ...wanted, suspended: random.pick(Object.keys(wanted.components)) } };
}

function value(random: Random): string {
  return `v${random.between(0, 2)}`;
}

function anyOf(random: Random, objects: Objects): string {
  return random.pick(Object.keys(objects));
}

function someObject(random: Random, { folders }: Wanted, prefix: string): Objects {
  const taken = new Set(Object.values(folders).flatMap((objects) => Object.keys(objects)));
  for (let number = random.between(0, 20); ; number += 1) {
    const id = `${random.pick(['ConfigMap', 'ConfigMap', 'ServiceAccount'])}/${prefix}-${number}`;
    if (!taken.has(id)) return { [id]: value(random) };
  }
}

function inFolder(random: Random, wanted: Wanted, change: (objects: Objects) => Objects): Wanted {
  const folder = random.pick(Object.values(wanted.components));
  const changed = change(wanted.folders[folder] ?? {});
  if (Object.keys(changed).length === 0) return wanted;
  return { ...wanted, folders: { ...wanted.folders, [folder]: changed } };
}

function moved(random: Random, wanted: Wanted): Wanted {
  const folders = Object.values(wanted.components);
  const [from, to] = [random.pick(folders), random.pick(folders)];
  const source = wanted.folders[from] ?? {};
  const id = anyOf(random, source);
  if (from === to || Object.keys(source).length < 2) return wanted;
  const target = { ...wanted.folders[to], [id]: random.chance(0.5) ? (source[id] ?? '') : value(random) };
  return { ...wanted, folders: { ...wanted.folders, [from]: without(source, id), [to]: target } };
}

function without(objects: Objects, id: string): Objects {
  const { [id]: _, ...rest } = objects;
  return rest;
}

function withoutFolder(folders: Wanted['folders'], folder: string): Wanted['folders'] {
  const { [folder]: _, ...rest } = folders;
  return rest;
}
