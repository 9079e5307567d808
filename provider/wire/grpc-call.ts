/**
 * One RPC from the server's side: its request as it comes, and how long anybody waits for its answer.
 *
 * Two things are told apart. The *signal* tells the handler to come to an end: the caller has gone, its deadline has passed, or
 * the server closes. `ended` says that an answer has no way to the caller any more; while the server only closes it still has
 * one, and it may be the only record of what the handler has made.
 */
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { FrameReader } from './grpc-frames.ts';
import { GrpcError, timeoutMsOf } from './grpc-status.ts';

/** The end of a server in two steps, each with its reason. */
export interface ServerEnd {
  /** Handlers are to come to an end. */
  readonly closing: AbortSignal;
  /** What has not been answered by now will not be. */
  readonly over: AbortSignal;
}

export interface OpenCall extends Disposable {
  /** For the handler; never aborts after the call was disposed of. */
  readonly signal: AbortSignal;
  /** Rejects when nobody waits for the answer any more. */
  readonly ended: Promise<never>;
}

const timerMaxMs = 2 ** 31 - 1;

/** Ties a call to its stream, its deadline and the server. */
export function openCall(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  { closing, over }: ServerEnd,
): OpenCall {
  const controller = new AbortController();
  const { promise: ended, reject } = Promise.withResolvers<never>();
  // Whoever answers may not be listening yet.
  ended.catch(() => undefined);
  const end = (why: unknown): void => {
    controller.abort(why);
    reject(why);
  };
  const cancelled = (): void => end(new GrpcError('cancelled', 'Nobody waits for the answer any more.'));
  const late = (): void => end(new GrpcError('deadlineExceeded', 'The deadline of the RPC has passed.'));
  const serverCloses = (): void => controller.abort(closing.reason);
  const serverIsOver = (): void => end(over.reason);
  const timeoutMs = timeoutMsOf(headers['grpc-timeout'] as string | undefined);
  const timer = timeoutMs === undefined ? undefined : setTimeout(late, Math.min(timeoutMs, timerMaxMs));
  stream.once('aborted', cancelled).once('close', cancelled);
  closing.addEventListener('abort', serverCloses);
  over.addEventListener('abort', serverIsOver);
  if (closing.aborted) serverCloses();
  if (over.aborted) serverIsOver();
  return {
    signal: controller.signal,
    ended,
    [Symbol.dispose]: () => {
      clearTimeout(timer);
      stream.off('aborted', cancelled).off('close', cancelled);
      closing.removeEventListener('abort', serverCloses);
      over.removeEventListener('abort', serverIsOver);
    },
  };
}

/** The one message of a request. Not by `for await`, which destroys a stream that it leaves early, and with it the answer. */
export function readRequest(stream: ServerHttp2Stream): Promise<Uint8Array> {
  const frames = new FrameReader();
  const messages: Uint8Array[] = [];
  return new Promise((resolve, reject) => {
    const read = (piece: Uint8Array): void => {
      try {
        messages.push(...frames.push(piece));
      } catch (error) {
        stream.off('data', read).resume();
        reject(error);
      }
    };
    const end = (): void => {
      const [message] = messages;
      if (message !== undefined && messages.length === 1 && !frames.isMidway) resolve(message);
      else reject(new GrpcError('internal', `A request should be one message, but ${messages.length} came.`));
    };
    stream.on('data', read).once('end', end).once('error', reject);
  });
}
