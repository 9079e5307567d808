/**
 * The provider's own configuration: which host cluster is meant, and as whom.
 *
 * Invariant: configuring contacts nobody and reads no file; the host is opened when a handler first asks for it. So
 * `validate`, and a plan that needs nothing from the host, work without one, and values that come from the same apply are
 * tolerated until they are needed.
 */
import { delimiter } from 'node:path';
import type { CredentialPlugin } from '../operations/kubeconfig.ts';
import { openHost, type Host, type HostChoice } from '../operations/host.ts';
import { list, map, nested, type Attributes, type ObjectOf } from './framework/attributes.ts';
import { text } from './framework/checks.ts';
import { failure, ProviderError, type Diagnostic } from './framework/diagnostics.ts';
import { isUnknown, isWhollyKnown, type ValueRecord } from './framework/values.ts';

/** What every handler of this provider gets as `provider`. */
export interface ConfiguredProvider {
  /** The host cluster; opened once. Asks nothing of it yet. @throws ProviderError when its configuration is not known yet */
  host(): Promise<Host>;
  /** The helm binary that the user wants; undefined: found as operations/helm.ts says. */
  readonly helmPath: string | undefined;
  /** Ends the connections to the host, if there are any. Not for handlers. */
  close(): Promise<void>;
}

const filled = text((value) => (value.trim() === '' ? 'given, or left out' : undefined));
const pem = (what: string, kind: string, secret = false): ReturnType<typeof text> =>
  text(
    (value) =>
      value.includes('-----BEGIN ') && value.includes(kind)
        ? undefined
        : `${what} as PEM text (not a path: use file(…))`,
    { secret },
  );

/** The attributes of `provider "vcluster" { … }`. */
const attributes = {
  config_path: {
    type: 'string',
    optional: true,
    check: filled,
    doc:
      'Path of a kubeconfig. Environment: `KUBE_CONFIG_PATH`, else `KUBECONFIG`. Default: `~/.kube/config`. Its `proxy-url` is the way ' +
      'to the host; without one, `HTTPS_PROXY` and `NO_PROXY` are.',
  },
  config_paths: {
    type: list('string'),
    optional: true,
    doc: 'Paths of several kubeconfigs, merged as kubectl merges them. Environment: `KUBE_CONFIG_PATHS`.',
  },
  config_context: {
    type: 'string',
    optional: true,
    check: filled,
    doc: 'Context of the kubeconfig. Environment: `KUBE_CTX`. Default: its current context.',
  },
  host: {
    type: 'string',
    optional: true,
    check: filled,
    doc: 'Address of the API server of the host cluster, such as `https://10.0.0.1:6443`. Given: no kubeconfig is read, whatever the environment says.',
  },
  cluster_ca_certificate: {
    type: 'string',
    optional: true,
    check: pem('certificates', 'CERTIFICATE'),
    doc: 'Certificates, as PEM, that the API server is trusted by. Goes with `host`.',
  },
  client_certificate: {
    type: 'string',
    optional: true,
    sensitive: true,
    check: pem('a certificate', 'CERTIFICATE', true),
    doc: 'Client certificate, as PEM. Goes with `host` and `client_key`.',
  },
  client_key: {
    type: 'string',
    optional: true,
    sensitive: true,
    check: pem('a private key', 'PRIVATE KEY', true),
    doc: 'Key of the client certificate, as PEM.',
  },
  token: { type: 'string', optional: true, sensitive: true, doc: 'Bearer token. Goes with `host`.' },
  tls_server_name: {
    type: 'string',
    optional: true,
    check: filled,
    doc: 'Name that the certificate of the API server is checked against. Goes with `host`. Default: the name in `host`.',
  },
  insecure: {
    type: 'bool',
    optional: true,
    doc: 'Do not check the certificate of the API server. Goes with `host`. Default: `false`.',
  },
  exec: {
    optional: true,
    doc: 'A program that prints credentials (an ExecCredential), as in a kubeconfig. Goes with `host`.',
    type: nested('single', {
      api_version: {
        type: 'string',
        optional: true,
        doc: 'Version of ExecCredential. Default: `client.authentication.k8s.io/v1`.',
      },
      command: { type: 'string', required: true, check: filled, doc: 'The program.' },
      args: { type: list('string'), optional: true, doc: 'Its arguments.' },
      env: { type: map('string'), optional: true, sensitive: true, doc: 'Environment variables added to ours.' },
    }),
  },
  helm_path: {
    type: 'string',
    optional: true,
    check: filled,
    doc: 'The helm 3 binary to use. Default: found on `PATH`, else downloaded once, checked and kept.',
  },
} as const satisfies Attributes;

/** The same for provider.ts, where their types matter no more. */
export const providerAttributes: Attributes = attributes;

type Config = ObjectOf<typeof attributes>;
type Name = keyof Config;

const fileNames = ['config_path', 'config_paths', 'config_context'] as const;
const certificateNames = ['client_certificate', 'client_key'] as const;
const explicitNames = [
  'cluster_ca_certificate',
  ...certificateNames,
  'token',
  'tls_server_name',
  'insecure',
  'exec',
] as const;

/**
 * Refuses what contradicts itself. An unknown value may turn out to be given or not, so it contradicts nothing and nothing lacks
 * it; what it turned out to be is looked at again before the host is opened.
 */
