/**
 * Ephemeral `vcluster_kubeconfig`: credentials of a virtual cluster for the time of one Terraform command, and a way to it. Nothing of
 * it is ever in a plan or a state.
 *
 * It is opened in every plan, apply and destroy. So opening is cheap: two reads on the host, a greeting and one request to the virtual cluster. What it
 * holds open (a tunnel, a woken virtual cluster) ends with `close`, or with the process, also when Terraform was killed.
 */
import { randomUUID } from 'node:crypto';
import { accesses, connect } from '../../operations/connect.ts';
import type { Access, Connection } from '../../operations/connect.ts';
import type { Host } from '../../operations/host.ts';
import { kubeconfigText } from '../../operations/kubeconfig-text.ts';
import { pauseCluster } from '../../operations/pause.ts';
import { issueToken, tokenLifetimeMinS } from '../../operations/tokens.ts';
import type { VirtualAccess } from '../../operations/virtual-api.ts';
import { VirtualApi } from '../../operations/virtual-api.ts';
import { nested } from '../framework/attributes.ts';
import type { Attributes, ObjectOf } from '../framework/attributes.ts';
import { oneOf, wholeNumber } from '../framework/checks.ts';
import { ProviderError } from '../framework/diagnostics.ts';
import { defineEphemeral } from '../framework/ephemeral.ts';
import type { EphemeralType, OpenCall, OpenedCall, Renewed } from '../framework/ephemeral.ts';
import { duration, parseDuration } from '../framework/timeouts.ts';
import type { ConfiguredProvider } from '../configured.ts';
import { clusterId, clusterRef, namespaceName, objectName, repairAdvice, resumeAdvice } from './cluster-id.ts';
import { Leases } from './leases.ts';

const renewEveryMs = 5 * 60_000;
/** Of a credential's life; after that it is looked at more closely. */
const renewAtShare = 0.8;
const defaultTimeout = '2m';

const attributes = {
  cluster_id: {
    type: 'string',
    required: true,
    check: clusterId,
    doc: 'The virtual cluster: `vcluster_cluster.example.id`, which is `namespace/name`. While it is unknown, opening waits.',
  },
  access: {
    type: 'string',
    optional: true,
    default: 'auto',
    check: oneOf(...accesses),
    doc:
      'How to reach it. `direct`: at the address in its Secret. `port_forward`: through the API server of the host, by a port of this ' +
      'machine that is open for as long as Terraform runs. `auto`: directly when the right certificate answers within 2 s, else by ' +
      'port-forward. A port-forward takes the verbs `get` and `create` on `pods/portforward` in the host namespace.',
  },
  timeout: {
    type: 'string',
    optional: true,
    default: defaultTimeout,
    check: duration,
    doc: 'How long to wait until it answers.',
  },
  wake: {
    type: 'bool',
    optional: true,
    default: false,
    doc: 'Resume a paused virtual cluster, and pause it again at the end. Happens in every plan and apply.',
  },
  service_account: {
    optional: true,
    doc: 'Connect as a service account inside, with a short-lived token, instead of as the admin. It must exist.',
    type: nested('single', {
      namespace: { type: 'string', required: true, check: namespaceName, doc: 'Its namespace inside.' },
      name: { type: 'string', required: true, check: objectName, doc: 'Its name.' },
      expiration_seconds: {
        type: 'number',
        optional: true,
        default: 3600,
        check: wholeNumber(tokenLifetimeMinS),
        doc: 'Lifetime of the token; must be longer than the apply.',
      },
    }),
  },
  host: { type: 'string', computed: true, doc: 'Address of its API server, as this machine reaches it.' },
  cluster_ca_certificate: { type: 'string', computed: true, doc: 'Certificate authority, PEM.' },
  client_certificate: { type: 'string', computed: true, doc: "The admin's certificate, PEM; null with a token." },
  client_key: { type: 'string', computed: true, sensitive: true, doc: 'Its key, PEM; null with a token.' },
  token: { type: 'string', computed: true, sensitive: true, doc: 'Token of the service account; null without.' },
  tls_server_name: {
    type: 'string',
    computed: true,
    doc: 'Name to check the certificate against, where it is not the one in `host`; else null.',
  },
  kubeconfig: { type: 'string', computed: true, sensitive: true, doc: 'All of it as the text of a kubeconfig.' },
  expires_at: { type: 'string', computed: true, doc: 'When the credentials end (RFC 3339).' },
} as const satisfies Attributes;

