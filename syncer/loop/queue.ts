/**
 * Keys waiting to be looked at. A key is in the queue once however often it is added, is never worked on by two at a time, and
 * comes back when it was added meanwhile (spec CORE-01, CORE-02). It waits in a lane, so that what running pods report never
 * waits behind a burst of new ones, and what nothing is known to have happened to waits behind both.
 *
 *   add ─► waiting ─take─► active ─settle─► (gone) or waiting again, now or after a delay
 */
import type { Outcome } from './outcome.ts';

/** `report`: the host has news · `wish`: the tenant has · `patient`: a first pass or an audit. */
export type Lane = 'report' | 'wish' | 'patient';

export const lanes: readonly Lane[] = ['report', 'wish', 'patient'];

export interface QueueOptions {
  /** Milliseconds of a clock that never goes back; where it begins does not matter. */
  readonly now?: () => number;
  /** Calls back after so many milliseconds; returns what cancels it. */
  readonly schedule?: (callback: () => void, ms: number) => () => void;
  readonly random?: () => number;
}

/** A key in work: which lane it came from, since when it had waited there, when it was taken. */
interface Taken {
  readonly lane: Lane;
  readonly sinceMs: number;
  readonly takenMs: number;
}

const firstRetryMs = 5;
/** Far below the 1000 s of spec CORE-06: a tenant should not wait a quarter of an hour for a quota that was raised. */
const retryMaxDefaultMs = 60_000;
/** Of so many keys that are taken while both lanes have some, one is a wish: neither lane can starve the other. */
const reportsPerWish = 3;

interface Delay {
  readonly dueMs: number;
  readonly cancel: () => void;
}

export class Queue {
  /** Since when each key waits; a Map keeps the order in which they came. */
  readonly #waiting: Readonly<Record<Lane, Map<string, number>>> = {
    report: new Map(),
    wish: new Map(),
    patient: new Map(),
  };
  readonly #active = new Map<string, Taken>();
  readonly #again = new Map<string, Lane>();
  readonly #delayed = new Map<string, Delay>();
  readonly #failures = new Map<string, number>();
  readonly #takers: (() => void)[] = [];
  readonly #now: () => number;
  readonly #schedule: (callback: () => void, ms: number) => () => void;
  readonly #random: () => number;
  #reportsInARow = 0;

  constructor({ now = () => performance.now(), schedule = scheduleTimer, random = Math.random }: QueueOptions = {}) {
    this.#now = now;
    this.#schedule = schedule;
    this.#random = random;
  }

  /** Keys waiting, delayed ones not counted. */
  get length(): number {
    return lanes.reduce((sum, lane) => sum + this.#waiting[lane].size, 0);
  }

  get idle(): boolean {
    return this.length === 0 && this.#active.size === 0;
  }

  /** Keys waiting in one lane, delayed ones not counted. */
  lengthOf(lane: Lane): number {
    return this.#waiting[lane].size;
  }

  /** Keys that wait for their next try after a failure or for a time. */
  get delayed(): number {
    return this.#delayed.size;
  }

  /** Keys whose last look failed. */
  get failing(): number {
    return this.#failures.size;
  }

  /** Keys that a worker has taken and not settled yet. */
  get inWork(): number {
    return this.#active.size;
  }

  /** How long the key that came first in a lane has been waiting; 0 when none is. */
  oldestMs(lane: Lane): number {
    const [since] = this.#waiting[lane].values();
    return since === undefined ? 0 : this.#now() - since;
  }

  /** How many keys have been worked on for longer than this. */
  slowerThan(ms: number): number {
    const takenBefore = this.#now() - ms;
    let slow = 0;
    for (const { takenMs } of this.#active.values()) if (takenMs < takenBefore) slow++;
    return slow;
  }

  /** Adds a key that something has happened to. */
  add(key: string, lane: Exclude<Lane, 'patient'> = 'wish'): void {
    if (this.#active.has(key)) {
      this.#again.set(key, lane);
      return;
    }
    const { report, wish, patient } = this.#waiting;
    if (report.has(key) || wish.has(key)) return;
    patient.delete(key);
    this.#waiting[lane].set(key, this.#now());
    this.#wake();
  }

  /** Adds a key that nothing is known to have happened to: first pass, audit. */
  addPatiently(key: string): void {
    const { report, wish, patient } = this.#waiting;
    if (this.#active.has(key) || report.has(key) || wish.has(key) || patient.has(key)) return;
    patient.set(key, this.#now());
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

  /** The lane that a key in work was taken from. */
  laneOf(key: string): Lane | undefined {
    return this.#active.get(key)?.lane;
  }

  /** How long ago a key in work was added. */
  ageMs(key: string): number {
    const taken = this.#active.get(key);
    return taken === undefined ? 0 : this.#now() - taken.sinceMs;
  }

  settle(key: string, outcome: Outcome): void {
    this.#active.delete(key);
    // What an earlier look wanted later is overtaken by this one; timers of what is gone must not pile up.
    this.#delayed.get(key)?.cancel();
    this.#delayed.delete(key);
    if (outcome.is === 'settled') this.#failures.delete(key);
    if (outcome.is === 'again') this.addAfter(key, outcome.afterMs);
    if (outcome.is === 'failed') this.addAfter(key, this.#retryMs(key, outcome));
    const lane = this.#again.get(key);
    this.#again.delete(key);
    // A change that came meanwhile is a new chance, but a failing key keeps its delay: no hot loop (spec F43).
    if (lane !== undefined && outcome.is !== 'failed') this.add(key, lane === 'report' ? lane : 'wish');
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
    const lane = this.#laneToServe();
    const [first] = this.#waiting[lane];
    if (first === undefined) return undefined;
    const [key, sinceMs] = first;
    this.#waiting[lane].delete(key);
    this.#active.set(key, { lane, sinceMs, takenMs: this.#now() });
    return key;
  }

  #laneToServe(): Lane {
    const { report, wish } = this.#waiting;
    const isWishesTurn = wish.size > 0 && (report.size === 0 || this.#reportsInARow >= reportsPerWish);
    this.#reportsInARow = isWishesTurn ? 0 : this.#reportsInARow + 1;
    if (isWishesTurn) return 'wish';
    return report.size > 0 ? 'report' : 'patient';
  }

  #retryMs(
    key: string,
    { retryAfterMs = 0, retryMaxMs = retryMaxDefaultMs }: Extract<Outcome, { is: 'failed' }>,
  ): number {
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
