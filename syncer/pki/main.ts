/**
 * The command `pki`, run by the init container before every start of the control plane: makes or reads what is kept in the
 * host namespace, then writes the files of all components.
 *
 * Run again it keeps authorities, service-account key and service range, and issues everything else anew.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { inClusterAccess, kubeconfigAccess } from '../cluster/access.ts';
import { Client } from '../cluster/client.ts';
import { ConfigurationError, ConnectionError, isStatus } from '../model/errors.ts';
import { securityLevels } from '../model/pod-rules.ts';
import type { SecurityLevel } from '../model/pod-rules.ts';
import { clusterIPsOf, loadOrCreateServiceRange, loadOrCreateTrust, readService } from './authority.ts';
import type { HostApi } from './authority.ts';
import { controlPlaneFiles, writeFiles } from './files.ts';

export interface PkiOptions {
  readonly name: string;
  readonly namespace: string;
  readonly domain: string;
  /** Folder that gets a folder per component. */
  readonly out: string;
  readonly egressSocket: string;
  /** What pods must meet in namespaces that say nothing themselves. */
  readonly podSecurity?: SecurityLevel;
}

/** A pod's network and the grants of its role may lag behind its start by moments. */
const patienceMs = 20_000;
const retryDelayMs = 250;

/** Runs the command. @throws ConfigurationError with what to do; ApiError or ConnectionError when the host gave no answer in time */
export async function pki(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      name: { type: 'string' },
      namespace: { type: 'string' },
      domain: { type: 'string', default: 'cluster.local' },
      out: { type: 'string' },
      'egress-socket': { type: 'string', default: '/run/vcluster/egress.sock' },
      'pod-security': { type: 'string', default: 'privileged' },
      'host-kubeconfig': { type: 'string' },
    },
  });
  const required = (key: 'name' | 'namespace' | 'out'): string => {
    const value = values[key];
    if (value === undefined || value === '') throw new ConfigurationError(`pki needs --${key}.`);
    return value;
  };
  const options = {
    name: required('name'),
    namespace: required('namespace'),
    out: required('out'),
    domain: values.domain,
    egressSocket: values['egress-socket'],
    podSecurity: parseLevel(values['pod-security']),
  };
  const kubeconfig = values['host-kubeconfig'];
  const access = kubeconfig === undefined ? inClusterAccess() : kubeconfigAccess(kubeconfig);
  await preparePki(new Client('host', access), options);
}

function parseLevel(text: string): SecurityLevel {
  const level = securityLevels.find((each) => each === text);
  if (level !== undefined) return level;
  throw new ConfigurationError(`pki: --pod-security must be one of ${securityLevels.join(', ')}, not "${text}".`);
}

/** The command without its flags. */
export async function preparePki(host: HostApi, options: PkiOptions, now: Date = new Date()): Promise<void> {
  const { service, trust } = await patiently(async () => {
    const found = await readService(host, options);
    await loadOrCreateServiceRange(host, found);
    return { service: found, trust: await loadOrCreateTrust(host, found, now) };
  });
  const plane = { ...options, clusterIPs: clusterIPsOf(service) };
  await writeFiles(options.out, await controlPlaneFiles(trust, plane, now));
}

async function patiently<T>(attempt: () => Promise<T>): Promise<T> {
  const giveUpAtMs = Date.now() + patienceMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      const mayPass = error instanceof ConnectionError || isStatus(error, 403, 429, 500, 502, 503, 504);
      if (!mayPass || Date.now() >= giveUpAtMs) throw error;
      await delay(retryDelayMs);
    }
  }
}
