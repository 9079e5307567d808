/**
 * What the client and the reflectors tell about their work. All of it is optional and none of it may throw or take time: it is
 * called between a request's answer and the code that waits for it.
 */
import type { Side } from '../model/side.ts';

export type Verb = 'list' | 'get' | 'create' | 'patch' | 'replace' | 'delete' | 'post';

/** One request that has come to its end, retries on another connection included. */
export interface RequestReport {
  readonly side: Side;
  readonly verb: Verb;
  /** Plural, with a subresource as `pods/status`. */
  readonly kind: string;
  /** Of the answer; 0 when none came. */
  readonly status: number;
  /** From the moment it was asked for, so with the time it waited for a free place. */
  readonly seconds: number;
}

/**
 * Why a reflector begins anew: the server ended the watch in good order, a version was too old (410), the stream or a line broke
 * or no answer came, nothing came for too long, the server refused, or it showed an older state than before.
 */
export type RestartReason = 'ended' | 'expired' | 'broken' | 'idle' | 'refused' | 'behind';

export interface Telemetry {
  requested?(report: RequestReport): void;
  watchRestarted?(restart: { readonly side: Side; readonly kind: string; readonly reason: RestartReason }): void;
  /** Something came that no object can be made of; it was passed over, and what comes after it is taken in. */
  unreadable?(report: { readonly side: Side; readonly kind: string; readonly why: string }): void;
  /** A list was older than what had been seen already: it was not taken in. `false`: the server has caught up. */
  behind?(report: { readonly side: Side; readonly kind: string; readonly behind: boolean }): void;
}
