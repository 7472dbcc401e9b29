import type { KubeObject } from '#api/kubernetes.ts';

/** The webhook configurations, as charts/lateen will have them, for a webhook that the API server reaches by URL. */

export interface ConfigurationOptions {
  /** `https://127.0.0.1:PORT`. */
  url: string;
  failurePolicy?: 'Ignore' | 'Fail';
  name?: string;
  /** What the names of the webhooks end in: the metrics of the API server tell webhooks apart by these alone. */
  domain?: string;
  timeoutSeconds?: number;
  /** Judge these namespaces alone; absent: all but the excluded ones. */
  namespaces?: string[];
}

/** Never judged: a mistake of ours must not be in the way of mending it. */
const EXCLUDED_NAMESPACES = ['kube-system', 'lateen-system'];

/**
 * CEL: an UPDATE that changes neither the spec nor an annotation is none of our business. The namespace is excluded by the
 * selector: `namespaceObject` is never set here, and under failurePolicy Ignore the webhook would then silently not be called.
 */
const MATCH_CONDITIONS = [
  {
    name: 'concerns-us',
    expression:
      'request.operation == "CREATE" || (!has(object.metadata.deletionTimestamp) && ' +
      '(object.spec != oldObject.spec || object.metadata.?annotations.orValue({}) != oldObject.metadata.?annotations.orValue({})))',
  },
];

/** Both configurations. caBundle is not set: the webhook writes it. */
export function webhookConfigurations(options: ConfigurationOptions): KubeObject[] {
  const { name = 'lateen', domain = 'lateen.dev' } = options;
  return [
    configuration('MutatingWebhookConfiguration', name, {
      ...hook(options, '/mutate'),
      name: `mutate.${domain}`,
      reinvocationPolicy: 'IfNeeded',
    }),
    configuration('ValidatingWebhookConfiguration', name, { ...hook(options, '/validate'), name: `validate.${domain}` }),
  ];
}

function configuration(kind: string, name: string, webhook: object): KubeObject {
  return { apiVersion: 'admissionregistration.k8s.io/v1', kind, metadata: { name }, webhooks: [webhook] };
}

function hook({ url, failurePolicy = 'Ignore', timeoutSeconds = 3, namespaces }: ConfigurationOptions, path: string): object {
  const key = 'kubernetes.io/metadata.name';
  const selected = namespaces ? { key, operator: 'In', values: namespaces } : { key, operator: 'NotIn', values: EXCLUDED_NAMESPACES };
  return {
    clientConfig: { url: `${url}${path}` },
    rules: [
      {
        apiGroups: ['core.oam.dev'],
        apiVersions: ['v1beta1'],
        operations: ['CREATE', 'UPDATE'],
        resources: ['applications'],
        scope: 'Namespaced',
      },
    ],
    namespaceSelector: { matchExpressions: [selected] },
    matchConditions: MATCH_CONDITIONS,
    failurePolicy,
    matchPolicy: 'Equivalent',
    sideEffects: 'None',
    timeoutSeconds,
    admissionReviewVersions: ['v1'],
  };
}
