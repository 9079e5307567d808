/**
 * The way into a virtual cluster from this machine, with nothing but access to its host: the credentials come from the Secret that
 * the virtual cluster publishes, the connection goes to its API server directly where that answers with the right certificate,
 * and through a tunnel otherwise. Whoever connects gets a virtual cluster that answers, or an error that says why and what to do.
 *
 * Changes nothing, unless it may wake a paused virtual cluster.
 */
import { readCluster } from './cluster.ts';
import { AbortedError, OperationError, textOf } from './errors.ts';
import { kinds } from './host.ts';
import type { Host, RequestOptions } from './host.ts';
import { readKubeconfigSecret, secretPlace } from './kubeconfig-secret.ts';
import type { PublishedKubeconfig } from './kubeconfig-secret.ts';
import { resumeCluster } from './pause.ts';
import { interruptibly, stopIfAborted } from './poll.ts';
import { reach } from './reach.ts';
import type { Reach, Whereabouts } from './reach.ts';
import { Tunnel } from './tunnel.ts';
import type { ClusterRef, Log, WaitOptions } from './types.ts';
import { VirtualApi, VirtualApiError } from './virtual-api.ts';
import type { VirtualAccess } from './virtual-api.ts';
import { NotReadyError, waitUntilReady } from './wait.ts';

/** Auto: directly when that works, else through a port-forward of the host. */
export type Access = 'auto' | 'direct' | 'port_forward';

export const accesses: readonly Access[] = ['auto', 'direct', 'port_forward'];

export interface ConnectOptions extends WaitOptions {
  /** Default: auto. */
  readonly access?: Access | undefined;
  /**
   * Allows to start a paused virtual cluster, and is called when that was done. Whoever gives it pauses it again, also when
   * connecting then fails: only they know who else uses it.
   */
  readonly wake?: (() => void) | undefined;
  /** How to resume it, and how to make it anew, with the tool at hand; these end error texts. */
  readonly resumeAdvice?: string | undefined;
  readonly repairAdvice?: string | undefined;
}

/** Default of {@link connect}. */
export const connectTimeoutMs = 120_000;

const hostTimeoutMs = 15_000;
const directTimeoutMs = 2000;
/** A stream into a pod takes several connections to come about. */
const tunnelTimeoutMs = 20_000;
const probeTimeoutMs = 5000;
const pollMs = 500;

/** No way in; the text says why and what to do. */
export class ConnectError extends OperationError {
  override readonly name = 'ConnectError';
}

/** It is paused, and may not be woken. */
export class PausedError extends OperationError {
  override readonly name = 'PausedError';
}

/** An open way into a virtual cluster. Disposing of it ends a tunnel. */
export interface Connection extends AsyncDisposable {
  readonly ref: ClusterRef;
  readonly way: 'direct' | 'port_forward';
  /** Where the virtual cluster says that it is reached: its Service, for pods of the host. */
  readonly endpoint: string;
  /** The API server as this machine reaches it, and the admin's credentials. Secret: never print. */
  readonly access: VirtualAccess & { readonly ca: string };
  /** When the admin's certificate ends; undefined when there is none. */
  readonly expires: Date | undefined;
  /** As the admin; every request ends when the signal of the options aborts. */
  readonly api: VirtualApi;
}

/** What all steps need. */
interface Attempt {
  readonly host: Host;
  readonly ref: ClusterRef;
  readonly options: ConnectOptions;
  readonly log: Log;
  readonly remainingMs: () => number;
}

/**
 * Connects, and waits until the API server says that it is ready.
 * @throws ConnectError, PausedError, KubeconfigSecretError, TunnelError, HostError, AbortedError
 */
export async function connect(host: Host, ref: ClusterRef, options: ConnectOptions = {}): Promise<Connection> {
  const untilMs = performance.now() + (options.timeoutMs ?? connectTimeoutMs);
  // Whole ones: timers take no others.
  const remainingMs = (): number => Math.ceil(Math.max(0, untilMs - performance.now()));
  const attempt: Attempt = { host, ref, options, log: options.log ?? (() => undefined), remainingMs };
  if (await wake(attempt)) await ready(attempt);
  const found = await open(attempt, await findKubeconfig(attempt));
  try {
    await untilReady(attempt, found);
    return found;
  } catch (error) {
    await found[Symbol.asyncDispose]();
    throw error;
  }
}

/** Wakes it when it is paused and may be woken; true when it did. Does not wait. */
async function wake(attempt: Attempt): Promise<boolean> {
  const { host, ref, options, log } = attempt;
  if (!(await isPaused(attempt))) return false;
  if (options.wake === undefined) {
    throw new PausedError(
      `Virtual cluster "${ref.name}" in namespace "${ref.namespace}" is paused`,
      `Nothing in it can be read or changed. ${options.resumeAdvice ?? 'Resume it first.'}`,
    );
  }
  log(`waking virtual cluster ${ref.namespace}/${ref.name}`);
  // Not to be interrupted: between the request and its answer nobody would know whether it is awake.
  const woke = await resumeCluster(host, ref, { log });
  if (woke) options.wake();
  return woke;
}

