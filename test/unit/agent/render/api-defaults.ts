import type { KubeObject } from '#api/kubernetes.ts';

/** The defaults that the API server (1.35) fills in, as far as the recordings have them. */

interface Fields {
  [field: string]: unknown;
}

const deploymentDefaults = {
  progressDeadlineSeconds: 600,
  replicas: 1,
  revisionHistoryLimit: 10,
  strategy: { rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' }, type: 'RollingUpdate' },
};

const podDefaults = {
  dnsPolicy: 'ClusterFirst',
  restartPolicy: 'Always',
  schedulerName: 'default-scheduler',
  securityContext: {},
  terminationGracePeriodSeconds: 30,
};

/** `Always` is the default for an image without a tag. */
const containerDefaults = {
  imagePullPolicy: 'Always',
  resources: {},
  terminationMessagePath: '/dev/termination-log',
  terminationMessagePolicy: 'File',
};

const serviceDefaults = { internalTrafficPolicy: 'Cluster', ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack', sessionAffinity: 'None' };

function containerWithDefaults(container: Fields & { ports?: Fields[] }): Fields {
  const ports = container.ports?.map((port) => ({ protocol: 'TCP', ...port }));
  return { ...containerDefaults, ...container, ...(ports ? { ports } : {}) };
}

function volumeWithDefaults(volume: Fields): Fields {
  return volume['hostPath'] ? { ...volume, hostPath: { type: '', ...(volume['hostPath'] as Fields) } } : volume;
}

interface PodSpec extends Fields {
  containers: Fields[];
  volumes?: Fields[];
}

/** The object as the API server would hold it. */
export function withApiDefaults(object: KubeObject): KubeObject {
  const spec = object['spec'] as Fields;
  if (object.kind === 'Service') {
    const external = spec['type'] === 'NodePort' ? { externalTrafficPolicy: 'Cluster' } : {};
    return { ...object, spec: { ...serviceDefaults, ...external, ...spec } };
  }
  const template = spec['template'] as { metadata: Fields; spec: PodSpec };
  const { containers, volumes } = template.spec;
  const podSpec = {
    ...podDefaults,
    ...template.spec,
    containers: containers.map(containerWithDefaults),
    ...(volumes ? { volumes: volumes.map(volumeWithDefaults) } : {}),
  };
  return { ...object, spec: { ...deploymentDefaults, ...spec, template: { ...template, spec: podSpec } } };
}
