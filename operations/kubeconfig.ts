/**
 * Finds out how to reach a cluster and as whom: from kubeconfig files, merged as kubectl merges them, from what was given
 * explicitly, or from the service account of the pod this runs in.
 *
 * What cannot be honoured (impersonation, removed ways to log in) is refused with words: acting as
 * somebody else, or past a proxy, would be worse than not acting. Only reads.
 */
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { parse } from 'yaml';
import { fixedCredentials, pluginCredentials, tokenFileCredentials } from './credentials.ts';
import type { CredentialPlugin, Credentials, CredentialSource } from './credentials.ts';
import { KubeconfigError, WrongContextError } from './kubeconfig-errors.ts';
import { proxyProblem } from './proxy.ts';

export type { CredentialPlugin } from './credentials.ts';
export { KubeconfigError, WrongContextError } from './kubeconfig-errors.ts';

/** Which cluster is meant, and as whom. */
export interface HostChoice {
  /** Path, or several that are merged as kubectl merges them; the default is $KUBECONFIG, else ~/.kube/config. */
  readonly kubeconfig?: string | readonly string[] | undefined;
  /** The default is the current context. */
  readonly context?: string | undefined;
  /** Given: no kubeconfig is read at all. */
  readonly explicit?: ExplicitHost | undefined;
}

/** Access without a kubeconfig. */
export interface ExplicitHost {
  /** URL, or host:port. */
  readonly server: string;
  /** PEM texts, not paths. */
  readonly ca?: string | undefined;
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
  readonly token?: string | undefined;
  readonly insecure?: boolean | undefined;
  /** Name that the server's certificate is checked against. */
  readonly serverName?: string | undefined;
  readonly exec?: CredentialPlugin | undefined;
}

/** How to reach an API server. */
export interface HostAccess extends Credentials {
  readonly server: URL;
  readonly ca?: string | undefined;
  readonly serverName?: string | undefined;
  readonly insecure: boolean;
  /** URL, perhaps with a password. Undefined: what the environment says. */
  readonly proxy?: string | undefined;
}

/** The same before credentials were asked for: they may come from a program, and expire. */
export interface AccessSource {
  readonly endpoint: Omit<HostAccess, keyof Credentials>;
  readonly credentials: CredentialSource;
}

type Section = Readonly<Record<string, unknown>>;

/** An entry of a kubeconfig, with the folder that its relative paths are relative to. */
interface Entry {
  readonly name: string;
  readonly section: Section;
  readonly folder: string;
}

const sections = { contexts: 'context', clusters: 'cluster', users: 'user' } as const;
type SectionKind = keyof typeof sections;

interface Merged extends Readonly<Record<SectionKind, readonly Entry[]>> {
  readonly currentContext: string;
  /** The files that were read; for messages. */
  readonly paths: string;
}

/** Reads the access and asks for credentials. @throws KubeconfigError, WrongContextError */
export async function readHostAccess(choice: HostChoice): Promise<HostAccess> {
  const { endpoint, credentials } = readAccess(choice);
  return { ...endpoint, ...(await credentials()) };
}

/** Reads the access; runs no program yet. @throws KubeconfigError, WrongContextError */
export function readAccess(choice: HostChoice): AccessSource {
  if (choice.explicit !== undefined) return explicitAccess(choice.explicit);
  const config = readMerged(choice);
  return config === undefined ? podAccess() : accessIn(config, choice.context ?? config.currentContext);
}

function explicitAccess(given: ExplicitHost): AccessSource {
  const { server, ca, serverName, insecure, exec, token, certificate, key } = given;
  const endpoint = {
    server: urlOf(server, 'The address of the host cluster'),
    ca,
    serverName,
    insecure: insecure === true,
  };
  const credentials =
    exec === undefined ? fixedCredentials({ token, certificate, key }) : pluginCredentials(exec, endpoint);
  return { endpoint, credentials };
}

