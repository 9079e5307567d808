/**
 * Carries one stream between the virtual API server and the host's (spec KUB-10…13): logs as an HTTP body with back-pressure,
 * exec, attach and port-forward as raw bytes after the upgrade. Either side gone, the other is let go of as well.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Limit } from './limit.ts';
import { refuse } from './options.ts';
import type { Logger, Refusal } from './options.ts';
import { headOf, say, sayRaw } from './reply.ts';
import type { Resolved } from './resolve.ts';
import { splice } from './splice.ts';
import { explain } from './status-text.ts';
import type { Answer } from './status-text.ts';
import { contentHeaders, readText, streamHeaders } from './upstream.ts';
import type { Upstream } from './upstream.ts';

export interface RelayParts {
  readonly log: Logger;
  readonly upstream: Upstream;
  readonly streams: Limit;
}

/** What an HTTP server hands over with an upgrade. */
export interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  /** Bytes that came right behind the head of the request. */
  readonly head: Buffer;
}

export class Relay {
  readonly #log: Logger;
  readonly #upstream: Upstream;
  readonly #streams: Limit;

  constructor({ log, upstream, streams }: RelayParts) {
    this.#log = log;
    this.#upstream = upstream;
    this.#streams = streams;
  }

  /** Resolves at the end of the log, or when the client has gone. Never rejects. */
  async logs(found: Resolved, response: ServerResponse): Promise<void> {
    const release = this.#streams.take();
    if (release === undefined) return say(response, 429, this.#busy().message);
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    try {
      await this.#copyLogs(found, response, gone.signal);
    } catch (error) {
      this.#logsFailed(error, found, response);
    } finally {
      release();
    }
  }

  /** Resolves when the session is over. Never rejects. */
  async session(found: Resolved, upgrade: Upgrade): Promise<void> {
    const release = this.#streams.take();
    if (release === undefined) return sayRaw(upgrade.socket, this.#busy());
    const gone = new AbortController();
    upgrade.socket.once('close', () => gone.abort());
    try {
      await this.#join(found, upgrade, gone.signal);
    } catch (error) {
      if (!upgrade.socket.destroyed) sayRaw(upgrade.socket, this.#unreachable(error, found));
    } finally {
      release();
    }
  }

  async #copyLogs(found: Resolved, response: ServerResponse, signal: AbortSignal): Promise<void> {
    const asked = { method: 'GET', path: found.path, headers: {} };
    const answer = await this.#upstream.ask(asked, signal);
    if (answer.is === 'upgraded') {
      answer.socket.destroy();
      throw new Error('the answer was an upgrade that nobody had asked for');
    }
    const from = answer.response;
    const status = from.statusCode ?? 0;
    if (status < 200 || status > 299) {
      const { status: told, message } = this.#explained(status, await readText(from), found);
      return say(response, told, message);
    }
    response.writeHead(status, contentHeaders(from));
    response.flushHeaders();
    await pipeline(from, response);
  }

  #logsFailed(error: unknown, found: Resolved, response: ServerResponse): void {
    // Half a log must not look like a whole one: the connection breaks instead of ending.
    if (response.destroyed || response.headersSent) return void response.destroy();
    const { status, message } = this.#unreachable(error, found);
    say(response, status, message);
  }

  async #join(found: Resolved, { request, socket, head }: Upgrade, signal: AbortSignal): Promise<void> {
    const asked = { method: request.method ?? 'POST', path: found.path, headers: streamHeaders(request) };
    const answer = await this.#upstream.ask(asked, signal);
    if (answer.is === 'answered') {
      const body = await readText(answer.response);
      return sayRaw(socket, this.#explained(answer.response.statusCode ?? 0, body, found));
    }
    socket.write(headOf(101, streamHeaders(answer.response)));
    if (answer.head.length > 0) socket.write(answer.head);
    if (head.length > 0) answer.socket.write(head);
    await splice(socket, answer.socket);
  }

  #explained(status: number, body: string, found: Resolved): Answer {
    const answer = explain(status, body, found.names);
    if (answer.status >= 500)
      this.#log.warn({ status, path: withoutQuery(found.path), body }, 'The host refused a stream');
    return answer;
  }

  #unreachable(error: unknown, found: Resolved): Refusal {
    const why = error instanceof Error ? error.message : String(error);
    this.#log.warn({ path: withoutQuery(found.path), error: why }, 'Could not reach the host API server for a stream');
    return refuse(
      502,
      'The host API server could not be reached. Try again; if it stays so, tell whoever operates the host.',
    );
  }

  #busy(): Refusal {
    return refuse(
      429,
      `This virtual cluster has ${this.#streams.max} log and exec streams open, the most it may. End some.`,
    );
  }
}

/** Commands can carry secrets; they stay out of the log. */
function withoutQuery(path: string): string {
  return path.replace(/\?.*/s, '');
}
