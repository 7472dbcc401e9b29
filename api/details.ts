/**
 * Keys of `services[].details` of a kustomize component: a map of strings that KubeVela's CRD keeps and `vela status`
 * prints as "Status Details". Written by the agent, read by the CLI.
 */
export const detail = {
  branch: 'branch',
  /** Full commit id. */
  commit: 'commit',
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
  /** Reason of the catalogue, while it fails. */
  reason: 'reason',
  /** RFC 3339 time of the next try, while it fails. */
  nextTry: 'nextTry',
  /** The last value of the annotation lateen.dev/reconcile-at that was carried out. */
  reconciledAt: 'reconciledAt',
} as const;
