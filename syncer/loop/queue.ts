/**
 * Keys waiting to be looked at. A key is in the queue once however often it is added, is never worked on by two at a time, and
 * comes back when it was added meanwhile (spec CORE-01, CORE-02). Keys of a first pass wait behind those of real changes.
 *
 *   add ─► waiting ─take─► active ─settle─► (gone) or waiting again, now or after a delay
 */
import type { Outcome } from './outcome.ts';

export interface QueueOptions {
  readonly now?: () => number;
  /** Calls back after so many milliseconds; returns what cancels it. */
  readonly schedule?: (callback: () => void, ms: number) => () => void;
  readonly random?: () => number;
}

const firstRetryMs = 5;
/** Far below the 1000 s of spec CORE-06: a tenant should not wait a quarter of an hour for a quota that was raised. */
const retryMaxMs = 60_000;

interface Delay {
  readonly dueMs: number;
  readonly cancel: () => void;
}

export class Queue {
  readonly #urgent = new Set<string>();
  readonly #patient = new Set<string>();
  readonly #active = new Set<string>();
  readonly #again = new Set<string>();
  readonly #delayed = new Map<string, Delay>();
  readonly #failures = new Map<string, number>();
  readonly #takers: (() => void)[] = [];
  readonly #now: () => number;
  readonly #schedule: (callback: () => void, ms: number) => () => void;
  readonly #random: () => number;

  constructor({ now = Date.now, schedule = scheduleTimer, random = Math.random }: QueueOptions = {}) {
    this.#now = now;
    this.#schedule = schedule;
    this.#random = random;
  }

  /** Keys waiting, delayed ones not counted. */
  get length(): number {
    return this.#urgent.size + this.#patient.size;
  }

  get idle(): boolean {
    return this.length === 0 && this.#active.size === 0;
  }

  add(key: string): void {
    if (this.#active.has(key)) {
      this.#again.add(key);
      return;
    }
    this.#patient.delete(key);
    this.#urgent.add(key);
    this.#wake();
  }

  /** Adds a key that nothing is known to have happened to: first pass, resync. */
  addPatiently(key: string): void {
    if (this.#active.has(key) || this.#urgent.has(key)) return;
    this.#patient.add(key);
    this.#wake();
  }

  /** Adds a key later; the earliest wish wins. */
  addAfter(key: string, ms: number): void {
    const dueMs = this.#now() + ms;
    const delay = this.#delayed.get(key);
    if (delay !== undefined && delay.dueMs <= dueMs) return;
    delay?.cancel();
    const cancel = this.#schedule(() => {
      this.#delayed.delete(key);
      this.add(key);
    }, ms);
    this.#delayed.set(key, { dueMs, cancel });
  }

  /** Yields keys to one worker; each must be settled before the worker asks for the next. Ends when the signal is aborted. */
  async *take(signal: AbortSignal): AsyncGenerator<string> {
    signal.addEventListener('abort', () => this.#wakeAll(), { once: true });
    while (!signal.aborted) {
      const key = this.#next();
      if (key === undefined) await new Promise<void>((resolve) => this.#takers.push(resolve));
      else yield key;
    }
  }

  settle(key: string, outcome: Outcome): void {
    this.#active.delete(key);
    // What an earlier look wanted later is overtaken by this one; timers of what is gone must not pile up.
    this.#delayed.get(key)?.cancel();
    this.#delayed.delete(key);
    if (outcome.is === 'settled') this.#failures.delete(key);
    if (outcome.is === 'again') this.addAfter(key, outcome.afterMs);
    if (outcome.is === 'failed') this.addAfter(key, this.#retryMs(key, outcome.retryAfterMs));
    // A change that came meanwhile is a new chance, but a failing key keeps its delay: no hot loop (spec F43).
    if (this.#again.delete(key) && outcome.is !== 'failed') this.add(key);
  }

  /** Forgets all timers. */
  close(): void {
    for (const { cancel } of this.#delayed.values()) cancel();
    this.#delayed.clear();
  }

  failuresOf(key: string): number {
    return this.#failures.get(key) ?? 0;
  }

  #next(): string | undefined {
    const from = this.#urgent.size > 0 ? this.#urgent : this.#patient;
    const [key] = from;
    if (key === undefined) return undefined;
    from.delete(key);
    this.#active.add(key);
    return key;
  }

  #retryMs(key: string, retryAfterMs = 0): number {
    const failures = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, failures);
    const grown = Math.min(firstRetryMs * 2 ** Math.min(failures - 1, 20), retryMaxMs);
    return Math.max(retryAfterMs, grown * (0.5 + this.#random() / 2));
  }

  #wake(): void {
    this.#takers.shift()?.();
  }

  #wakeAll(): void {
    for (const wake of this.#takers.splice(0)) wake();
  }
}

function scheduleTimer(callback: () => void, ms: number): () => void {
  const timer = setTimeout(callback, Math.min(ms, 2 ** 31 - 1));
  return () => clearTimeout(timer);
}
