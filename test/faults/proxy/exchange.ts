/** One request through the proxy: the faults that its rules name, in the order in which they can happen. */
import { constants } from 'node:http2';
import type { ClientHttp2Stream, IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { setTimeout as sleep } from 'node:timers/promises';
import { chunksOf } from '../../../syncer/cluster/chunks.ts';
import { Outlet } from './outlet.ts';
import type { Connection } from './outlet.ts';
import type { Answer, ProxiedRequest, RealAnswer, RequestFault, Rules } from './rules.ts';
import type { Upstream } from './upstream.ts';
import { WatchRelay } from './watch-relay.ts';

export interface ExchangeOptions {
  readonly request: ProxiedRequest;
  readonly stream: ServerHttp2Stream;
  readonly connection: Connection;
  readonly upstream: Upstream;
  readonly rules: Rules;
  readonly answered: (status: number) => void;
  /** A watch has begun; what it returns is called at its end. */
  readonly watching: (relay: WatchRelay) => () => void;
}

/** What happens to a request that is to go no further. */
type Step = 'go on' | 'done';

type OneOf<Is extends RequestFault['is']> = Extract<RequestFault, { readonly is: Is }>;
type Strikes<With extends unknown[] = []> = {
  readonly [Is in RequestFault['is']]?: (fault: OneOf<Is>, ...more: With) => Step | Promise<Step>;
};

export class Exchange {
  readonly #options: ExchangeOptions;
  readonly #faults: readonly RequestFault[];
  readonly #outlet: Outlet;
  /** What happens before anything is forwarded. */
  readonly #before: Strikes = {
    delay: async ({ ms }): Promise<Step> => {
      const { rules, request } = this.#options;
      await sleep(typeof ms === 'number' ? ms : between(ms, rules.draw(`${request.method} ${request.path}`)));
      return 'go on';
    },
    before: async ({ call }) => ((await call(this.#options.request)) === 'drop' ? this.#reset() : 'go on'),
    goaway: ({ code }) => {
      this.#options.connection.session.goaway(code ?? 0);
      return 'go on';
    },
    freeze: ({ forwarded }) => (forwarded === true ? 'go on' : this.#freeze()),
    cut: ({ afterBytes }) => (afterBytes === undefined ? this.#reset() : 'go on'),
    resetStream: ({ forwarded, code }) => (forwarded === true ? 'go on' : this.#resetStream(code)),
    answer: async ({ answer }): Promise<Step> => {
      await this.#say(answer);
      return 'done';
    },
  };
  /** What happens once the real API server has answered. */
  readonly #after: Strikes<[real: RealAnswer]> = {
    committed: async ({ call }, real) => {
      const success = real.status >= 200 && real.status <= 299;
      return success && (await call(this.#options.request, real)) === 'drop' ? this.#reset() : 'go on';
    },
    lose: () => this.#reset(),
    hold: () => 'done',
    freeze: () => this.#freeze(),
    resetStream: ({ code }) => this.#resetStream(code),
  };

  constructor(options: ExchangeOptions) {
    this.#options = options;
    this.#faults = options.rules.faultsFor(options.request);
    this.#outlet = new Outlet(options.stream, options.connection, this.#faults);
  }

  async run(): Promise<void> {
    for (const fault of this.#faults) {
      if ((await this.#strike(this.#before, fault)) === 'done') return;
    }
    const { stream, upstream, request } = this.#options;
    // The syncer has gone meanwhile: nobody would have sent this.
    if (stream.destroyed) return;
    const forwarded = upstream.send(request.headers, request.body);
    forwarded.on('error', () => {});
    const headers = await headersOf(forwarded);
    if (headers === undefined) return this.#options.connection.wire.reset();
    const status = Number(headers[constants.HTTP2_HEADER_STATUS]);
    this.#options.answered(status);
    if (request.isWatch && status === 200) await this.#watch(forwarded, headers);
    else await this.#answer({ status, headers: passedBack(headers), body: await bodyOf(forwarded) });
  }

  async #answer(real: RealAnswer): Promise<void> {
    let answer: Answer = real;
    for (const fault of this.#faults) {
      if ((await this.#strike(this.#after, fault, real)) === 'done') return;
      if (fault.is === 'rewrite') answer = fault.with(real, this.#options.request);
    }
    await this.#say(answer);
  }

  async #strike<Is extends RequestFault['is'], With extends unknown[]>(
    strikes: Strikes<With>,
    fault: OneOf<Is>,
    ...more: With
  ): Promise<Step> {
    return (await strikes[fault.is]?.(fault, ...more)) ?? 'go on';
  }

  async #watch(forwarded: ClientHttp2Stream, headers: IncomingHttpHeaders): Promise<void> {
    const { request, connection, rules, stream } = this.#options;
    if (this.#faults.some(({ is }) => is === 'hold')) return;
    const relay = new WatchRelay(request, this.#outlet, connection, rules);
    const ended = this.#options.watching(relay);
    stream.once('close', () => forwarded.close());
    this.#outlet.head(200, passedBack(headers));
    try {
      await relay.carry(chunksOf(forwarded));
    } finally {
      ended();
      forwarded.destroy();
    }
  }

  async #say({ status, headers, body }: Answer): Promise<void> {
    const isBytes = typeof body === 'string' || Buffer.isBuffer(body);
    this.#outlet.head(status, isBytes ? { ...headers } : { 'content-type': 'application/json', ...headers });
    if (body !== undefined) await this.#outlet.write(isBytes ? Buffer.from(body) : Buffer.from(JSON.stringify(body)));
    this.#outlet.end();
  }

  #reset(): Step {
    this.#options.connection.wire.reset();
    return 'done';
  }

  #freeze(): Step {
    this.#options.connection.wire.freeze();
    return 'done';
  }

  #resetStream(code: number = constants.NGHTTP2_REFUSED_STREAM): Step {
    this.#outlet.close(code);
    return 'done';
  }
}

function between([from, to]: readonly [number, number], drawn: number): number {
  return from + (to - from) * drawn;
}

/** Undefined when none came. */
function headersOf(stream: ClientHttp2Stream): Promise<IncomingHttpHeaders | undefined> {
  return new Promise((resolve) => {
    stream.once('response', resolve);
    stream.once('close', () => resolve(undefined));
  });
}

async function bodyOf(stream: ClientHttp2Stream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of chunksOf(stream)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function passedBack(headers: IncomingHttpHeaders): Record<string, string> {
  const passed: Record<string, string> = {};
  for (const name of ['content-type', 'retry-after', 'warning', 'audit-id']) {
    const value = headers[name];
    if (value !== undefined) passed[name] = String(value);
  }
  return passed;
}
