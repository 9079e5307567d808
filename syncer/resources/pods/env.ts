/**
 * Variables about services that a kubelet would give a container. The host's kubelet must not (it knows the host's services), so
 * service links are off there and the variables of the virtual services are written into the pod when it is created (POD-51).
 */
import type { Service, ServicePort } from '../../model/kubernetes.ts';
import type { StringMap } from '../../model/object.ts';

const apiPort: ServicePort = { name: 'https', port: 443, protocol: 'TCP' };

/** The variables of `default/kubernetes`, which every pod has (POD-71). */
export function kubernetesVariables(clusterIP: string): StringMap {
  return serviceVariables('kubernetes', clusterIP, [apiPort]);
}

/** The variables of all services of a namespace (POD-72). Headless and external services have none. */
export function linkVariables(services: readonly Service[]): StringMap {
  return Object.fromEntries(
    services.flatMap(({ metadata, spec }) => {
      const { clusterIP = '', ports = [] } = spec;
      const has = clusterIP !== '' && clusterIP !== 'None';
      return has ? Object.entries(serviceVariables(metadata.name, clusterIP, ports)) : [];
    }),
  );
}

function serviceVariables(name: string, clusterIP: string, ports: readonly ServicePort[]): StringMap {
  const [first] = ports;
  if (first === undefined) return {};
  const prefix = variableName(name);
  return {
    [`${prefix}_SERVICE_HOST`]: clusterIP,
    [`${prefix}_SERVICE_PORT`]: String(first.port),
    [`${prefix}_PORT`]: addressOf(clusterIP, first),
    ...Object.fromEntries(ports.flatMap((port) => portVariables(prefix, clusterIP, port))),
  };
}

function portVariables(prefix: string, clusterIP: string, port: ServicePort): readonly (readonly [string, string])[] {
  const protocol = port.protocol ?? 'TCP';
  const link = `${prefix}_PORT_${port.port}_${protocol}`;
  const variables: readonly (readonly [string, string])[] = [
    [link, addressOf(clusterIP, port)],
    [`${link}_PROTO`, protocol.toLowerCase()],
    [`${link}_PORT`, String(port.port)],
    [`${link}_ADDR`, clusterIP],
  ];
  const { name = '' } = port;
  return name === '' ? variables : [[`${prefix}_SERVICE_PORT_${variableName(name)}`, String(port.port)], ...variables];
}

function addressOf(clusterIP: string, { port, protocol = 'TCP' }: ServicePort): string {
  return `${protocol.toLowerCase()}://${clusterIP.includes(':') ? `[${clusterIP}]` : clusterIP}:${port}`;
}

function variableName(name: string): string {
  return name.toUpperCase().replaceAll('-', '_');
}
