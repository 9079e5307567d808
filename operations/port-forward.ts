/**
 * One TCP connection into a pod, carried by one WebSocket of the host's API server: a GET of the pod's `portforward` with the
 * subprotocol `v4.channel.k8s.io`, which kubelets speak since their beginnings. Every message begins with its channel: 0 for
 * bytes, 1 for what the node has to say when it cannot connect; the first message of each channel repeats the port.
 *
 * Holds no more than a few frames of a stream: whoever is slow slows the other side down.
 */
import type { IncomingMessage } from 'node:http';
import type { Agent } from 'node:https';
import type { Socket } from 'node:net';
import { WebSocket } from 'ws';
import type { HostAccess } from './host.ts';

const subprotocol = 'v4.channel.k8s.io';
const dataChannel = 0;
const errorChannel = 1;
/** Both channels begin with the port, two bytes. */
const portBytes = 2;
const openTimeoutMs = 10_000;
/** Load balancers in front of an API server forget connections that say nothing for a minute. */
const pingIntervalMs = 25_000;
const queuedBytesMax = 256 * 1024;
/** After the client's last byte the pod may still answer, but it cannot be told that nothing more comes. */
const halfOpenMs = 5000;
const closeTimeoutMs = 1000;
const refusalBytesMax = 64 * 1024;
/** More than any greeting of TLS. */
const saidBytesMax = 64 * 1024;
const messageBytesMax = 16 * 1024 * 1024;

export interface PodPort {
  readonly namespace: string;
  readonly pod: string;
  readonly port: number;
}

