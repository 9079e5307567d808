/**
 * Joins two sockets byte by byte, in both directions (spec KUB-10). The end of one direction is passed on and the other goes
 * on; an error on either side ends both at once. There is no idle limit while both directions are open: a shell may wait for
 * hours. Once one direction has ended, the other must go on saying something, or a peer could hold both sockets for ever.
 */
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { finished } from 'node:stream/promises';

const flushTimeoutMs = 10_000;
const halfOpenIdleMs = 300_000;

/** Resolves when both sockets are closed; never rejects. Bytes read before the call must have been written already. */
export async function splice(left: Duplex, right: Duplex): Promise<void> {
  for (const socket of [left, right]) prepare(socket);
  follow(left, right);
  follow(right, left);
  left.pipe(right);
  right.pipe(left);
  await Promise.allSettled([finished(left), finished(right)]);
}

function prepare(socket: Duplex): void {
  if (!(socket instanceof Socket)) return;
  socket.setTimeout(0);
  socket.setNoDelay(true);
  socket.setKeepAlive(true, 30_000);
}

function follow(source: Duplex, sink: Duplex): void {
  if (source.destroyed) sink.destroy();
  source.on('error', () => sink.destroy());
  source.once('end', () => {
    if (sink instanceof Socket) sink.setTimeout(halfOpenIdleMs, () => sink.destroy());
  });
  // Closed after its end: all it said is with the sink, which must get the time to pass it on.
  source.once('close', () => (source.readableEnded ? endSoon(sink) : sink.destroy()));
}

function endSoon(socket: Duplex): void {
  if (socket.destroyed) return;
  const timer = setTimeout(() => socket.destroy(), flushTimeoutMs);
  socket.once('close', () => clearTimeout(timer));
  socket.end(() => socket.destroy());
}