export function validateConfig(config: ValueRecord): readonly Diagnostic[] {
  const isGiven = (name: Name): boolean => mayBeGiven(name) && !isUnknown(config[name] ?? null);
  const mayBeGiven = (name: Name): boolean => (config[name] ?? null) !== null;
  const both = (one: Name, other: Name, why: string): Diagnostic[] =>
    isGiven(one) && isGiven(other) ? [failure('Contradicting configuration', why, [other])] : [];
  return [
    ...fileNames.flatMap((name) =>
      both('host', name, `\`host\` and \`${name}\` say twice which cluster is meant. Keep one of the two.`),
    ),
    ...both('config_path', 'config_paths', '`config_path` and `config_paths` say the same. Keep one of the two.'),
    ...explicitNames.filter((name) => isGiven(name) && !mayBeGiven('host')).map(needsHost),
    ...certificateNames.filter((name) => isGiven(name) && !mayBeGiven(partner[name])).map(needsPartner),
    ...both('token', 'client_certificate', '`token` and `client_certificate` say twice who you are. Keep one.'),
    ...both('exec', 'token', '`exec` and `token` say twice who you are. Keep one of the two.'),
    ...both('exec', 'client_certificate', '`exec` and `client_certificate` say twice who you are. Keep one.'),
    ...(config['insecure'] === true ? both('insecure', 'cluster_ca_certificate', insecureWithCa) : []),
  ];
}

const partner = { client_certificate: 'client_key', client_key: 'client_certificate' } as const;

const insecureWithCa =
  '`insecure = true` would leave `cluster_ca_certificate` unused. Remove `insecure` to have the certificate checked.';

function needsHost(name: Name): Diagnostic {
  return failure(
    'Missing host',
    `\`${name}\` goes with \`host\` only. Add \`host\`, or remove \`${name}\`: a kubeconfig brings its own.`,
    [name],
  );
}

function needsPartner(name: keyof typeof partner): Diagnostic {
  return failure('Incomplete credentials', `\`${name}\` is of no use without \`${partner[name]}\`. Add it.`, [name]);
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Which host the configuration and the environment mean. In this order: `host`; `config_paths`, `config_path`; the
 * environment's KUBE_CONFIG_PATHS, KUBE_CONFIG_PATH, KUBECONFIG; `~/.kube/config`; the account of the pod we run in.
 */
export function hostChoice(values: ValueRecord, env: Environment = process.env): HostChoice {
  const config = values as Config;
  if (config.host !== null) return { explicit: explicitHost(config, config.host) };
  const named = config.config_paths ?? [config.config_path];
  const own = nonEmptyList(named.filter((path) => path !== null));
  const kubeconfig = own ?? pathsIn(env['KUBE_CONFIG_PATHS']) ?? nonEmpty(env['KUBE_CONFIG_PATH']);
  return { kubeconfig, context: config.config_context ?? nonEmpty(env['KUBE_CTX']) };
}

function pathsIn(variable: string | undefined): readonly string[] | undefined {
  return nonEmptyList(variable?.split(delimiter).filter((path) => path !== '') ?? []);
}

/** A list of no paths names no kubeconfig. */
function nonEmptyList(paths: readonly string[]): readonly string[] | undefined {
  return paths.length === 0 ? undefined : paths;
}

function explicitHost(config: Config, server: string): NonNullable<HostChoice['explicit']> {
  return {
    server,
    ca: config.cluster_ca_certificate ?? undefined,
    certificate: config.client_certificate ?? undefined,
    key: config.client_key ?? undefined,
    token: config.token ?? undefined,
    insecure: config.insecure ?? false,
    serverName: config.tls_server_name ?? undefined,
    exec: config.exec === null ? undefined : pluginOf(config.exec),
  };
}

function pluginOf(exec: NonNullable<Config['exec']>): CredentialPlugin {
  return {
    apiVersion: exec.api_version ?? undefined,
    command: exec.command,
    args: exec.args ?? [],
    env: exec.env ?? {},
  };
}

/** Makes what handlers get of the configuration. Opens nothing. */
export function configure(config: ValueRecord): ConfiguredProvider {
  const unknown = Object.entries(config).filter(([, value]) => !isWhollyKnown(value));
  let opened: Promise<Host> | undefined;
  const open = async (): Promise<Host> => {
    if (unknown.length > 0) throw notKnownYet(unknown.map(([name]) => name));
    const [problem] = validateConfig(config);
    if (problem !== undefined) throw new ProviderError(problem.summary, problem.detail);
    return openHost(hostChoice(config));
  };
  return {
    helmPath: typeof config['helm_path'] === 'string' ? config['helm_path'] : undefined,
    host: () =>
      (opened ??= open().catch((error: unknown) => {
        opened = undefined;
        throw error;
      })),
    close: async () => (await opened?.catch(() => undefined))?.close(),
  };
}

function notKnownYet(names: readonly string[]): ProviderError {
  const named = names.map((name) => `\`${name}\``).join(', ');
  return new ProviderError(
    'The host cluster is not known yet',
    `The provider's ${named} will be known only after other resources have been applied, but the host cluster is needed ` +
      'now. Apply these resources first (-target), or give the provider values that are known.',
  );
}

function nonEmpty(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}