/** The host answered, and it was not a stream. */
export class PortForwardRefusedError extends Error {
  override readonly name: string = 'PortForwardRefusedError';
  /** HTTP status. */
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** How a stream ended. */
export interface StreamEnd {
  /** Why the node could not connect, in its words. */
  readonly problem: string | undefined;
  /** When not a byte came back: all that the client has said, to be said again to another pod. The socket is still open then. */
  readonly unanswered: readonly Buffer[] | undefined;
}

/** Opens the stream; nothing is read from it before {@link carry}. @throws PortForwardRefusedError, or when there is no answer */
export function openStream(access: HostAccess, to: PodPort, agent: Agent): Promise<WebSocket> {
  const { namespace, pod, port } = to;
  const place = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}/portforward`;
  const url = new URL(`${access.server.pathname.replace(/\/$/, '')}${place}?ports=${port}`, access.server);
  const isPlain = access.server.protocol === 'http:';
  url.protocol = isPlain ? 'ws:' : 'wss:';
  const stream = new WebSocket(url, [subprotocol], {
    ...(!isPlain && { agent }),
    ca: access.ca,
    cert: access.certificate,
    key: access.key,
    ...(access.serverName !== undefined && { servername: access.serverName }),
    rejectUnauthorized: !access.insecure,
    headers: access.token === undefined ? {} : { authorization: `Bearer ${access.token}` },
    handshakeTimeout: openTimeoutMs,
    maxPayload: messageBytesMax,
    perMessageDeflate: false,
  });
  return new Promise((resolve, reject) => {
    stream.once('open', () => {
      stream.pause();
      resolve(stream);
    });
    stream.once('unexpected-response', (request, response) => {
      void refusal(response)
        .then(reject)
        .finally(() => request.destroy());
    });
    // Also after the opening, when rejecting has no effect any more: an error without a listener would end the process.
    stream.on('error', reject);
  });
}

async function refusal(response: IncomingMessage): Promise<PortForwardRefusedError> {
  const status = response.statusCode ?? 0;
  let text = '';
  try {
    for await (const chunk of response.setEncoding('utf8') as AsyncIterable<string>) {
      text += chunk;
      if (text.length > refusalBytesMax) break;
    }
    const { message } = JSON.parse(text) as { message?: unknown };
    if (typeof message === 'string') return new PortForwardRefusedError(status, message);
  } catch {
    // Whatever it was, it was no Status of Kubernetes.
  }
  return new PortForwardRefusedError(status, `HTTP ${status}${text === '' ? '' : `: ${text.slice(0, 200)}`}`);
}

/** Takes apart what comes from the node. Pure but for what it remembers. */
export class Channels {
  readonly #toSkip: Record<number, number> = { [dataChannel]: portBytes, [errorChannel]: portBytes };
  /** What came on the error channel. */
  problem = '';
  received = 0;

  /** The bytes for the client in one message; may be empty. */
  read(message: Buffer): Buffer {
    const channel = message[0] ?? -1;
    const skip = this.#toSkip[channel];
    if (skip === undefined) return Buffer.alloc(0);
    const content = message.subarray(1);
    this.#toSkip[channel] = Math.max(0, skip - content.length);
    const payload = content.subarray(skip);
    if (channel === errorChannel) this.problem += payload.toString('utf8');
    else this.received += payload.length;
    return channel === dataChannel ? payload : Buffer.alloc(0);
  }
}

/**
 * Carries bytes both ways until either side ends; never rejects. `first` is what the client has said already. The socket is
 * closed at the end, unless the pod never answered.
 */
export function carry(socket: Socket, stream: WebSocket, first: readonly Buffer[]): Promise<StreamEnd> {
  const channels = new Channels();
  const said = new Said(first);
  const cleanUps: (() => void)[] = [keepAlive(stream), upstream(socket, stream, said)];
  const onMessage = (message: Buffer): void => {
    const payload = channels.read(message);
    if (payload.length === 0) return;
    said.forget();
    if (socket.destroyed || socket.write(payload)) return;
    stream.pause();
    socket.once('drain', () => stream.resume());
  };
  const onGone = (): void => endStream(stream);
  stream.on('message', onMessage);
  socket.once('close', onGone);
  for (const chunk of first) stream.send(frame(chunk));
  stream.resume();
  if (socket.destroyed) onGone();
  return new Promise((resolve) => {
    const finish = (): void => {
      for (const cleanUp of cleanUps) cleanUp();
      stream.off('message', onMessage);
      socket.off('close', onGone);
      if (said.chunks === undefined) socket.destroySoon();
      resolve({ problem: channels.problem === '' ? undefined : channels.problem, unanswered: said.chunks });
    };
    if (stream.readyState === WebSocket.CLOSED) finish();
    else stream.once('close', finish);
  });
}

/** What the client has said so far, as long as nobody has answered and it is little. */
class Said {
  #chunks: Buffer[] | undefined;
  #bytes = 0;

  constructor(first: readonly Buffer[]) {
    this.#chunks = [];
    for (const chunk of first) this.add(chunk);
  }

  get chunks(): readonly Buffer[] | undefined {
    return this.#chunks;
  }

  add(chunk: Buffer): void {
    this.#chunks?.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes > saidBytesMax) this.forget();
  }

  forget(): void {
    this.#chunks = undefined;
  }
}

/** What the client says goes to the pod. Returns what ends that. */
function upstream(socket: Socket, stream: WebSocket, said: Said): () => void {
  let timer: NodeJS.Timeout | undefined;
  const onData = (chunk: Buffer): void => {
    said.add(chunk);
    stream.send(frame(chunk), () => {
      if (stream.bufferedAmount < queuedBytesMax) socket.resume();
    });
    if (stream.bufferedAmount >= queuedBytesMax) socket.pause();
  };
  const onEnd = (): void => {
    timer = setTimeout(() => endStream(stream), halfOpenMs);
  };
  socket.on('data', onData);
  if (socket.readableEnded) onEnd();
  else socket.once('end', onEnd);
  socket.resume();
  return () => {
    clearTimeout(timer);
    socket.off('data', onData);
    socket.off('end', onEnd);
    socket.pause();
  };
}

function frame(chunk: Buffer): Buffer {
  return Buffer.concat([Buffer.of(dataChannel), chunk]);
}

function keepAlive(stream: WebSocket): () => void {
  let answered = true;
  const onPong = (): void => {
    answered = true;
  };
  stream.on('pong', onPong);
  const timer = setInterval(() => {
    if (!answered) return stream.terminate();
    answered = false;
    stream.ping();
  }, pingIntervalMs);
  return () => {
    clearInterval(timer);
    stream.off('pong', onPong);
  };
}

/** Ends it in good order, what was sent before included; by force when the host does not answer. */
function endStream(stream: WebSocket): void {
  stream.close();
  const timer = setTimeout(() => stream.terminate(), closeTimeoutMs);
  stream.once('close', () => clearTimeout(timer));
}
