/** A small gRPC client on a real HTTP/2 connection, for tests of the provider's server. */
import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2';
import { FrameReader, frameHeader } from '../../provider/wire/grpc-frames.ts';

/** How a call has ended; status -1 when there was none. */
export interface Answer {
  readonly status: number;
  readonly message: string;
  readonly messages: readonly Uint8Array[];
}

const grpcHeaders = { ':method': 'POST', 'content-type': 'application/grpc', te: 'trailers' };

/** Begins a call. */
export function open(
  client: ClientHttp2Session,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): ClientHttp2Stream {
  return client.request({ ...grpcHeaders, ':path': path, ...headers });
}

/** A message in its frame. */
export function framed(message: Uint8Array): Uint8Array {
  return Buffer.concat([frameHeader(message), message]);
}

/** Everything until the end of a call. */
export async function answerOf(stream: ClientHttp2Stream): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const frames = new FrameReader();
  const messages: Uint8Array[] = [];
  let headers: IncomingHttpHeaders = {};
  stream.on('response', (all) => (headers = { ...headers, ...all }));
  stream.on('trailers', (all) => (headers = { ...headers, ...all }));
  stream.on('data', (piece: Uint8Array) => messages.push(...frames.push(piece)));
  stream.on('error', reject);
  stream.on('close', () => {
    const message = decodeURIComponent(String(headers['grpc-message'] ?? ''));
    resolve({ status: Number(headers['grpc-status'] ?? -1), message, messages });
  });
  return promise;
}

/** One request, one answer. */
export function call(
  client: ClientHttp2Session,
  path: string,
  message: Uint8Array,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const stream = open(client, path, headers);
  stream.end(framed(message));
  return answerOf(stream);
}
