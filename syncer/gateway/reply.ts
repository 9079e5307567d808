/** Answers to the virtual API server, as text, which is what it expects of kubelets. */
import { STATUS_CODES } from 'node:http';
import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

type Headers = Readonly<Record<string, string | readonly string[]>>;

/** Whoever is told that there are too many streams may try again that much later. */
const retryAfterSeconds = '5';

/** An ordinary answer. */
export function say(response: ServerResponse, status: number, text: string): void {
  if (status === 429) response.setHeader('retry-after', retryAfterSeconds);
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' });
  response.end(`${text}\n`);
}

/** The answer to an upgrade that does not take place; ends the connection. */
export function sayRaw(socket: Duplex, answer: { status: number; message: string; object?: object | undefined }): void {
  if (socket.destroyed || socket.writableEnded) return;
  const { status, message, object } = answer;
  const body = Buffer.from(object === undefined ? `${message}\n` : JSON.stringify(object));
  const head = headOf(status, {
    'content-type': object === undefined ? 'text/plain; charset=utf-8' : 'application/json',
    'content-length': String(body.length),
    connection: 'close',
    ...(status === 429 ? { 'retry-after': retryAfterSeconds } : {}),
  });
  socket.end(Buffer.concat([Buffer.from(head, 'latin1'), body]), () => socket.destroy());
}

/** A response head, for sockets that an HTTP server has let go of. */
export function headOf(status: number, headers: Headers): string {
  const lines = Object.entries(headers).flatMap(([name, value]) => [value].flat().map((one) => `${name}: ${one}`));
  return [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Status'}`, ...lines, '', ''].join('\r\n');
}
