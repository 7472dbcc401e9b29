import type { KubeObject } from '#api/kubernetes.ts';

/** The files of a commit or a folder. Paths are relative to the repository root, `/` between the parts (a Git tree fits). */
export interface FileTree {
  entries: readonly FileEntry[];
  /** Contents by path. Throws a Failure where one is missing or too large. */
  read(paths: string[]): Promise<Map<string, Buffer>>;
}

export interface FileEntry {
  path: string;
  kind: 'file' | 'symlink' | 'submodule';
  executable: boolean;
  /** Bytes. */
  size: number;
}

/** Where an object comes from: the file, and the line where its document begins. */
export interface Origin {
  file: string;
  line?: number;
}

export interface BuiltObject {
  object: KubeObject;
  origin: Origin;
}

export interface Build {
  objects: BuiltObject[];
}
