/** One request, one answer: bodies, deadlines and errors of the Kubernetes API over a Session. */
import type { ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2';
import { ApiError, ConnectionError } from '../model/errors.ts';
import type { Session } from './session.ts';

export interface Request {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly body?: object | undefined;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
}

interface Status {
  readonly kind?: string;
  readonly message?: string;
  readonly reason?: string;
  readonly details?: { readonly retryAfterSeconds?: number };
}

const defaultTimeoutMs = 30_000;

/**
 * @throws ApiError when the server answers with anything but success
 * @throws ConnectionError when no answer came; the connection is given up, as it may be half-open
 */
export async function request(session: Session, { method, path, body, timeoutMs, signal }: Request): Promise<unknown> {
  const deadline = AbortSignal.timeout(timeoutMs ?? defaultTimeoutMs);
  const stop = signal === undefined ? deadline : AbortSignal.any([signal, deadline]);
  const text = body === undefined ? undefined : JSON.stringify(body);
  const stream = session.open(
    method,
    path,
    text === undefined ? {} : { 'content-type': contentType(method), 'content-length': Buffer.byteLength(text) },
    stop,
  );
  try {
    // Both listen from the start: an answer that has come whole, while this process was busy, is not waited for twice.
    const answer = Promise.all([responseHeaders(stream), readAll(stream)]);
    stream.end(text);
    return parse(`${method} ${path}`, ...(await answer));
  } catch (cause) {
    stream.destroy();
    if (cause instanceof ApiError) throw cause;
    if (deadline.aborted) session.abandon();
    throw new ConnectionError(`${method} ${path}: ${describe(cause)}`, { cause });
  }
}

function contentType(method: Request['method']): string {
  return method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
}

export function responseHeaders(stream: ClientHttp2Stream): Promise<IncomingHttpHeaders> {
  return new Promise((resolve, reject) => {
    const closed = (): void => reject(new ConnectionError('the stream was closed before an answer came'));
    stream.once('close', closed);
    stream.once('error', reject);
    stream.once('response', (headers) => {
      // Every stream is closed in the end, and an error costs its stack even when nobody gets it.
      stream.off('close', closed);
      resolve(headers);
    });
  });
}

export function readAll(stream: ClientHttp2Stream): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const closed = (): void =>
      reject(new ConnectionError(`the stream was closed in the middle, code ${stream.rstCode}`));
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.once('close', closed);
    stream.once('error', reject);
    stream.once('end', () => {
      stream.off('close', closed);
      // Ended by a reset in the middle, a stream looks like one that came to its end.
      if (stream.rstCode === 0) resolve(Buffer.concat(chunks).toString('utf8'));
      else closed();
    });
  });
}

function parse(what: string, headers: IncomingHttpHeaders, text: string): unknown {
  const code = Number(headers[':status']);
  if (code < 200 || code > 299) throw refusal(what, headers, text);
  return parseJson(what, text);
}

/** The error for an answer that is not a success, in the server's own words where it has any. */
export function refusal(what: string, headers: IncomingHttpHeaders, text: string): ApiError {
  const code = Number(headers[':status']);
  const status = tryParse(text) as Status | undefined;
  const seconds = Number(headers['retry-after'] ?? status?.details?.retryAfterSeconds);
  return new ApiError(`${what}: ${status?.message ?? (text.slice(0, 300) || `status ${code}`)}`, {
    status: code,
    reason: status?.reason ?? '',
    retryAfterMs: Number.isFinite(seconds) ? seconds * 1000 : undefined,
  });
}

function parseJson(what: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ConnectionError(`${what}: the answer is not JSON: ${text.slice(0, 80)}`, { cause });
  }
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function describe(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