type Config = ObjectOf<typeof attributes>;

/** What is open, by the id that Terraform keeps for us. */
interface Session {
  readonly id: string;
  readonly host: Host;
  readonly connection: Connection;
  /** As the one whose credentials were given away. */
  readonly api: VirtualApi;
  readonly opened: Date;
  readonly expires: Date | undefined;
}

const sessions = new Map<string, Session>();
const leases = new Leases((host, ref) => pauseCluster(host, ref));

/** For the end of the process: what Terraform has not closed, because it was killed or told twice to stop. Never rejects. */
export async function closeKubeconfigs(): Promise<void> {
  const left = [...sessions.values()];
  sessions.clear();
  await Promise.allSettled(left.map(({ host, connection }) => end(host, connection)));
}

export const kubeconfigEphemeral: EphemeralType<ConfiguredProvider> = defineEphemeral({
  name: 'vcluster_kubeconfig',
  doc:
    'Credentials of a virtual cluster and a way to it, for a provider that works inside. Opened once the virtual cluster is ready; nothing of it is ' +
    'in plan or state. Give the inner provider `config_path = "/dev/null"`, so that it never falls back to the host, whatever ' +
    'KUBE_CONFIG_PATH says.',
  example: [
    'ephemeral "vcluster_kubeconfig" "team_a" {',
    '  cluster_id = vcluster_cluster.team_a.id',
    '}',
    '',
    'provider "kubernetes" {',
    '  alias                  = "team_a"',
    '  config_path            = "/dev/null"',
    '  host                   = ephemeral.vcluster_kubeconfig.team_a.host',
    '  cluster_ca_certificate = ephemeral.vcluster_kubeconfig.team_a.cluster_ca_certificate',
    '  client_certificate     = ephemeral.vcluster_kubeconfig.team_a.client_certificate',
    '  client_key             = ephemeral.vcluster_kubeconfig.team_a.client_key',
    '  tls_server_name        = ephemeral.vcluster_kubeconfig.team_a.tls_server_name',
    '  # Or a token of the host in KUBE_TOKEN would be sent inside.',
    '  token                  = coalesce(ephemeral.vcluster_kubeconfig.team_a.token, "unused")',
    '}',
  ].join('\n'),
  attributes,
  open: async (call) => {
    const host = await call.provider.host();
    const ref = clusterRef(call.config.cluster_id);
    const connection = await leases.enter({ host, ref, signal: call.signal }, (woke) =>
      connect(host, ref, connectOptions(call, woke)),
    );
    try {
      call.hide(...secretsOf(connection.access));
      const { access, expires } = await credentials(connection, call);
      call.hide(...secretsOf(access));
      const id = randomUUID();
      const session = { id, host, connection, api: new VirtualApi(access, ref.name), opened: new Date(), expires };
      sessions.set(id, session);
      call.log.info('Opened a virtual cluster', { cluster: call.config.cluster_id, way: connection.way });
      return { result: result(ref.name, access, expires), renewAt: renewAt(session), private: { id } };
    } catch (error) {
      // Why it could not be opened matters more than that something of it is left.
      await end(host, connection).catch((left: unknown) => call.log.warn('Not closed well', { error: left }));
      throw error;
    }
  },
  renew: async (call): Promise<Renewed> => {
    const session = find(call);
    await check(session, call);
    return { renewAt: renewAt(session), private: call.private };
  },
  close: async (call) => {
    const session = find(call);
    sessions.delete(session.id);
    await end(session.host, session.connection);
  },
});

