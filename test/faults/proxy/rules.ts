/**
 * What a chaos proxy does to whom: rules are data, tried in order; every rule that matches a request does its one fault to it.
 * Whether a rule with a `chance` strikes depends on the seed, the rule and the request alone, not on what else is under way.
 */
import type { IncomingHttpHeaders } from 'node:http2';
import type { Side } from '../../../syncer/model/side.ts';
import { randomFrom } from '../../support/random.ts';

/** A request as the syncer sent it. */
export interface ProxiedRequest {
  readonly side: Side;
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly group: string;
  /** Empty where the path names no resource, as in `/version`. */
  readonly plural: string;
  readonly namespace: string;
  /** Of a POST to a collection: from its body. */
  readonly name: string;
  /** Empty for the object itself. */
  readonly subresource: string;
  readonly isWatch: boolean;
  readonly isList: boolean;
  readonly isWrite: boolean;
  /** Of all requests since the start, from 1. */
  readonly number: number;
  /** Of the writes since the start, from 1; 0 for a read. */
  readonly ordinal: number;
  readonly headers: IncomingHttpHeaders;
  /** As it was sent. */
  readonly body: Buffer;
}

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Anything but text and bytes is sent as JSON. */
  readonly body?: unknown;
}

/** The answer of the real API server to what was forwarded. */
export interface RealAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export type Fault =
  /** Before it is forwarded. A list of bounds is drawn from by seed. */
  | { readonly is: 'delay'; readonly ms: number | readonly [number, number] }
  /** Nothing is forwarded. Also for watches. */
  | { readonly is: 'answer'; readonly answer: Answer }
  /** Forwarded and carried out; the answer never comes, the connection stays. */
  | { readonly is: 'hold' }
  /** Forwarded and carried out; then the connection is reset without an answer. */
  | { readonly is: 'lose' }
  /** Stream reset, by default with REFUSED_STREAM (7): `forwarded: true` after the real API server has carried it out. */
  | { readonly is: 'resetStream'; readonly code?: number; readonly forwarded?: boolean }
  /** Connection reset: before anything is forwarded, or after so many bytes of the answer's body. */
  | { readonly is: 'cut'; readonly afterBytes?: number }
  /** The answer's body in pieces of so many bytes. */
  | { readonly is: 'dribble'; readonly bytes: number }
  /** The connection asks to be left, in good order or with an error code; the request is answered all the same where it can be. */
  | { readonly is: 'goaway'; readonly code?: number }
  /** The connection goes silent: nothing more in either direction, no FIN, no RST. `forwarded`: after it was carried out. */
  | { readonly is: 'freeze'; readonly forwarded?: boolean }
  /** Another answer in place of the real one. */
  | { readonly is: 'rewrite'; readonly with: (answer: RealAnswer, request: ProxiedRequest) => Answer }
  /** A numbered failpoint: called before it is forwarded; what it returns is awaited. 'drop' resets the connection there. */
  | { readonly is: 'before'; readonly call: (request: ProxiedRequest) => Hooked }
  /** The same after the real API server's 2xx, before the answer goes on. 'drop' loses it. */
  | { readonly is: 'committed'; readonly call: (request: ProxiedRequest, answer: RealAnswer) => Hooked }
  /** Each line of a watch; the first fault that is not undefined is done to it. */
  | { readonly is: 'line'; readonly to: (line: WatchLine) => LineFault | undefined };

/** A fault of a request as a whole. */
export type RequestFault = Exclude<Fault, { readonly is: 'line' }>;

export type Hooked = Promise<'drop' | undefined | void> | 'drop' | undefined | void;

/** A line of a watch, parsed. */
export interface WatchLine {
  readonly request: ProxiedRequest;
  /** Within its watch, from 1. */
  readonly number: number;
  /** ADDED, MODIFIED, DELETED, BOOKMARK or ERROR. */
  readonly type: string;
  readonly object: WatchedObject;
  readonly text: string;
}

export interface WatchedObject {
  readonly kind?: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly resourceVersion: string;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly labels?: Readonly<Record<string, string>>;
  };
}

