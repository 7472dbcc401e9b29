/** Labels, annotations and other names of the wire contract with KubeVela (`app.oam.dev/…`) and of our own (`lateen.dev/…`). */

export const GROUP = 'core.oam.dev';
export const API_VERSION = 'core.oam.dev/v1beta1';
/** Of Policy and Workflow objects. */
export const EXTERNAL_VERSION = 'core.oam.dev/v1alpha1';

/** ServiceAccount, Role, RoleBinding, Deployment and Lease of an agent (charts/lateen-agent). */
export const AGENT_NAME = 'lateen-agent';

/** Field manager of every server-side apply, and the user agent of every request. */
export const FIELD_MANAGER = 'lateen';

export const annotation = {
  publishVersion: 'app.oam.dev/publishVersion',
  controllerVersionRequire: 'app.oam.dev/controller-version-require',
  /** KubeVela's: follow newer definitions; excludes a publishVersion. */
  autoUpdate: 'app.oam.dev/autoUpdate',
  /** Of an Application or a Namespace: `auto` sets the publishVersion from the content. */
  publishVersionMode: 'lateen.dev/publish-version',
  /** Of a Namespace: `deny` refuses a changed spec under an unchanged publishVersion. */
  unchangedVersion: 'lateen.dev/unchanged-version',
  /** Of a Namespace: patterns of the repositories and images that its Applications may name. */
  allowedRepositories: 'lateen.dev/allowed-repositories',
  allowedRegistries: 'lateen.dev/allowed-registries',
  reconcileAt: 'lateen.dev/reconcile-at',
  /** The commit whose held prune a person has approved. */
  approvePrune: 'lateen.dev/approve-prune',
  /** `true`: no image is set; any other value: what people took back is forgotten, once. */
  imageHold: 'lateen.dev/image-hold',
  /** The ApplicationRevision that runs whatever spec and publishVersion say, until `lateen resume`. */
  hold: 'lateen.dev/hold',
  requestedBy: 'lateen.dev/requested-by',
  /** Of an Application that a person gave back: Lateen neither claims nor reconciles it. `false` says nothing. */
  handedBack: 'lateen.dev/handed-back',
  /** KubeVela's: as whom vela-core applies what an Application makes. */
  serviceAccountName: 'app.oam.dev/service-account-name',
  username: 'app.oam.dev/username',
  group: 'app.oam.dev/group',
  /** KubeVela's: labels and annotations that what an Application makes does not get from it. */
  filterLabelKeys: 'filter.oam.dev/label-keys',
  filterAnnotationKeys: 'filter.oam.dev/annotation-keys',
  kubectlLastApplied: 'kubectl.kubernetes.io/last-applied-configuration',
} as const;

export const label = {
  appName: 'app.oam.dev/name',
  appNamespace: 'app.oam.dev/namespace',
  appComponent: 'app.oam.dev/component',
  appRevision: 'app.oam.dev/appRevision',
  appRevisionHash: 'app.oam.dev/app-revision-hash',
  cluster: 'app.oam.dev/cluster',
  resourceType: 'app.oam.dev/resourceType',
  revision: 'app.oam.dev/revision',
  workloadType: 'workload.oam.dev/type',
  traitType: 'trait.oam.dev/type',
  traitResource: 'trait.oam.dev/resource',
  /** Full stop of reconciliation, deletion handling included, when "true" (spec/kubevela.md §3.8). */
  pause: 'controller.core.oam.dev/pause',
  /** Of a Namespace: which Applications the agent of it reconciles, `all` or `gitops`. */
  applications: 'lateen.dev/applications',
  application: 'lateen.dev/application',
  component: 'lateen.dev/component',
} as const;

/** vela-core's finalizer: taken off by us at the deletion of a claimed Application, never set. */
export const VELA_FINALIZER = 'app.oam.dev/resource-tracker-finalizer';

/** The value of `controller-version-require` that says: Lateen reconciles this Application. */
export const CLAIM = 'lateen';

/** Begins the name of the ConfigMap that our ComponentDefinition `kustomize` renders for an unclaimed Application. */
export const WAITING_PREFIX = 'waiting-for-lateen.';
