/**
 * One watch, from its request to its end: lines become events. A line that cannot be read ends it, for nobody knows what else is
 * wrong; the reflector goes on from what it has applied (benchmarks §3.8). An object that is none is told of and passed over.
 */
import type { ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2';
import { constants } from 'node:http2';
import type { WatchEvent } from '../model/cluster.ts';
import { ApiError, ConnectionError } from '../model/errors.ts';
import type { KubeObject, Metadata } from '../model/object.ts';
import { broken, isJson, refusal } from './answer.ts';
import type { Answer } from './answer.ts';
import { chunksOf } from './chunks.ts';
import { parseLean } from './lean.ts';
import { lines } from './lines.ts';
import type { Session } from './session.ts';

export interface WatchStreamOptions {
  readonly path: string;
  readonly signal: AbortSignal;
  /** Bookmarks come about once a minute; whoever waits for longer waits in vain. */
  readonly idleMaxMs: number;
  /** Passed over: no kind of object that could be taken in. */
  readonly unreadable: (why: string) => void;
}

/** Nothing has come for so long that nothing will: not even the bookmarks of a collection in which nothing happens. */
export class IdleError extends ConnectionError {
  override readonly name: string = 'IdleError';
}

/** For a free stream and the head of the answer. */
const openMaxMs = 30_000;

interface Line {
  readonly type: string;
  readonly object: LineObject | null;
}

/** An object, or a Status. */
interface LineObject extends Omit<KubeObject, 'metadata'> {
  readonly metadata?: Metadata;
  readonly code?: number;
  readonly message?: string;
  readonly reason?: string;
  readonly details?: { readonly retryAfterSeconds?: number };
}

/** @throws ApiError when the server refuses or says inside the stream that it cannot go on; ConnectionError for all else */
export async function* watchEvents(session: Session, options: WatchStreamOptions): AsyncGenerator<WatchEvent> {
  try {
    yield* eventsOf(await opened(session, options), options);
  } catch (cause) {
    if (cause instanceof ApiError || cause instanceof IdleError || options.signal.aborted) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ConnectionError(`WATCH ${options.path}: ${why}`, { cause });
  }
}

/** A stream that the server has answered with 200; the second try is with newer credentials. */
async function opened(session: Session, { path, signal }: WatchStreamOptions): Promise<ClientHttp2Stream> {
  for (let tries = 1; ; tries++) {
    const credentials = session.credentials();
    const late = AbortSignal.timeout(openMaxMs);
    const { stream } = await session.open({
      method: 'GET',
      path,
      hasBody: false,
      signal: AbortSignal.any([signal, late]),
    });
    const answer = await inTime(stream, signal, () => otherThanEvents(stream));
    if (answer === undefined) return stream;
    const { status, text } = answer;
    if (status === 200) throw new ConnectionError(`not the answer of a Kubernetes API server: ${text.slice(0, 80)}`);
    const renewed = status === 401 && session.renewed(credentials);
    if (!renewed || tries > 1) throw refusal(`WATCH ${path}`, answer);
  }
}

/** The stream is left when nobody wants it any more, or when this takes too long. */
async function inTime<T>(stream: ClientHttp2Stream, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  const leave = (): void => void stream.destroy();
  const timer = setTimeout(() => stream.destroy(new ConnectionError('no answer')), openMaxMs);
  signal.addEventListener('abort', leave, { once: true });
  if (signal.aborted) leave();
  try {
    return await work();
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', leave);
  }
}

/** The whole answer; undefined when it is a stream of events, of which nothing has been read then. */
async function otherThanEvents(stream: ClientHttp2Stream): Promise<Answer | undefined> {
  const headers = await headOf(stream);
  const status = Number(headers[constants.HTTP2_HEADER_STATUS]);
  if (status === 200 && isJson(headers)) return undefined;
  return { status, headers, text: await restOf(stream) };
}

function headOf(stream: ClientHttp2Stream): Promise<IncomingHttpHeaders> {
  return new Promise((resolve, reject) => {
    stream.once('response', resolve);
    // Also errors that come later have to be taken; by then this promise has long been resolved.
    stream.once('error', (cause) => reject(broken(stream, cause)));
    stream.once('close', () => reject(broken(stream)));
  });
}

/** What follows the head of a refusal. It may be lost; the status is known and counts all the same. */
async function restOf(stream: ClientHttp2Stream): Promise<string> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of chunksOf(stream)) chunks.push(chunk);
  } catch {
    // As said.
  }
  return Buffer.concat(chunks).toString('utf8');
}

async function* eventsOf(stream: ClientHttp2Stream, options: WatchStreamOptions): AsyncGenerator<WatchEvent> {
  const { path, signal, unreadable, idleMaxMs } = options;
  const idle = (): void => void stream.destroy(new IdleError(`WATCH ${path}: nothing for ${idleMaxMs / 1000} s`));
  const watchdog = setTimeout(idle, idleMaxMs);
  const leave = (): void => void stream.destroy();
  signal.addEventListener('abort', leave, { once: true });
  if (signal.aborted) leave();
  try {
    for await (const line of lines(chunksOf(stream))) {
      watchdog.refresh();
      const event = decode(path, line, unreadable);
      if (event !== undefined) yield event;
    }
  } finally {
    clearTimeout(watchdog);
    signal.removeEventListener('abort', leave);
    stream.close(constants.NGHTTP2_CANCEL);
  }
}

function decode(path: string, text: string, unreadable: (why: string) => void): WatchEvent | undefined {
  const line = parseLean<Line>(text, ({ object }) => (object === null ? [] : [object]));
  if (line.type === 'ERROR') throw failure(path, line);
  const event = line.type === 'BOOKMARK' ? bookmark(line) : change(line);
  if (event === undefined) unreadable(`event ${JSON.stringify(line.type)} without an object`);
  return event;
}

function bookmark({ object }: Line): WatchEvent | undefined {
  const version = object?.metadata?.resourceVersion;
  return version === undefined ? undefined : { type: 'BOOKMARK', resourceVersion: version };
}

function change({ type, object }: Line): WatchEvent | undefined {
  if (type !== 'ADDED' && type !== 'MODIFIED' && type !== 'DELETED') return undefined;
  return typeof object?.metadata?.name === 'string' ? { type, object: object as KubeObject } : undefined;
}

function failure(path: string, { object }: Line): ApiError {
  const seconds = object?.details?.retryAfterSeconds;
  return new ApiError(`WATCH ${path}: ${object?.message ?? 'ERROR'}`, {
    status: object?.code ?? 500,
    reason: object?.reason ?? 'ERROR',
    retryAfterMs: seconds === undefined ? undefined : seconds * 1000,
  });
}