export type LineFault =
  /** It and what follows on this watch wait: order is kept, as in a TCP stream. */
  | { readonly is: 'delay'; readonly ms: number }
  /** Held until the promise is there; what follows waits with it. */
  | { readonly is: 'until'; readonly done: Promise<unknown> }
  | { readonly is: 'drop' }
  | { readonly is: 'twice' }
  /** After the next line of this watch, or a moment later when there is none. */
  | { readonly is: 'swap' }
  /** Others in its place, as text or as objects; no line feed at their end. */
  | { readonly is: 'replace'; readonly lines: readonly (string | Buffer | object)[] }
  /** So many bytes of it and then the end: in good order, or by a reset of the connection (default). */
  | { readonly is: 'truncate'; readonly bytes: number; readonly end?: 'reset' | 'orderly' }
  /** In two pieces, with a pause between; at a byte, or in the middle of its first character beyond ASCII. */
  | { readonly is: 'split'; readonly atByte?: number }
  | { readonly is: 'goaway' }
  | { readonly is: 'freeze' };

export interface Rule {
  /** Every request when absent. */
  readonly when?: (request: ProxiedRequest) => boolean;
  /** How often at most; always when absent. */
  readonly times?: number;
  /** From 0 to 1; always when absent. */
  readonly chance?: number;
  readonly do: Fault;
}

interface Entry {
  readonly rule: Rule;
  readonly number: number;
  struck: number;
}

/** The rules of one proxy. */
export class Rules {
  readonly #seed: number;
  readonly #entries = new Set<Entry>();
  readonly #occurrences = new Map<string, number>();
  #added = 0;

  constructor(seed: number) {
    this.#seed = seed;
  }

  /** Adds one at the end. The answer tells how often it has struck, and takes it away. */
  add(rule: Rule): { readonly struck: () => number; readonly remove: () => void } {
    const entry = { rule, number: ++this.#added, struck: 0 };
    this.#entries.add(entry);
    return { struck: () => entry.struck, remove: () => void this.#entries.delete(entry) };
  }

  clear(): void {
    this.#entries.clear();
  }

  /** What is to be done to a request, in the order of the rules. Counts as done. Faults of lines are not among them. */
  faultsFor(request: ProxiedRequest): readonly RequestFault[] {
    if (this.#entries.size === 0) return [];
    const what = `${request.method} ${request.path} ${request.name}`;
    const occurrence = (this.#occurrences.get(what) ?? 0) + 1;
    this.#occurrences.set(what, occurrence);
    const faults: RequestFault[] = [];
    for (const entry of this.#entries) {
      const { do: fault } = entry.rule;
      if (fault.is === 'line' || !this.#strikes(entry, request, `${what} ${occurrence}`)) continue;
      entry.struck++;
      faults.push(fault);
    }
    return faults;
  }

  /** What is to be done to a line of a watch, also of one that began before the rule was there. `times` counts lines. */
  faultOfLine(line: WatchLine): LineFault | undefined {
    for (const entry of this.#entries) {
      const { do: fault } = entry.rule;
      if (fault.is !== 'line' || !this.#strikes(entry, line.request, line.text)) continue;
      const found = fault.to(line);
      if (found === undefined) continue;
      entry.struck++;
      return found;
    }
    return undefined;
  }

  /** Whether lines of a watch have to be parsed at all. */
  concernsLines(): boolean {
    return [...this.#entries].some(({ rule }) => rule.do.is === 'line');
  }

  /** A number from 0 to 1 that depends on the seed and the text only. */
  draw(text: string): number {
    return randomFrom(this.#seed ^ hashOf(text))();
  }

  #strikes({ rule, number, struck }: Entry, request: ProxiedRequest, what: string): boolean {
    if (struck >= (rule.times ?? Infinity) || rule.when?.(request) === false) return false;
    return rule.chance === undefined || this.draw(`${number} ${what}`) < rule.chance;
  }
}

/** FNV-1a. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}
