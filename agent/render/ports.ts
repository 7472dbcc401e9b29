import type { WebserviceProperties } from '#api/webservice.ts';

type Port = NonNullable<WebserviceProperties['ports']>[number];

/** `80` or, the older form, without a name and a protocol. */
interface ContainerPort {
  containerPort: number;
  name?: string;
  protocol?: string;
}

interface ServicePort {
  name: string;
  port: number;
  targetPort: number;
  protocol: string;
  nodePort?: number;
}

function containerPortOf(port: Port): number {
  return port.containerPort ?? port.port;
}

/** `port-80`, `port-53-udp`: KubeVela's names, after the port of the container. */
function nameOf(port: Port): string {
  const suffix = port.protocol === 'TCP' ? '' : `-${port.protocol.toLowerCase()}`;
  return port.name ?? `port-${containerPortOf(port)}${suffix}`;
}

/** Ports of the container. Two entries for one port of the container make one here: the API server merges them by that. */
export function containerPorts({ ports, port }: Pick<WebserviceProperties, 'ports' | 'port'>): ContainerPort[] {
  if (!ports) return port === undefined ? [] : [{ containerPort: port }];
  const byPort = new Map<string, ContainerPort>();
  for (const entry of ports) {
    const containerPort = containerPortOf(entry);
    const key = `${containerPort}/${entry.protocol}`;
    if (!byPort.has(key)) byPort.set(key, { containerPort, name: nameOf(entry), protocol: entry.protocol });
  }
  return [...byPort.values()];
}

/** Ports of the Service: those with `expose: true`. The older `port` never gets one. */
export function servicePorts({ ports = [], exposeType }: Pick<WebserviceProperties, 'ports' | 'exposeType'>): ServicePort[] {
  return ports
    .filter(({ expose }) => expose)
    .map((port) => ({
      name: nameOf(port),
      port: port.port,
      targetPort: containerPortOf(port),
      protocol: port.protocol,
      ...(exposeType === 'NodePort' && port.nodePort !== undefined ? { nodePort: port.nodePort } : {}),
    }));
}
