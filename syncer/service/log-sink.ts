/**
 * Where log lines go: standard output, without ever waiting for whoever reads it. A reader that is slow costs lines, counted and told
 * once there is room again; one that has gone costs all of them. Neither holds up a write to an API server (spec F57).
 */
import { write as writeAsync, writeSync } from 'node:fs';

/** Some thousand lines: more than any burst of a working reader, less than anybody misses of memory. */
const waitingBytesMax = 1024 * 1024;
const againMs = 100;
/** A reader that has not taken one chunk for so long will not take the last words either. */
const stuckMs = 500;

export class LogSink {
  readonly #fd: number;
  #waiting: string[] = [];
  #waitingBytes = 0;
  #dropped = 0;
  #writingSinceMs: number | undefined;
  #isClosed = false;

  constructor(fd = 1) {
    this.#fd = fd;
  }

  /** How many lines nobody will read. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Takes a line; never throws and never blocks. */
  write(line: string): void {
    if (this.#isClosed || this.#waitingBytes + line.length > waitingBytesMax) {
      this.#dropped++;
      return;
    }
    this.#waiting.push(line);
    this.#waitingBytes += line.length;
    if (this.#writingSinceMs === undefined) this.#next();
  }

  /** Last words, at the end of the process: written at once, unless nobody reads. */
  end(): void {
    const isStuck = this.#writingSinceMs !== undefined && performance.now() - this.#writingSinceMs > stuckMs;
    if (this.#isClosed || isStuck || this.#waiting.length === 0) return;
    this.#isClosed = true;
    try {
      writeSync(this.#fd, this.#waiting.join(''));
    } catch {
      // There is nobody left to tell.
    }
  }

  #next(): void {
    if (this.#waiting.length === 0) return;
    const chunk = Buffer.from(this.#waiting.join(''));
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#write(chunk);
  }

  #write(chunk: Buffer): void {
    this.#writingSinceMs ??= performance.now();
    writeAsync(this.#fd, chunk, (error, written) => {
      if (this.#isClosed) return;
      // Full, and told not to wait.
      if (error?.code === 'EAGAIN') return void setTimeout(() => this.#write(chunk), againMs).unref();
      if (error !== null) return this.#close();
      if (written < chunk.length) return this.#write(chunk.subarray(written));
      this.#writingSinceMs = undefined;
      this.#tellDropped();
      return this.#next();
    });
  }

  #tellDropped(): void {
    if (this.#dropped === 0) return;
    this.#waiting.push(
      `{"level":"warn","dropped":${this.#dropped},"msg":"Log lines were dropped: nobody read them"}\n`,
    );
    this.#dropped = 0;
  }

  #close(): void {
    this.#isClosed = true;
    this.#waiting = [];
  }
}
