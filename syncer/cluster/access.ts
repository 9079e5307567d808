/**
 * How to reach an API server and as whom: from a pod's mounted service account, or from a kubeconfig with certificates or a
 * token in it. Exec plugins and the like are for people's machines; a syncer never needs them.
 *
 * Every file is read again after a minute, or at once when the server has refused what was in it; so tokens, certificates,
 * authorities and whole kubeconfigs can be replaced under a running syncer. A file that cannot be read then, perhaps half written,
 * changes nothing: what was read last stays (spec OPS-11, faults F41, F42).
 */
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parse } from 'yaml';
import { ConfigurationError } from '../model/errors.ts';
import type { Access, Credentials } from './session.ts';

const serviceAccountFolder = '/var/run/secrets/kubernetes.io/serviceaccount';
/** Bound tokens live about an hour and are renewed in the file well before. */
const readAgainMs = 60_000;

/** Milliseconds of a clock that never goes back. */
type Clock = () => number;

interface Named<T> {
  readonly name: string;
  readonly cluster?: T;
  readonly user?: T;
  readonly context?: T;
}

interface Kubeconfig {
  readonly 'current-context': string;
  readonly contexts: readonly Named<{ readonly cluster: string; readonly user: string }>[];
  readonly clusters: readonly Named<Section>[];
  readonly users: readonly Named<Section>[];
}

type Section = Readonly<Record<string, string>>;

interface Contents {
  readonly url: URL;
  readonly ca: string;
  readonly credentials: Credentials;
}

/** Inside a pod. @throws ConfigurationError outside of one */
export function inClusterAccess(env: NodeJS.ProcessEnv = process.env, now?: Clock): Access {
  const { KUBERNETES_SERVICE_HOST: address, KUBERNETES_SERVICE_PORT: port } = env;
  if (address === undefined || port === undefined) {
    throw new ConfigurationError(
      'Not in a pod: KUBERNETES_SERVICE_HOST is not set. Name a kubeconfig with --host-kubeconfig.',
    );
  }
  const url = new URL(`https://${address.includes(':') ? `[${address}]` : address}:${port}`);
  const fileOf = (name: string): string => readFileSync(join(serviceAccountFolder, name), 'utf8');
  return reading(() => ({ url, ca: fileOf('ca.crt'), credentials: { token: fileOf('token').trim() } }), now);
}

/**
 * The current context of a kubeconfig file; names of files in it are relative to it.
 * @throws ConfigurationError when it lacks what is needed, naming it
 */
export function kubeconfigAccess(path: string, now?: Clock): Access {
  const access = reading(() => contentsOf(path), now);
  // What is wrong from the beginning is told at the beginning.
  access.credentials();
  return access;
}

function reading(read: () => Contents, now: Clock = () => performance.now()): Access {
  let contents: Contents | undefined;
  let readAtMs = -Infinity;
  const current = (): Contents => {
    if (contents !== undefined && now() - readAtMs < readAgainMs) return contents;
    try {
      contents = read();
    } catch (error) {
      if (contents === undefined) throw error;
    }
    readAtMs = now();
    return contents;
  };
  return {
    get url() {
      return current().url;
    },
    ca: () => current().ca,
    credentials: () => current().credentials,
    reread: () => {
      readAtMs = -Infinity;
    },
  };
}

function contentsOf(path: string): Contents {
  const config = parse(readFileSync(path, 'utf8')) as Kubeconfig;
  const context = find(path, 'context', config.contexts, config['current-context']).context;
  const cluster = find(path, 'cluster', config.clusters, context?.cluster ?? '').cluster ?? {};
  const user = find(path, 'user', config.users, context?.user ?? '').user ?? {};
  const server = cluster['server'];
  if (server === undefined) throw new ConfigurationError(`Kubeconfig ${path}: the current cluster names no server.`);
  const fileOf = (name: string): string => readFileSync(resolve(dirname(path), name), 'utf8');
  const tokenFile = user['tokenFile'];
  return {
    url: new URL(server),
    ca: inlineOrFile(cluster, 'certificate-authority', fileOf) ?? '',
    credentials: {
      token: tokenFile === undefined ? user['token'] : fileOf(tokenFile).trim(),
      cert: inlineOrFile(user, 'client-certificate', fileOf),
      key: inlineOrFile(user, 'client-key', fileOf),
    },
  };
}

function find<T>(path: string, what: string, list: readonly Named<T>[], name: string): Named<T> {
  const found = list.find((item) => item.name === name);
  if (found === undefined) throw new ConfigurationError(`Kubeconfig ${path} has no ${what} named "${name}".`);
  return found;
}

function inlineOrFile(section: Section, key: string, fileOf: (name: string) => string): string | undefined {
  const inline = section[`${key}-data`];
  if (inline !== undefined) return Buffer.from(inline, 'base64').toString('utf8');
  const file = section[key];
  return file === undefined ? undefined : fileOf(file);
}
