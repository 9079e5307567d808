/** The kept connections to a host's API server: few, with the right certificate, by the right way. */
import { Agent as HttpAgent } from 'node:http';
import { Agent } from 'node:https';
import { createSecureContext } from 'node:tls';
import { textOf } from './errors.ts';
import { KubeconfigError } from './kubeconfig-errors.ts';
import type { HostAccess } from './kubeconfig.ts';
import { proxyEnv } from './proxy.ts';

const connectionsMax = 8;

/** Connects to nobody yet. @throws KubeconfigError when the client certificate or its key cannot be used */
export function openAgent(access: HostAccess): Agent | HttpAgent {
  const { ca, certificate, key, insecure, serverName, proxy } = access;
  refuseBroken(access);
  const kept = {
    keepAlive: true,
    maxSockets: connectionsMax,
    maxFreeSockets: connectionsMax / 2,
    scheduling: 'lifo',
    proxyEnv: proxyEnv(proxy),
  } as const;
  if (access.server.protocol === 'http:') return new HttpAgent(kept);
  return new Agent({
    ...kept,
    ca,
    cert: certificate,
    key,
    rejectUnauthorized: !insecure,
    ...(serverName !== undefined && { servername: serverName }),
  });
}

/** Else it would look as if the host's certificate were at fault. */
function refuseBroken({ certificate, key }: HostAccess): void {
  try {
    createSecureContext({ cert: certificate, key });
  } catch (cause) {
    const why = `The client certificate for the host cluster, or its key, cannot be used (${textOf(cause)})`;
    throw new KubeconfigError(`${why}. Give both as PEM, and the key of that very certificate.`, { cause });
  }
}
