/** The way back to the syncer on one stream: whole, in small pieces, or cut after so many bytes. */
import { once } from 'node:events';
import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RequestFault } from './rules.ts';
import type { Wire } from './wire.ts';

/** One connection of the syncer. */
export interface Connection {
  readonly wire: Wire;
  readonly session: ServerHttp2Session;
}

const pieceTogetherMs = 5_000;

export class Outlet {
  readonly #stream: ServerHttp2Stream;
  readonly #connection: Connection;
  readonly #pieceBytes: number;
  /** Left until the connection is cut. */
  #leftBytes: number;

  constructor(stream: ServerHttp2Stream, connection: Connection, faults: readonly RequestFault[]) {
    this.#stream = stream;
    this.#connection = connection;
    this.#pieceBytes = faults.find((fault) => fault.is === 'dribble')?.bytes ?? Infinity;
    this.#leftBytes = faults.find((fault) => fault.is === 'cut')?.afterBytes ?? Infinity;
  }

  get open(): boolean {
    return !this.#stream.destroyed && !this.#stream.writableEnded;
  }

  head(status: number, headers: Readonly<Record<string, string>>): void {
    if (this.open && !this.#stream.headersSent) this.#stream.respond({ ...headers, ':status': status });
  }

  async write(bytes: Buffer): Promise<void> {
    const cutHere = bytes.length >= this.#leftBytes;
    const wanted = cutHere ? bytes.subarray(0, this.#leftBytes) : bytes;
    this.#leftBytes -= wanted.length;
    for (let from = 0; from < wanted.length && this.open;) {
      const piece = wanted.subarray(from, Math.min(from + this.#pieceBytes, wanted.length));
      from += piece.length;
      await this.#put(piece);
    }
    if (cutHere) await this.reset();
  }

  end(): void {
    if (this.open) this.#stream.end();
  }

  close(code: number): void {
    this.#stream.close(code);
  }

  /** Resets the connection once the syncer has got everything written before. */
  async reset(): Promise<void> {
    await this.delivered();
    this.#connection.wire.reset();
  }

  /** Resolves when the syncer has read all that was written: its answer to a PING comes after that. */
  async delivered(): Promise<void> {
    const { session } = this.#connection;
    const answered = new Promise<void>((resolve) => {
      if (session.destroyed || !session.ping(() => resolve())) resolve();
    });
    await Promise.race([answered, sleep(pieceTogetherMs, undefined, { ref: false })]);
  }

  async #put(piece: Buffer): Promise<void> {
    const small = this.#pieceBytes !== Infinity;
    // Small pieces must not be put together again on their way; large ones only must not pile up.
    if (small) await new Promise<void>((resolve) => this.#stream.write(piece, () => resolve()));
    else if (!this.#stream.write(piece)) await this.#drained();
  }

  /** Or closed: then nothing drains any more. */
  async #drained(): Promise<void> {
    const over = new AbortController();
    const { signal } = over;
    const either = ['drain', 'close'].map((event) => once(this.#stream, event, { signal }));
    await Promise.race(either).catch(() => undefined);
    over.abort();
  }
}
