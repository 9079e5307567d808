/**
 * One request, one answer: bodies, deadlines, errors, and a second try where it can do no harm. What the server has not begun to act
 * on is sent again, whatever it is; what may have been carried out only when it changes nothing (faults F32, F40).
 */
import { constants } from 'node:http2';
import { ApiError, ConnectionError } from '../model/errors.ts';
import { parseJson } from '../model/json.ts';
import { collect, isJson, refusal, TooLongError, UnsentError } from './answer.ts';
import type { Answer } from './answer.ts';
import type { Session } from './session.ts';

export interface Request {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly body?: object | undefined;
  /** Another form of the answer than plain JSON objects. */
  readonly accept?: string | undefined;
  /** Reads the body of a success; the whole of it as JSON, when absent. */
  readonly decode?: ((text: string) => unknown) | undefined;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
}

const defaultTimeoutMs = 30_000;
const triesMax = 3;

/**
 * @throws ApiError when the server answers with anything but success
 * @throws ConnectionError when no answer came; a write may have been carried out all the same
 */
export async function request(session: Session, asked: Request): Promise<unknown> {
  const { method, path, signal, timeoutMs = defaultTimeoutMs } = asked;
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(new ConnectionError(`no answer within ${timeoutMs} ms`)), timeoutMs);
  const abort = (): void => stop.abort(signal?.reason);
  if (signal?.aborted === true) abort();
  signal?.addEventListener('abort', abort, { once: true });
  try {
    return decoded(asked, await answered(session, asked, stop.signal));
  } catch (cause) {
    if (cause instanceof ApiError) throw cause;
    if (cause instanceof TooLongError) throw cause;
    throw new ConnectionError(`${method} ${path}: ${describe(cause)}`, { cause });
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  }
}

/** The answer of the first try that got one, and that the server did not refuse for credentials that have been replaced. */
async function answered(session: Session, asked: Request, signal: AbortSignal): Promise<Answer> {
  const text = asked.body === undefined ? undefined : JSON.stringify(asked.body);
  for (let tries = 1; ; tries++) {
    const credentials = session.credentials();
    try {
      const answer = await send(session, asked, { text, signal });
      if (answer.status !== 401 || tries === triesMax || !session.renewed(credentials)) return answer;
    } catch (error) {
      if (signal.aborted || tries === triesMax || !mayBeSentAgain(asked, error)) throw error;
    }
  }
}

interface Sent {
  readonly text: string | undefined;
  readonly signal: AbortSignal;
}

async function send(session: Session, { method, path, accept }: Request, { text, signal }: Sent): Promise<Answer> {
  signal.throwIfAborted();
  const hasBody = text !== undefined;
  const headers = hasBody
    ? { 'content-type': contentType(method), 'content-length': Buffer.byteLength(text) }
    : accept && { accept };
  const { stream, connection } = await session.open({ method, path, hasBody, signal, ...(headers && { headers }) });
  const abort = (): void => {
    // Perhaps only this request hangs; but the next one is not going to wait on the same connection.
    connection.retire();
    stream.close(constants.NGHTTP2_CANCEL);
    stream.destroy(signal.reason as Error);
  };
  signal.addEventListener('abort', abort, { once: true });
  try {
    const answer = collect(stream);
    if (hasBody) stream.end(text);
    return await answer;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

function mayBeSentAgain({ method }: Request, error: unknown): boolean {
  if (error instanceof TooLongError) return false;
  return error instanceof UnsentError || (method === 'GET' && error instanceof ConnectionError);
}

function contentType(method: Request['method']): string {
  return method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
}

function decoded({ method, path, decode = parseJson }: Request, answer: Answer): unknown {
  const { status, headers, text } = answer;
  if (status < 200 || status > 299) throw refusal(`${method} ${path}`, answer);
  if (!isJson(headers)) throw new ConnectionError(`not the answer of a Kubernetes API server: ${beginning(text)}`);
  try {
    return decode(text);
  } catch (cause) {
    throw new ConnectionError(`the answer is not what was asked for: ${describe(cause)}: ${beginning(text)}`, {
      cause,
    });
  }
}

function beginning(text: string): string {
  return JSON.stringify(text.slice(0, 80));
}

function describe(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
