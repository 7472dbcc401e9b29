import type { FileEntry, FileTree } from '#agent/manifest/types.ts';

/** A tree in memory. `-> target` is a symbolic link, `@submodule` a submodule. */
export function memoryTree(files: Record<string, string | Buffer>): FileTree & { reads: string[] } {
  const reads: string[] = [];
  const entries = Object.entries(files).map(([path, content]): FileEntry => {
    const text = content.toString();
    const kind = text.startsWith('-> ') ? 'symlink' : text === '@submodule' ? 'submodule' : 'file';
    return { path, kind, executable: false, size: Buffer.byteLength(content) };
  });
  return {
    entries,
    reads,
    async read(paths) {
      reads.push(...paths);
      return new Map(paths.map((path) => [path, Buffer.from(files[path] ?? '')]));
    },
  };
}

export function configMap(name: string, more = ''): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n${more}`;
}
