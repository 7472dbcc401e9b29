/**
 * The one catalogue of reasons (design §6): CamelCase in conditions and events, UPPER_SNAKE in the CLI and logs.
 * Each has a section in docs/errors.md (meaning, cause, cure); test/unit/docs holds the two together.
 */
export const reasons = {
  // Admission: the Application itself
  Required: 'a required field is missing',
  UnknownField: 'a field that the schema does not have',
  InvalidType: 'a value of the wrong type',
  InvalidValue: 'a value that is not allowed',
  InvalidURL: 'a source URL that cannot be used',
  InvalidPath: 'a path outside the repository, or not a path',
  InvalidRef: 'a Git ref that Git itself would refuse',
  InvalidName: 'a name that is not a DNS-1123 name',
  InvalidDuration: 'a duration that is not a Go duration, or out of range',
  IntervalTooShort: 'a pullInterval under the minimum of the agent',
  Duplicate: 'the same name twice',
  DependencyCycle: 'components that wait for each other',
  UnknownDependency: 'a dependsOn that names no component',
  UnknownComponentType: 'a component type that the agent does not render',
  UnknownTraitType: 'a trait type that the agent does not apply',
  UnknownPolicyType: 'a policy type that the agent does not know',
  UnknownStepType: 'a workflow step type that the agent does not run',
  InvalidVersion: 'a publishVersion that cannot become part of a name',
  VersionReused: 'a publishVersion that another spec was rolled out under',
  InvalidImage: 'an image that is not a name without tag and digest',
  InvalidRange: 'a range of versions that cannot be read',
  InvalidPattern: 'a tag pattern that is not RE2, or that no tag can match',
  InvalidExtract: 'an extract that names a group which the pattern does not have',
  TooDeep: 'an Application whose maps and lists stand too deep in each other',
  Unsupported: 'a part of KubeVela that this version cannot do yet',
  // Warnings: allowed, and most likely not what was meant
  NoAgent: 'a namespace that no agent is announced for',
  PublishVersionUnchanged: 'a changed spec under an unchanged publishVersion',
  UnusualInterval: 'an interval that is unusually short or long',
  NotEncrypted: 'credentials that are sent without TLS',
  NoPushCredentials: 'image automation without credentials to push with',
  SameSource: 'two components that sync the same folder',
  FloatingTag: 'a tag filter that lets tags such as latest through',
  NumbersAsText: 'numbers that are compared as text',
  // Source
  AuthFailed: 'the Git server refused the credentials',
  SecretNotFound: 'the Secret named by secretRef is not there',
  SecretInvalid: 'the Secret named by secretRef lacks what is needed',
  RepositoryNotFound: 'the Git server does not know the repository',
  RefNotFound: 'the repository has no such branch',
  RepositoryEmpty: 'the repository has no commit',
  Unreachable: 'the Git server cannot be reached',
  TLSFailed: 'the certificate of the Git server is not trusted',
  TimedOut: 'the deadline passed',
  TooLarge: 'more bytes or files than the limit',
  GitFailed: 'git failed in a way that has no reason of its own',
  PathNotFound: 'the path is not in the commit',
  // Build
  InvalidYAML: 'a file that is not YAML',
  InvalidObject: 'a document that is not a Kubernetes object',
  SymlinkRefused: 'a symbolic link where a file is needed',
  RemoteResourceForbidden: 'a kustomization that loads something from outside the repository',
  KustomizeUnsupported: 'a kustomize feature that runs programs or reads from outside',
  BuildFailed: 'kustomize could not build the folder',
  KustomizeNotFound: 'the kustomize program is not there',
  // Validation of the built objects
  NamespaceForbidden: 'an object of another namespace',
  ClusterScoped: 'a cluster-scoped object',
  UnknownKind: 'a kind that the API server does not know',
  DuplicateObject: 'the same object twice',
  NameRequired: 'an object without a name',
  // Apply, prune, cluster
  Forbidden: 'the agent lacks a right in its Role',
  RoleExceedsAgent: 'a Role or RoleBinding in Git grants more than the agent may do itself',
  ApplyFailed: 'the API server refused an object',
  OwnershipConflict: 'another component has the object',
  NotAdopted: 'the object was in the cluster before, and adopt is false',
  DriftFight: 'the same field is changed back each time that it is put back',
  PruneFailed: 'an object could not be removed',
  PruneHeld: 'a prune waits for approval',
  EmptyBuild: 'the folder holds no object: nothing is applied and nothing is pruned',
  NotLeader: 'another agent of the namespace acts',
  ClusterUnavailable: 'the API server cannot be reached',
  // Image automation
  InvalidPolicy: 'an image policy that names none of semver, alphabetical and numerical',
  InvalidOrder: 'an order that is neither asc nor desc',
  InvalidTemplate: 'a message template that cannot be read or run',
  NoTags: 'the registry lists no tag of the image',
  NoMatch: 'no tag is left after filter and policy',
  NotANumber: 'no tag that is left can be read as a number',
  ImageNotFound: 'the registry does not know the image',
  RegistryAuthFailed: 'the registry refused the credentials, or asked for some',
  RegistryFailed: 'the registry answered with something that cannot be used',
  RegistryUnreachable: 'the registry cannot be reached',
  RateLimited: 'the registry is asked too often',
  MarkerUnusable: 'a marker that cannot be used where it stands',
  MarkerAmbiguous: 'a marker that fits components of two Applications',
  ImageHeld: 'a person took a tag back, and no newer one has appeared',
  DowngradeRefused: 'the latest tag is older than the one that stands in Git',
  PushForbidden: 'the credentials may read the repository, but not push to it',
  PushRefused: 'the Git server refused the push',
  ImageUpdated: 'new image tags were committed',
  // Progress and health
  Available: 'all is well',
  ReconcileSuccess: 'the last reconciliation succeeded',
  ReconcileError: 'the last reconciliation failed',
  Progressing: 'work is under way',
  Suspended: 'the component is suspended',
  Unhealthy: 'an object is not healthy',
  Applied: 'objects were applied',
  Pruned: 'objects were removed',
  Kept: 'objects were left in the cluster because prune is false',
  NotOurs: 'an object was left in the cluster because it is not the one that was applied',
  DriftCorrected: 'a change made in the cluster was put back',
  DriftDetected: 'the cluster differs from Git, and drift is report',
  NotAdmitted: 'the Application was not admitted',
  Internal: 'a defect of Lateen',
} as const;

export type Reason = keyof typeof reasons;

/** `AuthFailed` -> `AUTH_FAILED`: the spelling of the CLI and of logs. */
export function reasonCode(reason: Reason): string {
  return reason
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1_$2')
    .toUpperCase();
}
