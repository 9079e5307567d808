/** Carries one watch from the real API server to the syncer, line by line, and does to each line what the rules say. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection, Outlet } from './outlet.ts';
import type { LineFault, ProxiedRequest, Rules, WatchLine } from './rules.ts';

const lineFeed = 0x0a;
const ascii = 0x7f;
const swapMaxMs = 250;

type OneOf<Is extends LineFault['is']> = Extract<LineFault, { readonly is: Is }>;
type Strikes = { readonly [Is in LineFault['is']]: (fault: OneOf<Is>, bytes: Buffer) => Promise<void> | void };

export class WatchRelay {
  readonly request: ProxiedRequest;
  readonly #outlet: Outlet;
  readonly #connection: Connection;
  readonly #rules: Rules;
  readonly #strikes: Strikes = {
    drop: () => undefined,
    swap: (_fault, bytes) => {
      this.#swapped = bytes;
      // There may be no next one for a long time.
      setTimeout(() => void this.#release(), swapMaxMs).unref();
    },
    delay: async ({ ms }, bytes) => {
      await sleep(ms);
      await this.#pass(bytes);
    },
    until: async ({ done }, bytes) => {
      await done;
      await this.#pass(bytes);
    },
    twice: async (_fault, bytes) => {
      await this.#pass(bytes);
      await this.#pass(bytes);
    },
    replace: async ({ lines }) => {
      for (const line of lines) await this.#pass(bytesOf(line));
    },
    truncate: (fault, bytes) => this.#truncate(bytes.subarray(0, fault.bytes), fault.end ?? 'reset'),
    split: ({ atByte }, bytes) => this.#split(bytes, atByte ?? insideFirstLongCharacter(bytes)),
    goaway: (_fault, bytes) => {
      this.#connection.session.goaway();
      return this.#pass(bytes);
    },
    freeze: () => this.#connection.wire.freeze(),
  };
  #number = 0;
  /** A line that waits for the next one to pass. */
  #swapped: Buffer | undefined;

  constructor(request: ProxiedRequest, outlet: Outlet, connection: Connection, rules: Rules) {
    this.request = request;
    this.#outlet = outlet;
    this.#connection = connection;
    this.#rules = rules;
  }

  /** Until the real API server ends the watch or the syncer leaves it. */
  async carry(chunks: AsyncIterable<Buffer>): Promise<void> {
    let rest: Buffer = Buffer.alloc(0);
    for await (const chunk of chunks) {
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      for (let at = rest.indexOf(lineFeed); at >= 0; at = rest.indexOf(lineFeed)) {
        await this.#line(rest.subarray(0, at));
        rest = rest.subarray(at + 1);
      }
      if (!this.#outlet.open) return;
    }
    this.#outlet.end();
  }

  /** A line of the test's own, after what has been carried so far. */
  async inject(line: string | Buffer | object): Promise<void> {
    await this.#pass(bytesOf(line));
  }

  async reset(): Promise<void> {
    await this.#outlet.reset();
  }

  async #line(bytes: Buffer): Promise<void> {
    this.#number++;
    const fault = this.#rules.concernsLines() ? this.#rules.faultOfLine(this.#parsed(bytes)) : undefined;
    await (fault === undefined ? this.#pass(bytes) : this.#strike(fault, bytes));
    if (fault?.is !== 'swap') await this.#release();
  }

  async #release(): Promise<void> {
    const waiting = this.#swapped;
    this.#swapped = undefined;
    if (waiting !== undefined) await this.#pass(waiting);
  }

  #parsed(bytes: Buffer): WatchLine {
    const text = bytes.toString();
    const { type, object } = JSON.parse(text) as Pick<WatchLine, 'type' | 'object'>;
    return { request: this.request, number: this.#number, type, object, text };
  }

  async #strike<Is extends LineFault['is']>(fault: OneOf<Is>, bytes: Buffer): Promise<void> {
    await this.#strikes[fault.is](fault, bytes);
  }

  async #pass(line: Buffer): Promise<void> {
    await this.#outlet.write(Buffer.concat([line, Buffer.from('\n')]));
  }

  async #truncate(part: Buffer, end: 'reset' | 'orderly'): Promise<void> {
    await this.#outlet.write(part);
    if (end === 'reset') await this.#outlet.reset();
    else this.#outlet.end();
  }

  async #split(bytes: Buffer, at: number): Promise<void> {
    await this.#outlet.write(bytes.subarray(0, at));
    // Once this much has been read, the rest comes in a chunk of its own.
    await this.#outlet.delivered();
    await this.#pass(bytes.subarray(at));
  }
}

function bytesOf(line: string | Buffer | object): Buffer {
  if (Buffer.isBuffer(line)) return line;
  return Buffer.from(typeof line === 'string' ? line : JSON.stringify(line));
}

function insideFirstLongCharacter(bytes: Buffer): number {
  const first = bytes.findIndex((byte) => byte > ascii);
  return first < 0 ? Math.floor(bytes.length / 2) : first + 1;
}
