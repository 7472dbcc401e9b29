/**
 * Keys of `services[].details` of a kustomize component: a map of strings that KubeVela's CRD keeps and `vela status`
 * prints as "Status Details". Written by the agent, read by the CLI.
 */
export const detail = {
  branch: 'branch',
  /** Full commit id. */
  commit: 'commit',
  /** The newest commits of the branch, newest first, of which everything is applied: twelve digits each, spaces between. */
  recent: 'recent',
  /** The same of those that could not be applied, while it fails. */
  failing: 'failing',
  /** `Failed`: an object is not well, and will not become so by itself. */
  health: 'health',
  author: 'author',
  subject: 'subject',
  /** RFC 3339 time of the commit. */
  committed: 'committed',
  /** Number of objects in the inventory of the component. */
  objects: 'objects',
  /** What differs from Git, while drift is `report`. */
  drift: 'drift',
  /** The commit that `lateen approve` names, while a prune is held. */
  heldPrune: 'heldPrune',
  /** The latest image by the policy of imageRepository, or the image alone while there is none. */
  image: 'image',
  /** `12 seen, 3 kept`. */
  imageTags: 'imageTags',
  /** RFC 3339 time of the scan that found these tags. */
  imageScanned: 'imageScanned',
  /** `FILE:LINE STATE` of the markers, or `none`. */
  imageMarkers: 'imageMarkers',
  /** The last commit that set images. */
  imageCommit: 'imageCommit',
  /** Reason of the catalogue why images do not move, with its sentence. */
  imageReason: 'imageReason',
  imageMessage: 'imageMessage',
  /** Reason of the catalogue, while it fails. */
  reason: 'reason',
  /** RFC 3339 time of the next try, while it fails. */
  nextTry: 'nextTry',
  /** The last value of the annotation lateen.dev/reconcile-at that was carried out. */
  reconciledAt: 'reconciledAt',
} as const;
