/**
 * How to reach an API server and as whom: from a pod's mounted service account, or from a kubeconfig with certificates or a
 * token in it. Exec plugins and the like are for people's machines; a syncer never needs them.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { ConfigurationError } from '../model/errors.ts';
import type { Access } from './session.ts';

const serviceAccountFolder = '/var/run/secrets/kubernetes.io/serviceaccount';
/** Bound tokens live about an hour and are renewed in the file well before (spec OPS-11). */
const tokenReadAgainMs = 60_000;

interface Named<T> {
  readonly name: string;
  readonly cluster?: T;
  readonly user?: T;
  readonly context?: T;
}

interface Kubeconfig {
  readonly 'current-context': string;
  readonly contexts: readonly Named<{ readonly cluster: string; readonly user: string }>[];
  readonly clusters: readonly Named<Readonly<Record<string, string>>>[];
  readonly users: readonly Named<Readonly<Record<string, string>>>[];
}

/** Inside a pod. @throws ConfigurationError outside of one */
export function inClusterAccess(env: NodeJS.ProcessEnv = process.env, now: () => number = Date.now): Access {
  const { KUBERNETES_SERVICE_HOST: address, KUBERNETES_SERVICE_PORT: port } = env;
  if (address === undefined || port === undefined) {
    throw new ConfigurationError(
      'Not in a pod: KUBERNETES_SERVICE_HOST is not set. Name a kubeconfig with --host-kubeconfig.',
    );
  }
  let token = '';
  let readAtMs = -Infinity;
  return {
    url: new URL(`https://${address.includes(':') ? `[${address}]` : address}:${port}`),
    ca: () => readFileSync(join(serviceAccountFolder, 'ca.crt'), 'utf8'),
    credentials: () => {
      if (now() - readAtMs > tokenReadAgainMs) {
        token = readFileSync(join(serviceAccountFolder, 'token'), 'utf8').trim();
        readAtMs = now();
      }
      return { token };
    },
  };
}

/** The current context of a kubeconfig file. @throws ConfigurationError when it lacks what is needed, naming it */
export function kubeconfigAccess(path: string): Access {
  const config = parse(readFileSync(path, 'utf8')) as Kubeconfig;
  const context = find(path, 'context', config.contexts, config['current-context']).context;
  const cluster = find(path, 'cluster', config.clusters, context?.cluster ?? '').cluster ?? {};
  const user = find(path, 'user', config.users, context?.user ?? '').user ?? {};
  const server = cluster['server'];
  if (server === undefined) throw new ConfigurationError(`Kubeconfig ${path}: the current cluster names no server.`);
  return {
    url: new URL(server),
    ca: () => inlineOrFile(cluster, 'certificate-authority') ?? '',
    credentials: () => ({
      token: user['token'],
      cert: inlineOrFile(user, 'client-certificate'),
      key: inlineOrFile(user, 'client-key'),
    }),
  };
}

function find<T>(path: string, what: string, list: readonly Named<T>[], name: string): Named<T> {
  const found = list.find((item) => item.name === name);
  if (found === undefined) throw new ConfigurationError(`Kubeconfig ${path} has no ${what} named "${name}".`);
  return found;
}

function inlineOrFile(section: Readonly<Record<string, string>>, key: string): string | undefined {
  const inline = section[`${key}-data`];
  if (inline !== undefined) return Buffer.from(inline, 'base64').toString('utf8');
  const file = section[key];
  return file === undefined ? undefined : readFileSync(file, 'utf8');
}
