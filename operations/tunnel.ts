/**
 * A port of this machine that leads into a virtual cluster's API server, for machines that reach only the host's API server.
 *
 * It listens on 127.0.0.1 only and gives away nothing: whoever connects must still bring credentials of the virtual cluster and
 * check its certificate, as TLS goes through it untouched. Each connection is a stream of its own (port-forward.ts) to a pod of
 * the release; when the pod is replaced, the next connection finds the next one. It ends with its owner.
 */
import { Agent } from 'node:https';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WebSocket } from 'ws';
import { OperationError, textOf } from './errors.ts';
import { kinds } from './host.ts';
import type { Host, HostAccess } from './host.ts';
import { carry, openStream, PortForwardRefusedError } from './port-forward.ts';
import { proxyEnv } from './proxy.ts';
import type { ClusterRef, HostObject } from './types.ts';

/** Where the pods of a release listen. */
export const apiServerPort = 6443;

/** How long a connection may wait for a pod that takes it. */
const patienceMs = 15_000;
const retryMs = 300;
/** What no waiting changes: the account, its rights, or a host that does not speak this. */
const finalStatuses: readonly number[] = [400, 401, 403, 405];

/** No connection comes about; says why and what to do. */
export class TunnelError extends OperationError {
  override readonly name = 'TunnelError';
}

/** What a tunnel needs of the host: its credentials, asked for with every connection as they may change, and its pods. */
export type TunnelHost = Pick<Host, 'access' | 'list'>;

/** An open tunnel. */
export class Tunnel implements AsyncDisposable {
  readonly #host: TunnelHost;
  readonly #ref: ClusterRef;
  readonly #server: Server;
  #agent: Agent | undefined;
  readonly #sockets = new Set<Socket>();
  readonly #streams = new Set<WebSocket>();
  readonly #ended = new AbortController();
  #pod: string | undefined;
  #problem: OperationError | undefined;

  private constructor(host: TunnelHost, ref: ClusterRef) {
    this.#host = host;
    this.#ref = ref;
    this.#server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
      socket.on('error', () => socket.destroy());
      void this.#serve(socket);
    });
  }

  /** Opens a port of this machine; asks nothing of the host before somebody connects. */
  static async open(host: TunnelHost, ref: ClusterRef): Promise<Tunnel> {
    const tunnel = new Tunnel(host, ref);
    await new Promise<void>((resolve, reject) => {
      tunnel.#server.once('error', reject);
      tunnel.#server.listen({ host: '127.0.0.1', port: 0, exclusive: true }, resolve);
    });
    return tunnel;
  }

  /** Of 127.0.0.1, while it is open. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Why the last connection got nowhere; undefined when it got somewhere. */
  get problem(): OperationError | undefined {
    return this.#problem;
  }

  /** Ends it, with every connection in it. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ended.signal.aborted) return;
    this.#ended.abort();
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    for (const stream of this.#streams) stream.terminate();
    this.#agent?.destroy();
    await closed;
  }

  /** One connection, to as many pods in turn as it takes until one answers; never rejects. */
  async #serve(socket: Socket): Promise<void> {
    const untilMs = performance.now() + patienceMs;
    let unanswered: readonly Buffer[] | undefined = [];
    try {
      while (unanswered !== undefined && !socket.destroyed) {
        const stream = await this.#openStream(untilMs);
        this.#streams.add(stream);
        stream.once('close', () => this.#streams.delete(stream));
        const end = await carry(socket, stream, unanswered);
        unanswered = end.unanswered;
        this.#problem = end.problem === undefined ? undefined : this.#notConnected(end.problem);
        // A client that has said all it had to say does not wait for an answer.
        if (unanswered === undefined || socket.readableEnded || performance.now() > untilMs) break;
        this.#pod = undefined;
        await sleep(retryMs, undefined, { signal: this.#ended.signal });
      }
    } catch (error) {
      if (error instanceof OperationError) this.#problem = error;
    } finally {
      if (unanswered !== undefined) socket.destroy();
    }
  }

  #agentFor({ proxy }: HostAccess): Agent {
    return (this.#agent ??= new Agent({ keepAlive: false, maxCachedSessions: 10, proxyEnv: proxyEnv(proxy) }));
  }

  /** A stream to a pod. Goes on trying until then. @throws OperationError */
  async #openStream(untilMs: number): Promise<WebSocket> {
    for (let again = false; ;) {
      try {
        this.#pod ??= await findPod(this.#host, this.#ref);
        const access = await this.#host.access(again);
        const to = { namespace: this.#ref.namespace, pod: this.#pod, port: apiServerPort };
        return await openStream(access, to, this.#agentFor(access));
      } catch (error) {
        const pod = this.#pod;
        this.#pod = undefined;
        if (this.#ended.signal.aborted) throw error;
        // Known at once, not only when patience has ended: whoever waits for the tunnel may give up earlier.
        this.#problem = explained(error, this.#ref, pod);
        const status = error instanceof PortForwardRefusedError ? error.status : 0;
        const mayHaveExpired = status === 401 && !again;
        if (!mayHaveExpired && (finalStatuses.includes(status) || performance.now() > untilMs)) {
          throw this.#problem;
        }
        again = status === 401;
        await sleep(retryMs, undefined, { signal: this.#ended.signal });
      }
    }
  }

  #notConnected(problem: string): TunnelError {
    const { name, namespace } = this.#ref;
    return new TunnelError(
      `The API server of virtual cluster "${name}" does not listen`,
      `The node of pod ${namespace}/${this.#pod ?? '?'} says: ${problem.trim()}. Look at the pod: it may be starting, or failing.`,
    );
  }
}

async function findPod(host: TunnelHost, { name, namespace }: ClusterRef): Promise<string> {
  const pods = await host.list(kinds.pods, namespace, { labelSelector: `app=vcluster,release=${name}` });
  const pod = choosePod(pods);
  if (pod !== undefined) return pod;
  throw new TunnelError(
    `Virtual cluster "${name}" does not run`,
    `No pod of it runs in namespace "${namespace}": it is paused, or its pod cannot start. Look at the namespace's pods and events.`,
  );
}

interface PodStatus {
  readonly conditions?: readonly { readonly type: string; readonly status: string }[];
}

/** The pod to connect to: a ready one before one that only runs, since the API server answers earlier than all is ready. Pure. */
export function choosePod(pods: readonly HostObject[]): string | undefined {
  const running = pods.filter(
    ({ metadata, status }) => metadata.deletionTimestamp === undefined && status?.['phase'] === 'Running',
  );
  const isReady = ({ status }: HostObject): boolean =>
    (status as PodStatus | undefined)?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') ===
    true;
  return (running.find(isReady) ?? running[0])?.metadata.name;
}

/** What a refusal means and what to do about it. */
function explained(error: unknown, { name, namespace }: ClusterRef, pod: string | undefined): OperationError {
  if (error instanceof OperationError) return error;
  const status = error instanceof PortForwardRefusedError ? error.status : 0;
  const advice =
    status === 403
      ? `The account on the host needs the verbs "get" and "create" on pods/portforward in namespace "${namespace}".`
      : 'Expose the virtual cluster so that this machine reaches it, and use access "direct"; or work from where it is reached.';
  return new TunnelError(
    `No tunnel into virtual cluster "${name}"`,
    `The host's API server does not forward a port of pod ${namespace}/${pod ?? '?'}: ${textOf(error)}. ${advice}`,
    { cause: error },
  );
}