/** Asks for one object only: this is done in every plan. */
async function isPaused(attempt: Attempt): Promise<boolean> {
  const statefulSet = await attempt.host.tryGet(kinds.statefulSets, attempt.ref, asking(attempt));
  return statefulSet?.metadata.annotations?.['loft.sh/paused'] === 'true';
}

/** The published kubeconfig; a virtual cluster that is being made gets the time to publish it. */
async function findKubeconfig(attempt: Attempt): Promise<PublishedKubeconfig> {
  const { host, ref, options, log, remainingMs } = attempt;
  const { signal } = options;
  const found = await readKubeconfigSecret(host, ref, asking(attempt));
  if (found !== undefined) return found;
  if ((await readCluster(host, ref, { signal })) === undefined) {
    throw new ConnectError(
      `There is no virtual cluster "${ref.name}" in namespace "${ref.namespace}"`,
      `The host at ${host.server} has neither a release nor a StatefulSet of that name. Is it the right host?${advice(attempt)}`,
    );
  }
  log(`waiting for Secret ${secretPlace(ref)}`);
  // While the control plane is being started, a wait for it has more to say than one for the Secret.
  await waitUntilReady(attempt.host, attempt.ref, waiting(attempt)).catch((error: unknown) => {
    if (error instanceof AbortedError) throw error;
    throw missingSecret(attempt, textOf(error));
  });
  while (remainingMs() > 0) {
    const published = await readKubeconfigSecret(host, ref, asking(attempt));
    if (published !== undefined) return published;
    await interruptibly(pollMs, signal);
  }
  throw missingSecret(attempt, 'it is ready, but has not written the Secret again');
}

function missingSecret(attempt: Attempt, why: string): ConnectError {
  const { ref } = attempt;
  return new ConnectError(
    `Virtual cluster "${ref.name}" has no kubeconfig`,
    `Secret ${secretPlace(ref)} on the host is missing, and the virtual cluster did not write it within the timeout: ${why}.${advice(attempt)}`,
  );
}

/** Decides about the way. */
async function open(attempt: Attempt, published: PublishedKubeconfig): Promise<Connection> {
  const { access = 'auto' } = attempt.options;
  if (access === 'port_forward') return throughTunnel(attempt, published);
  const { server, ca, serverName } = published;
  const whereabouts = { server, ca, ...(serverName && { names: [serverName] }) };
  const reached = await look(attempt, whereabouts, directTimeoutMs);
  if (reached.is === 'reached') return directly(attempt, published);
  if (access === 'auto') {
    attempt.log(`${server} is not reached from here (${reached.why}); opening a tunnel`);
    return throughTunnel(attempt, published);
  }
  if (reached.is === 'stranger') throw wrongCertificate(attempt, server, reached.why);
  // Asked for the direct way: it may only be slow to come up.
  await ready(attempt);
  const again = await look(attempt, whereabouts, directTimeoutMs);
  if (again.is === 'reached') return directly(attempt, published);
  if (again.is === 'stranger') throw wrongCertificate(attempt, server, again.why);
  throw new ConnectError(
    `Virtual cluster "${attempt.ref.name}" is not reached at ${server}`,
    `Tried from here: ${again.why}. This is the address in Secret ${secretPlace(attempt.ref)}. Make it reachable from this machine, or leave ` +
      '"direct" away: then a tunnel through the host is used.',
  );
}

/** Whether it is there; at most for as long as there is time. @throws AbortedError */
async function look(attempt: Attempt, whereabouts: Whereabouts, timeoutMs: number): Promise<Reach> {
  const { signal } = attempt.options;
  const reached = await reach(whereabouts, Math.min(attempt.remainingMs(), timeoutMs), signal);
  stopIfAborted(signal);
  return reached;
}

function directly(attempt: Attempt, published: PublishedKubeconfig): Connection {
  const { server, serverName } = published;
  return connectionOf(attempt, published, { way: 'direct', server, serverName, end: async () => undefined });
}

async function throughTunnel(attempt: Attempt, published: PublishedKubeconfig): Promise<Connection> {
  const tunnel = await Tunnel.open(attempt.host, attempt.ref);
  const end = (): Promise<void> => tunnel[Symbol.asyncDispose]();
  try {
    const server = `https://127.0.0.1:${tunnel.port}`;
    const serverName = await nameThroughTunnel(attempt, published, { server, tunnel });
    return connectionOf(attempt, published, { way: 'port_forward', server, serverName, end });
  } catch (error) {
    await end();
    throw error;
  }
}

