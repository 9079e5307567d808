/**
 * Finds out from a kubeconfig how to reach a cluster and as whom: certificates, tokens and credential plugins, which is
 * what people's machines have.
 */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { parse } from 'yaml';

const run = promisify(execFile);
const pluginTimeoutMs = 60_000;

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

/** A program that prints an ExecCredential. */
export interface CredentialPlugin {
  /** Default `client.authentication.k8s.io/v1`. */
  readonly apiVersion?: string | undefined;
  readonly command: string;
  readonly args?: readonly string[] | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
}

/** How to reach an API server. */
export interface HostAccess {
  readonly server: URL;
  readonly ca?: string | undefined;
  readonly serverName?: string | undefined;
  readonly insecure: boolean;
  readonly token?: string | undefined;
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
}

/** What a kubeconfig says cannot be used; the message says what to do. */
export class KubeconfigError extends Error {
  override readonly name: string = 'KubeconfigError';
}

interface Plugin {
  readonly apiVersion?: string;
  readonly command: string;
  readonly args?: readonly string[] | null;
  readonly env?: readonly { readonly name: string; readonly value: string }[] | null;
}

type Section = Readonly<Record<string, unknown>> & { readonly exec?: Plugin };

interface Entry {
  readonly name: string;
  readonly cluster?: Section;
  readonly user?: Section;
  readonly context?: Section;
}

interface Kubeconfig {
  readonly 'current-context'?: string;
  readonly clusters?: readonly Entry[];
  readonly users?: readonly Entry[];
  readonly contexts?: readonly Entry[];
}

/** Reads a kubeconfig. @throws KubeconfigError when it is missing, incomplete or its plugin fails */
export async function readHostAccess(choice: HostChoice): Promise<HostAccess> {
  const path = kubeconfigPath(choice);
  if (!existsSync(path)) {
    throw new KubeconfigError(`There is no kubeconfig at ${path}. Name one with --kubeconfig or KUBECONFIG.`);
  }
  const config = parse(readFileSync(path, 'utf8')) as Kubeconfig;
  const contextName = choice.context ?? config['current-context'] ?? '';
  const find = (kind: 'contexts' | 'clusters' | 'users', name: unknown): Entry => {
    const entry = (config[kind] ?? []).find((candidate) => candidate.name === name);
    if (entry !== undefined) return entry;
    const known = (config[kind] ?? []).map((candidate) => candidate.name).join(', ');
    throw new KubeconfigError(`Kubeconfig ${path} has no "${String(name)}" among its ${kind}: ${known || 'none'}.`);
  };
  const context = find('contexts', contextName).context ?? {};
  const cluster = find('clusters', context['cluster']).cluster ?? {};
  const user = find('users', context['user']).user ?? {};
  const folder = dirname(path);
  const server = text(cluster, 'server');
  if (server === undefined) throw new KubeconfigError(`Kubeconfig ${path}: context "${contextName}" names no server.`);
  return {
    server: new URL(server),
    ca: content(cluster, 'certificate-authority', folder),
    serverName: text(cluster, 'tls-server-name'),
    insecure: cluster['insecure-skip-tls-verify'] === true,
    ...(user.exec === undefined ? credentialsIn(user, folder) : await credentialsFrom(user.exec, folder)),
  };
}

function kubeconfigPath({ kubeconfig: given }: HostChoice): string {
  const kubeconfig = typeof given === 'string' ? given : given?.[0];
  const fromEnvironment = process.env['KUBECONFIG']?.split(delimiter).find((path) => path !== '');
  return resolve(kubeconfig ?? fromEnvironment ?? join(homedir(), '.kube/config'));
}

type Credentials = Pick<HostAccess, 'token' | 'certificate' | 'key'>;

function credentialsIn(user: Section, folder: string): Credentials {
  const tokenFile = text(user, 'tokenFile');
  return {
    token: text(user, 'token') ?? (tokenFile === undefined ? undefined : read(tokenFile, folder).trim()),
    certificate: content(user, 'client-certificate', folder),
    key: content(user, 'client-key', folder),
  };
}

async function credentialsFrom(plugin: Plugin, folder: string): Promise<Credentials> {
  const { command, args, env } = plugin;
  const apiVersion = plugin.apiVersion ?? 'client.authentication.k8s.io/v1';
  try {
    const { stdout } = await run(command, [...(args ?? [])], {
      cwd: folder,
      timeout: pluginTimeoutMs,
      env: {
        ...process.env,
        ...Object.fromEntries((env ?? []).map(({ name, value }) => [name, value])),
        KUBERNETES_EXEC_INFO: JSON.stringify({ apiVersion, kind: 'ExecCredential', spec: { interactive: false } }),
      },
    });
    const { status = {} } = JSON.parse(stdout) as { status?: Readonly<Record<string, string>> };
    return {
      token: status['token'],
      certificate: status['clientCertificateData'],
      key: status['clientKeyData'],
    };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new KubeconfigError(`The credential plugin "${command}" of the kubeconfig failed: ${why}`, { cause });
  }
}

function content(section: Section, key: string, folder: string): string | undefined {
  const inline = text(section, `${key}-data`);
  if (inline !== undefined) return Buffer.from(inline, 'base64').toString('utf8');
  const path = text(section, key);
  return path === undefined ? undefined : read(path, folder);
}

function read(path: string, folder: string): string {
  return readFileSync(resolve(folder, path), 'utf8');
}

function text(section: Section, key: string): string | undefined {
  const value = section[key];
  return typeof value === 'string' && value !== '' ? value : undefined;
}