type Call = OpenCall<typeof attributes, ConfiguredProvider>;

function connectOptions({ config, signal, log }: Call, woke: () => void): Parameters<typeof connect>[2] {
  return {
    access: config.access as Access,
    wake: config.wake ? woke : undefined,
    timeoutMs: parseDuration(config.timeout),
    resumeAdvice,
    repairAdvice,
    signal,
    log: (line) => log.info(line),
  };
}

function secretsOf({ key, token }: VirtualAccess): readonly string[] {
  return [key, token].filter((each) => each !== undefined);
}

/** The admin's, or a service account's. */
async function credentials(
  { access, api, expires }: Connection,
  { config, signal }: Call,
): Promise<{ readonly access: Connection['access']; readonly expires: Date | undefined }> {
  const account = config.service_account;
  if (account === null) return { access, expires };
  const issued = await issueToken(api, account, account.expiration_seconds, signal);
  const { server, ca, serverName, insecure } = access;
  return { access: { server, ca, serverName, insecure, token: issued.token }, expires: issued.expires };
}

function result(
  name: string,
  access: VirtualAccess & { readonly ca: string },
  expires: Date | undefined,
): Partial<Config> {
  const server = access.server.href.replace(/\/$/, '');
  const { ca, certificate, key, token, serverName } = access;
  return {
    host: server,
    cluster_ca_certificate: ca,
    client_certificate: certificate ?? null,
    client_key: key ?? null,
    token: token ?? null,
    tls_server_name: serverName ?? null,
    kubeconfig: kubeconfigText({ name, server, ca, serverName, certificate, key, token }),
    expires_at: expires?.toISOString() ?? null,
  };
}

function renewAt({ opened, expires }: Session, now: Date = new Date()): Date {
  const regularMs = now.getTime() + renewEveryMs;
  if (expires === undefined) return new Date(regularMs);
  const lifetimeMs = expires.getTime() - opened.getTime();
  const lateMs = opened.getTime() + lifetimeMs * renewAtShare;
  // In the last part of its life ever closer to its end.
  const closerMs = now.getTime() + Math.max(1000, (expires.getTime() - now.getTime()) / 2);
  return new Date(Math.min(regularMs, lateMs > now.getTime() ? lateMs : closerMs));
}

/** The way is open by itself; what was given away must still be good. No answer is no verdict: it may be restarting. */
async function check({ api, expires, connection }: Session, { signal, log }: OpenedCall<unknown>): Promise<void> {
  const { namespace, name } = connection.ref;
  const isOver = expires !== undefined && expires.getTime() <= Date.now();
  const answer = await api.ask({ path: '/api', signal }).catch((error: unknown) => {
    log.warn('A virtual cluster does not answer', { cluster: `${namespace}/${name}`, error });
    return undefined;
  });
  if (!isOver && answer?.status !== 401) return;
  throw new ProviderError(
    `The credentials of virtual cluster "${name}" are no longer good`,
    isOver
      ? `They ended at ${expires.toISOString()} while Terraform was still at work. Apply again; a longer service_account.expiration_seconds helps.`
      : 'Its API server does not accept them any more: it was made anew, or the service account was deleted. Apply again.',
  );
}

async function end(host: Host, connection: Connection): Promise<void> {
  await connection[Symbol.asyncDispose]();
  await leases.leave(host, connection.ref);
}

function find(call: OpenedCall<unknown>): Session {
  const { id } = call.private;
  const session = typeof id === 'string' ? sessions.get(id) : undefined;
  if (session !== undefined) return session;
  throw new ProviderError(
    'This kubeconfig is not open',
    'The provider was started anew since it was opened. Run the command again.',
  );
}