/** The name to check its certificate against; undefined when the address itself will do. */
async function nameThroughTunnel(
  attempt: Attempt,
  { ca, server: published }: PublishedKubeconfig,
  { server, tunnel }: { readonly server: string; readonly tunnel: Tunnel },
): Promise<string | undefined> {
  const { name, namespace } = attempt.ref;
  const names = [
    '127.0.0.1',
    'localhost',
    new URL(published).hostname,
    `${name}.${namespace}`,
    'kubernetes.default.svc',
  ];
  let reached = await look(attempt, { server, ca, names }, tunnelTimeoutMs);
  if (reached.is === 'silent') {
    await ready(attempt);
    reached = await look(attempt, { server, ca, names }, tunnelTimeoutMs);
  }
  if (reached.is === 'reached') return reached.name === '127.0.0.1' ? undefined : reached.name;
  if (reached.is === 'stranger') throw wrongCertificate(attempt, `pod ${namespace}/${name}-0`, reached.why);
  throw (
    tunnel.problem ??
    new ConnectError(`No answer from virtual cluster "${name}" through the tunnel`, `${reached.why}.${advice(attempt)}`)
  );
}

interface Way {
  readonly way: Connection['way'];
  readonly server: string;
  readonly serverName: string | undefined;
  readonly end: () => Promise<void>;
}

function connectionOf(
  { ref, options }: Attempt,
  published: PublishedKubeconfig,
  { way, server, serverName, end }: Way,
): Connection {
  const { ca, certificate, key, token, expires, server: endpoint } = published;
  const access = { server: new URL(server), ca, serverName, certificate, key, token, insecure: false };
  const api = new VirtualApi(access, ref.name, options.signal);
  return { ref, way, endpoint, access, expires, api, [Symbol.asyncDispose]: end };
}

/** Asks /readyz until it says yes; what stands in its way is then found out on the host. */
async function untilReady(attempt: Attempt, { api }: Connection): Promise<void> {
  const { ref, remainingMs } = attempt;
  const { signal } = attempt.options;
  for (let waited = false; ; waited = true) {
    const answer = await readiness(api, Math.min(probeTimeoutMs, remainingMs()));
    if (answer === 'ready') return;
    if (answer === 'refused') {
      throw new ConnectError(
        `Virtual cluster "${ref.name}" does not accept its own kubeconfig`,
        `The credentials in Secret ${secretPlace(ref)} are not those of the API server that answers. Delete the Secret, and the ` +
          `virtual cluster writes a new one.${advice(attempt)}`,
      );
    }
    if (remainingMs() <= 0) {
      throw new ConnectError(
        `Virtual cluster "${ref.name}" is not ready`,
        `Its API server says: ${answer}.${advice(attempt)}`,
      );
    }
    if (!waited) await ready(attempt);
    else await interruptibly(pollMs, signal);
  }
}

/** `ready`, `refused`, or why not. @throws AbortedError */
async function readiness(api: VirtualApi, timeoutMs: number): Promise<string> {
  try {
    const { status, body } = await api.ask({ path: '/readyz', timeoutMs });
    if (status === 200) return 'ready';
    if (status === 401 || status === 403) return 'refused';
    return `HTTP ${status} ${typeof body === 'string' ? body.slice(0, 300) : ''}`.trim();
  } catch (error) {
    if (error instanceof VirtualApiError) return error.detail;
    throw error;
  }
}

function wrongCertificate(attempt: Attempt, where: string, why: string): ConnectError {
  const { ref } = attempt;
  return new ConnectError(
    `The certificate at ${where} is not that of virtual cluster "${ref.name}"`,
    `TLS says: ${why}. Somebody else answers there, or the virtual cluster has new keys and Secret ${secretPlace(ref)} still has the old ones. ` +
      `Delete the Secret, and the virtual cluster writes a new one.${advice(attempt)}`,
  );
}

/** Ends a text. */
function advice({ options }: Attempt): string {
  return options.repairAdvice === undefined ? '' : ` ${options.repairAdvice}`;
}

/** Waits until the host takes it for ready; why it is not goes together with what to do. */
async function ready(attempt: Attempt): Promise<void> {
  try {
    await waitUntilReady(attempt.host, attempt.ref, waiting(attempt));
  } catch (error) {
    if (!(error instanceof NotReadyError)) throw error;
    throw new ConnectError(error.summary, `${error.detail}${advice(attempt)}`, { cause: error });
  }
}

/** For requests to the host, which may hang as well. */
function asking({ options, remainingMs }: Attempt): RequestOptions {
  return { signal: options.signal, timeoutMs: Math.max(1, Math.min(hostTimeoutMs, remainingMs())) };
}

function waiting({ options, log, remainingMs }: Attempt): WaitOptions {
  return { signal: options.signal, log, timeoutMs: remainingMs() };
}
