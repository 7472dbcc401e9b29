/**
 * fieldsV1 of `metadata.managedFields`: `f:name` a field, `k:{…}` an item of a list by its keys, `v:…` an item of a set, `.` the
 * thing itself. Whoever may write one object may write any there, of a megabyte and thousands deep, and all objects of its kind
 * come through here: nothing may take more than a stack of bounded depth, or the square of the number of fields.
 */
export type FieldTree = { [key: string]: FieldTree };

/** Twice as deep as a manifest may be: what is below counts as one with the field that holds it. */
const MAX_DEPTH = 128;

/** Every path of a tree, inner ones that are owned themselves (`.`) included, in a stable order. */
export function pathsOf(tree: FieldTree, before: readonly string[] = []): string[][] {
  return Object.keys(tree)
    .sort()
    .flatMap((key) => {
      const path = [...before, key];
      const inner = tree[key] ?? {};
      return path.length >= MAX_DEPTH || Object.keys(inner).length === 0 ? [path] : pathsOf(inner, path);
    });
}

/** The tree with these paths. */
export function treeFrom(paths: Iterable<readonly string[]>): FieldTree {
  const tree: FieldTree = {};
  for (const path of paths) {
    let at = tree;
    for (const key of path) at = (Object.hasOwn(at, key) ? at[key] : undefined) ?? (at[key] = {});
  }
  return tree;
}

/** Whether the tree has the path, or one that goes on from there. */
export function hasPath(tree: FieldTree, path: readonly string[]): boolean {
  return nodeAt(tree, path) !== undefined;
}

/** Whether the tree has paths that go on from there. */
export function hasPathWithin(tree: FieldTree, path: readonly string[]): boolean {
  return Object.keys(nodeAt(tree, path) ?? {}).length > 0;
}

function nodeAt(tree: FieldTree, path: readonly string[]): FieldTree | undefined {
  return path.reduce<FieldTree | undefined>((at, key) => (at && Object.hasOwn(at, key) ? at[key] : undefined), tree);
}
