/** A named pipe, for programs whose output nobody reads. */
import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const chunkBytes = 4096;
const readBytes = 1024 * 1024;

export class Pipe {
  /** Opened for writing, writes wait while it is full, as they do in a container. */
  readonly path: string;
  readonly #folder: string;
  #reader: number | undefined;

  constructor() {
    this.#folder = mkdtempSync(join(tmpdir(), 'pipe-'));
    this.path = join(this.#folder, 'pipe');
    execFileSync('mkfifo', [this.path]);
    this.#reader = openSync(this.path, constants.O_RDONLY | constants.O_NONBLOCK);
  }

  /** Fills all of it. */
  fill(): void {
    const writer = openSync(this.path, constants.O_WRONLY | constants.O_NONBLOCK);
    try {
      for (;;) writeSync(writer, 'x'.repeat(chunkBytes));
    } catch {
      closeSync(writer);
    }
  }

  /** All that is in it now. */
  drain(): string {
    const buffer = Buffer.alloc(readBytes);
    let text = '';
    try {
      for (;;) {
        const count = this.#reader === undefined ? 0 : readSync(this.#reader, buffer);
        if (count === 0) return text;
        text += buffer.toString('utf8', 0, count);
      }
    } catch {
      // Empty, and somebody could still write.
      return text;
    }
  }

  /** Nobody will ever read again. */
  closeReader(): void {
    if (this.#reader !== undefined) closeSync(this.#reader);
    this.#reader = undefined;
  }

  remove(): void {
    this.closeReader();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
