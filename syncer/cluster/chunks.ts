/** What comes on one stream, in pieces. */
import { constants } from 'node:http2';
import type { ClientHttp2Stream } from 'node:http2';
import { broken } from './answer.ts';

const news = ['readable', 'end', 'error', 'close'] as const;

/**
 * Yields what has come and what comes, until its end. Node's own iteration throws that away and fails ("Premature close") where an
 * HTTP/2 stream was closed by the other end before the iteration began, as when head, body and end arrive in one piece. Leaving
 * early leaves the stream as it is.
 * @throws ConnectionError when the stream broke or was closed in the middle
 */
export async function* chunksOf(stream: ClientHttp2Stream): AsyncGenerator<Buffer> {
  let wake = (): void => {};
  const heard = (): void => wake();
  for (const event of news) stream.on(event, heard);
  try {
    for (;;) {
      const chunk = stream.destroyed ? null : (stream.read() as Buffer | null);
      if (chunk !== null) yield chunk;
      else if (stream.readableEnded || stream.destroyed) break;
      else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
    // Ended by a reset in the middle, a stream looks like one that came to its end.
    const whole = stream.readableEnded && stream.rstCode === constants.NGHTTP2_NO_ERROR;
    if (!whole) throw broken(stream, stream.errored);
  } finally {
    for (const event of news) stream.off(event, heard);
  }
}
