/** One answer on one stream, whole or not at all, and what can be told from a failure about whether the server has acted. */
import { isUtf8 } from 'node:buffer';
import { constants } from 'node:http2';
import type { ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2';
import { ApiError, ConnectionError } from '../model/errors.ts';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** The server has not begun to act on the request: it can be sent again, whatever it is. */
export class UnsentError extends ConnectionError {
  override readonly name: string = 'UnsentError';
}

/** Longer than is ever taken in at once; a list can be asked for in smaller pages. */
export class TooLongError extends ConnectionError {
  override readonly name: string = 'TooLongError';
}

interface Status {
  readonly kind?: string;
  readonly message?: string;
  readonly reason?: string;
  readonly details?: { readonly retryAfterSeconds?: number; readonly causes?: readonly { readonly reason?: string }[] };
}

/** A page of 500 pods is 4 MB; the whole of a page is in memory several times while it is parsed. */
const bytesMax = 64 * 1024 * 1024;

/** Listens from the start: an answer that has come whole, while this process was busy, is not waited for twice. */
export function collect(stream: ClientHttp2Stream): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let headers: IncomingHttpHeaders | undefined;
    let bytes = 0;
    stream.once('response', (head) => {
      headers = head;
    });
    stream.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      chunks.push(chunk);
      if (bytes > bytesMax) stream.destroy(new TooLongError(`the answer is longer than ${bytesMax} bytes`));
    });
    stream.once('error', (cause) => reject(broken(stream, cause)));
    stream.once('close', () => {
      // Ended by a reset in the middle, a stream looks like one that came to its end.
      const whole = headers !== undefined && stream.readableEnded && stream.rstCode === constants.NGHTTP2_NO_ERROR;
      if (!whole || headers === undefined) return reject(broken(stream));
      resolveWith(resolve, reject, () => read(headers ?? {}, Buffer.concat(chunks)));
    });
  });
}

function resolveWith<T>(resolve: (value: T) => void, reject: (error: unknown) => void, make: () => T): void {
  try {
    resolve(make());
  } catch (error) {
    reject(error);
  }
}

function read(headers: IncomingHttpHeaders, body: Buffer): Answer {
  const announced = headers['content-length'];
  if (announced !== undefined && Number(announced) !== body.length) {
    throw new ConnectionError(`${announced} bytes were announced, ${body.length} came`);
  }
  // Decoding would put question marks in the place of broken characters, and those would be written on.
  if (!isUtf8(body)) throw new ConnectionError('the answer is not UTF-8');
  return { status: Number(headers[constants.HTTP2_HEADER_STATUS]), headers, text: body.toString('utf8') };
}

/** The error for a stream that came to no good end. */
export function broken(stream: ClientHttp2Stream, cause?: unknown): ConnectionError {
  if (cause instanceof ConnectionError) return cause;
  const neverLeft = stream.id === undefined;
  const refused = stream.rstCode === constants.NGHTTP2_REFUSED_STREAM;
  const why = cause instanceof Error ? cause.message : `the stream was closed in the middle, code ${stream.rstCode}`;
  return neverLeft || refused ? new UnsentError(why, { cause }) : new ConnectionError(why, { cause });
}

/** Whether what came claims to be JSON; a proxy on the way, or a login page, answers 200 with something else. */
export function isJson(headers: IncomingHttpHeaders): boolean {
  const encoded = headers['content-encoding'];
  const plain = encoded === undefined || encoded === 'identity';
  return plain && (headers['content-type'] ?? '').startsWith('application/json');
}

/** The error for an answer that is not a success, in the server's own words where it has any. */
export function refusal(what: string, { status: code, headers, text }: Answer): ApiError {
  const { message, reason = '', details } = statusIn(text);
  const seconds = Number(headers['retry-after'] ?? details?.retryAfterSeconds);
  const isBehind = details?.causes?.some((cause) => cause.reason === versionTooLarge) === true;
  return new ApiError(`${what}: ${message ?? (text.slice(0, 300) || `status ${code}`)}`, {
    status: code,
    reason: isBehind ? versionTooLarge : reason,
    retryAfterMs: Number.isFinite(seconds) ? seconds * 1000 : undefined,
  });
}

/** The server is behind the version that was asked for. */
export const versionTooLarge = 'ResourceVersionTooLarge';

/** Whatever it is: nothing in it is relied on. */
function statusIn(text: string): Status {
  try {
    return (JSON.parse(text) ?? {}) as Status;
  } catch {
    return {};
  }
}
