/** Limits of one build (spec/sync.md §2.4); what is over them is refused by name, never cut. */
export const limits = {
  /** Bytes of one file. */
  fileBytes: 5 * 1024 * 1024,
  /** Bytes of all files of one build, and of what kustomize may print. */
  totalBytes: 25 * 1024 * 1024,
  /** Files of one build. */
  files: 10_000,
  /** Documents of one file. */
  documents: 5_000,
  /** Maps and lists inside each other. */
  depth: 64,
  /** Uses of `*alias` in one document. Ordinary manifests with 300 were seen. */
  aliases: 1_000,
  /** Values of one document once its aliases are written out. */
  values: 1_000_000,
  /** Bytes of one object as JSON: a little under what etcd takes. */
  objectBytes: 1024 * 1024,
  /** Files and folders that are looked at on disk. */
  diskEntries: 100_000,
} as const;
