/** How kustomize v5.8 reads a field of a kustomization file. */
export type Field =
  /** Loads nothing. */
  | 'plain'
  /** List of files and folders. */
  | 'any'
  /** List of folders. */
  | 'folders'
  /** List of files. */
  | 'files'
  /** List of files, or of patches written in place. */
  | 'patchTexts'
  /** List of maps; see loadingItems. */
  | 'patches'
  | 'replacements'
  | 'generators'
  /** Map with a path. */
  | 'openapi'
  /** List of files with plugin configurations, or of these written in place. */
  | 'plugins'
  /** Runs helm, which fetches charts. */
  | 'helm';

/** Every field of sigs.k8s.io/kustomize/api v0.21.1, types/kustomization.go. What is not here is refused. */
export const FIELDS: ReadonlyMap<string, Field> = new Map<string, Field>([
  ...[
    'apiVersion',
    'kind',
    'metadata',
    'namePrefix',
    'nameSuffix',
    'namespace',
    'commonLabels',
    'labels',
    'commonAnnotations',
    'images',
    'imageTags',
    'replicas',
    'vars',
    'sortOptions',
    'generatorOptions',
    'buildMetadata',
  ].map((name): [string, Field] => [name, 'plain']),
  ['resources', 'any'],
  ['bases', 'any'],
  ['components', 'folders'],
  ['crds', 'files'],
  ['configurations', 'files'],
  ['patchesStrategicMerge', 'patchTexts'],
  ['patches', 'patches'],
  ['patchesJson6902', 'patches'],
  ['replacements', 'replacements'],
  ['configMapGenerator', 'generators'],
  ['secretGenerator', 'generators'],
  ['openapi', 'openapi'],
  ['generators', 'plugins'],
  ['transformers', 'plugins'],
  ['validators', 'plugins'],
  ['helmCharts', 'helm'],
  ['helmGlobals', 'helm'],
  ['helmChartInflationGenerator', 'helm'],
]);

/** How a string inside a loading item is read. */
export type Part = 'plain' | 'file' | 'files' | 'sources' | 'patchTexts' | 'replacements';

/** Parts of the items of loading fields. kustomize matches names without regard to case, so only exact names may pass. */
export const ITEMS = {
  patches: new Map<string, Part>([
    ['path', 'file'],
    ['patch', 'plain'],
    ['target', 'plain'],
    ['options', 'plain'],
  ]),
  replacements: new Map<string, Part>([
    ['path', 'file'],
    ['source', 'plain'],
    ['targets', 'plain'],
  ]),
  openapi: new Map<string, Part>([
    ['path', 'file'],
    ['version', 'plain'],
  ]),
  generators: new Map<string, Part>([
    ...['name', 'namespace', 'behavior', 'literals', 'options', 'type'].map((name): [string, Part] => [name, 'plain']),
    ['files', 'sources'],
    ['envs', 'files'],
    ['env', 'file'],
  ]),
} as const;

const META: [string, Part][] = ['apiVersion', 'kind', 'metadata'].map((name) => [name, 'plain']);

/**
 * Builtin plugins (apiVersion: builtin) and their parts; undefined: any part, since the plugin loads nothing. Others run
 * programs or containers, or are not known.
 */
export const PLUGINS: ReadonlyMap<string, ReadonlyMap<string, Part> | undefined> = new Map<string, ReadonlyMap<string, Part> | undefined>([
  ...[
    'AnnotationsTransformer',
    'HashTransformer',
    'IAMPolicyGenerator',
    'ImageTagTransformer',
    'LabelTransformer',
    'NamespaceTransformer',
    'PrefixSuffixTransformer',
    'PrefixTransformer',
    'ReplicaCountTransformer',
    'SuffixTransformer',
  ].map((kind): [string, undefined] => [kind, undefined]),
  ['PatchTransformer', new Map([...META, ...ITEMS.patches])],
  ['PatchJson6902Transformer', new Map<string, Part>([...META, ['path', 'file'], ['jsonOp', 'plain'], ['target', 'plain']])],
  ['PatchStrategicMergeTransformer', new Map<string, Part>([...META, ['paths', 'patchTexts'], ['patches', 'plain']])],
  ['ReplacementTransformer', new Map<string, Part>([...META, ['replacements', 'replacements']])],
  ['ValueAddTransformer', new Map<string, Part>([...META, ['value', 'plain'], ['targets', 'plain'], ['targetFilePath', 'file']])],
  ['ConfigMapGenerator', new Map([...META, ...ITEMS.generators])],
  ['SecretGenerator', new Map([...META, ...ITEMS.generators])],
]);