/** The files of the choice, merged: of two entries with the same name the first one counts. Undefined: use the pod's account. */
function readMerged({ kubeconfig }: HostChoice): Merged | undefined {
  const given = typeof kubeconfig === 'string' ? [kubeconfig] : kubeconfig;
  const named = given ?? process.env['KUBECONFIG']?.split(delimiter).filter((path) => path !== '') ?? [];
  const candidates = (named.length > 0 ? named : [join(homedir(), '.kube/config')]).map((path) =>
    resolve(untilded(path)),
  );
  const paths = candidates.filter((path) => existsSync(path));
  if (paths.length === 0) {
    if (named.length === 0 && isInPod()) return undefined;
    throw new KubeconfigError(
      `There is no kubeconfig at ${candidates.join(' or ')}. Name one (config_path of the provider, or KUBECONFIG).`,
    );
  }
  const files = paths.map((path) => ({ path, content: readFile(path) }));
  const entries = (kind: SectionKind): readonly Entry[] =>
    files.flatMap(({ path, content }) => entriesOf(content, kind, dirname(path)));
  const currentContext = files.map((file) => text(file.content, 'current-context')).find((name) => name !== undefined);
  return {
    contexts: entries('contexts'),
    clusters: entries('clusters'),
    users: entries('users'),
    currentContext: currentContext ?? '',
    paths: paths.join(', '),
  };
}

function readFile(path: string): Section {
  try {
    const content: unknown = parse(readFileSync(path, 'utf8'), { logLevel: 'error' });
    if (typeof content === 'object' && content !== null) return content as Section;
  } catch (cause) {
    // A parser's message may quote the file, and the file holds keys.
    throw new KubeconfigError(`Kubeconfig ${path} cannot be read as YAML. Correct it, or name another one.`, { cause });
  }
  throw new KubeconfigError(
    `Kubeconfig ${path} is empty. Name another one (config_path of the provider, or KUBECONFIG).`,
  );
}

function entriesOf(content: Section, kind: SectionKind, folder: string): readonly Entry[] {
  const list = content[kind];
  if (!Array.isArray(list)) return [];
  return (list as readonly unknown[]).filter(isSection).map((entry) => {
    const section = entry[sections[kind]];
    return { name: String(entry['name']), section: isSection(section) ? section : {}, folder };
  });
}

function accessIn(config: Merged, contextName: string): AccessSource {
  const context = find(config, 'contexts', contextName);
  const cluster = find(config, 'clusters', text(context.section, 'cluster') ?? '');
  const user = find(config, 'users', text(context.section, 'user') ?? '');
  const server = text(cluster.section, 'server');
  if (server === undefined) {
    throw new KubeconfigError(
      `Kubeconfig ${config.paths}: context "${contextName}" names no server. Correct it, or choose another context.`,
    );
  }
  refuseUnsupported(config, contextName, { ...cluster.section, ...user.section });
  const proxy = text(cluster.section, 'proxy-url');
  const endpoint = {
    server: urlOf(server, `Kubeconfig ${config.paths}: the server of context "${contextName}"`),
    ca: contentOf(cluster, 'certificate-authority'),
    serverName: text(cluster.section, 'tls-server-name'),
    insecure: cluster.section['insecure-skip-tls-verify'] === true,
    proxy,
  };
  return { endpoint, credentials: credentialsOf(user, endpoint) };
}

function find(config: Merged, kind: SectionKind, name: string): Entry {
  const entry = config[kind].find((candidate) => candidate.name === name);
  if (entry !== undefined) return entry;
  const known = [...new Set(config[kind].map((candidate) => candidate.name))];
  if (kind === 'contexts') throw new WrongContextError(config.paths, name, known);
  throw new KubeconfigError(
    `Kubeconfig ${config.paths} has no "${name}" among its ${kind}: ${known.join(', ') || 'none'}. Correct it, or choose another context.`,
  );
}

const unsupported: Readonly<Record<string, string>> = {
  'auth-provider': 'an auth-provider, which Kubernetes has removed; use the credential plugin (exec) that replaces it',
  username: 'a password, which Kubernetes has removed; use a token or a certificate',
  as: 'impersonation (as), which is not supported; use a kubeconfig of the account itself',
};

