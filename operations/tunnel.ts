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
import { HostApi } from './host-api.ts';
import type { HostAccess } from './kubeconfig.ts';
import { carry, openStream, PortForwardRefusedError } from './port-forward.ts';

/** Where the pods of a release listen. */
export const apiServerPort = 6443;

/** How long a connection may wait for a pod that takes it. */
const patienceMs = 15_000;
const retryMs = 300;
/** What no waiting changes: the account, its rights, or a host that does not speak this. */
const finalStatuses: readonly number[] = [400, 401, 403, 405];

export interface TunnelTarget {
  /** Name of the virtual cluster. */
  readonly name: string;
  /** Its host namespace. */
  readonly namespace: string;
}

/** Nothing can be reached; the message says why and what to do. */
export class TunnelError extends Error {
  override readonly name: string = 'TunnelError';
}

/** An open tunnel. */
export class Tunnel implements AsyncDisposable {
  readonly #access: () => Promise<HostAccess>;
  readonly #target: TunnelTarget;
  readonly #server: Server;
  readonly #agent = new Agent({ keepAlive: false, maxCachedSessions: 10 });
  readonly #sockets = new Set<Socket>();
  readonly #streams = new Set<WebSocket>();
  readonly #ended = new AbortController();
  #pod: string | undefined;
  #problem: TunnelError | undefined;

  private constructor(access: () => Promise<HostAccess>, target: TunnelTarget) {
    this.#access = access;
    this.#target = target;
    this.#server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
      socket.on('error', () => socket.destroy());
      void this.#serve(socket);
    });
  }

  /** Opens a port of this machine. `access` is asked for every connection, so that credentials may change. */
  static async open(access: () => Promise<HostAccess>, target: TunnelTarget): Promise<Tunnel> {
    const tunnel = new Tunnel(access, target);
    await new Promise<void>((resolve, reject) => {
      tunnel.#server.once('error', reject);
      tunnel.#server.listen({ host: '127.0.0.1', port: 0, exclusive: true }, resolve);
    });
    return tunnel;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Why the last connection got nowhere; undefined when it got somewhere. */
  get problem(): TunnelError | undefined {
    return this.#problem;
  }

  /** Ends it, with every connection in it. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ended.signal.aborted) return;
    this.#ended.abort();
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    for (const stream of this.#streams) stream.terminate();
    this.#agent.destroy();
    await closed;
  }

  /** One connection, to as many pods in turn as it takes until one answers; never rejects. */
  async #serve(socket: Socket): Promise<void> {
    const untilMs = performance.now() + patienceMs;
    let first: readonly Buffer[] | undefined = [];
    try {
      while (first !== undefined && !socket.destroyed) {
        const stream = await this.#openStream(untilMs);
        this.#streams.add(stream);
        stream.once('close', () => this.#streams.delete(stream));
        const end = await carry(socket, stream, first);
        first = end.unanswered;
        this.#problem = first === undefined ? undefined : this.#notConnected(end.problem);
        // A client that has said all it had to say does not wait for an answer.
        if (first === undefined || socket.readableEnded) break;
        this.#pod = undefined;
        if (performance.now() > untilMs) break;
        await sleep(retryMs, undefined, { signal: this.#ended.signal });
      }
    } catch (error) {
      if (error instanceof TunnelError) this.#problem = error;
    } finally {
      if (first !== undefined) socket.destroy();
    }
  }

  #notConnected(problem: string | undefined): TunnelError | undefined {
    if (problem === undefined) return undefined;
    const { namespace } = this.#target;
    return new TunnelError(`The node of pod ${namespace}/${this.#pod} cannot connect to its API server: ${problem}`);
  }

  /** A stream to a pod. Goes on trying until then. @throws TunnelError */
  async #openStream(untilMs: number): Promise<WebSocket> {
    for (;;) {
      try {
        const access = await this.#access();
        const { namespace } = this.#target;
        this.#pod ??= await findPod(new HostApi(access), this.#target);
        return await openStream(access, { namespace, pod: this.#pod, port: apiServerPort }, this.#agent);
      } catch (error) {
        const pod = this.#pod;
        this.#pod = undefined;
        if (this.#ended.signal.aborted) throw error;
        const isFinal = error instanceof PortForwardRefusedError && finalStatuses.includes(error.status);
        if (isFinal || performance.now() > untilMs) throw explained(error, this.#target, pod);
        await sleep(retryMs, undefined, { signal: this.#ended.signal });
      }
    }
  }
}

interface Pod {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
  readonly status?: {
    readonly phase?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

async function findPod(host: HostApi, { name, namespace }: TunnelTarget): Promise<string> {
  const selector = encodeURIComponent(`app=vcluster,release=${name}`);
  const { status, body } = await host.get(
    `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods?labelSelector=${selector}`,
  );
  if (status !== 200) {
    const { message = '' } = (body ?? {}) as { readonly message?: string };
    throw new PortForwardRefusedError(status, `its pods cannot be listed: ${message || `HTTP ${status}`}`);
  }
  const pod = choosePod((body as { readonly items: readonly Pod[] }).items);
  if (pod === undefined) throw new TunnelError(`No pod of virtual cluster "${name}" runs in namespace "${namespace}".`);
  return pod;
}

/** The pod to connect to: a ready one before one that only runs, since the API server answers earlier than all is ready. Pure. */
export function choosePod(pods: readonly Pod[]): string | undefined {
  const usable = pods.filter(
    ({ metadata, status }) => metadata.deletionTimestamp === undefined && status?.phase !== 'Succeeded',
  );
  const isReady = ({ status }: Pod): boolean =>
    status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') === true;
  const chosen = usable.find(isReady) ?? usable.find(({ status }) => status?.phase === 'Running');
  return chosen?.metadata.name;
}

/** What a refusal means and what to do about it. */
function explained(error: unknown, { name, namespace }: TunnelTarget, pod: string | undefined): TunnelError {
  if (error instanceof TunnelError) return error;
  const why = error instanceof Error ? error.message : String(error);
  const what = `No tunnel into virtual cluster "${name}" (pod ${namespace}/${pod ?? '?'}) through the host's API server`;
  const status = error instanceof PortForwardRefusedError ? error.status : 0;
  const advice =
    status === 403
      ? ` The account of the host needs the verbs "list" on pods and "get" and "create" on pods/portforward in namespace "${namespace}".`
      : ' Expose the virtual cluster so that this machine reaches it, and use access = "direct"; or run Terraform where it can be reached.';
  return new TunnelError(`${what}: ${why}.${advice}`, { cause: error });
}