function refuseUnsupported(config: Merged, contextName: string, section: Section): void {
  const key = Object.keys(unsupported).find(
    (candidate) => section[candidate] !== undefined && section[candidate] !== '',
  );
  const proxy = text(section, 'proxy-url');
  const problem = key === undefined ? proxy && proxyProblem(proxy) : unsupported[key];
  if (problem === undefined) return;
  throw new KubeconfigError(`Kubeconfig ${config.paths}: context "${contextName}" asks for ${problem}.`);
}

interface KubeconfigPlugin {
  readonly apiVersion?: string;
  readonly command?: unknown;
  readonly args?: readonly string[] | null;
  readonly env?: readonly { readonly name: string; readonly value: string }[] | null;
  readonly installHint?: string;
}

function credentialsOf(user: Entry, endpoint: AccessSource['endpoint']): CredentialSource {
  const { section, folder } = user;
  const exec = section['exec'] as KubeconfigPlugin | undefined;
  if (exec) {
    if (typeof exec.command !== 'string') {
      throw new KubeconfigError(
        `The kubeconfig names a credential plugin (exec) of user "${user.name}" without a command.`,
      );
    }
    const env = Object.fromEntries((exec.env ?? []).map(({ name, value }) => [name, value]));
    const { apiVersion, installHint, args } = exec;
    // A bare word is looked for on the PATH, a path with folders is relative to the kubeconfig.
    const command = exec.command.includes('/') ? resolve(folder, exec.command) : exec.command;
    return pluginCredentials({ apiVersion, command, installHint, args: args ?? [], env }, endpoint);
  }
  const tokenFile = text(section, 'tokenFile');
  const fixed = { certificate: contentOf(user, 'client-certificate'), key: contentOf(user, 'client-key') };
  const token = text(section, 'token');
  // As kubectl does it: the file wins, because it is renewed.
  if (tokenFile !== undefined) return tokenFileCredentials(resolve(folder, tokenFile), fixed);
  return fixedCredentials({ ...fixed, token });
}

const podAccount = '/var/run/secrets/kubernetes.io/serviceaccount';

function isInPod(): boolean {
  return Boolean(process.env['KUBERNETES_SERVICE_HOST']) && existsSync(join(podAccount, 'token'));
}

function podAccess(): AccessSource {
  const host = process.env['KUBERNETES_SERVICE_HOST'] ?? '';
  const address = host.includes(':') ? `[${host}]` : host;
  const endpoint = {
    server: new URL(`https://${address}:${process.env['KUBERNETES_SERVICE_PORT'] ?? '443'}`),
    ca: readFileSync(join(podAccount, 'ca.crt'), 'utf8'),
    insecure: false,
  };
  return { endpoint, credentials: tokenFileCredentials(join(podAccount, 'token'), {}) };
}

function urlOf(server: string, what: string): URL {
  const written = /^https?:\/\//i.test(server) ? server : `https://${server}`;
  if (!URL.canParse(written))
    throw new KubeconfigError(`${what} is no URL: "${server}". Write it like https://10.0.0.1:6443.`);
  return new URL(written);
}

function untilded(path: string): string {
  return path.startsWith('~/') ? join(homedir(), path.slice(2)) : path;
}

function contentOf({ section, folder }: Entry, key: string): string | undefined {
  const inline = text(section, `${key}-data`);
  if (inline !== undefined) return Buffer.from(inline, 'base64').toString('utf8');
  const path = text(section, key);
  if (path === undefined) return undefined;
  const file = resolve(folder, path);
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new KubeconfigError(`The kubeconfig names ${file} as its ${key}, which cannot be read. Correct the path.`, {
      cause,
    });
  }
}

function isSection(value: unknown): value is Section {
  return typeof value === 'object' && value !== null;
}

function text(section: Section, key: string): string | undefined {
  const value = section[key];
  return typeof value === 'string' && value !== '' ? value : undefined;
}
