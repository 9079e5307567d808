/**
 * Time that passes only when nothing is left to do now. Everything that waits in a simulation waits here, so one seed always gives
 * one course of events. Between two callbacks all promises are let run dry.
 */
interface Alarm {
  readonly atMs: number;
  readonly ring: () => void;
  cancelled: boolean;
}

/** Some day; only differences matter. */
const startMs = Date.parse('2030-01-01T00:00:00Z');

export class Clock {
  /** Ordered by time, equal times by age. */
  readonly #alarms: Alarm[] = [];
  #nowMs = startMs;
  #rung = 0;

  get nowMs(): number {
    return this.#nowMs;
  }

  get elapsedMs(): number {
    return this.#nowMs - startMs;
  }

  get text(): string {
    return new Date(this.#nowMs).toISOString().replace(/\.\d+Z$/, 'Z');
  }

  /** Calls back after so many milliseconds; returns what cancels it. */
  after(ms: number, ring: () => void): () => void {
    const alarm: Alarm = { atMs: this.#nowMs + ms, ring, cancelled: false };
    let at = this.#alarms.length;
    while (at > 0 && (this.#alarms[at - 1]?.atMs ?? 0) > alarm.atMs) at--;
    this.#alarms.splice(at, 0, alarm);
    return () => {
      alarm.cancelled = true;
    };
  }

  /**
   * Lets time pass until nothing happens for `calmMs`.
   * @throws when that needs more than `stepsMax` callbacks: something goes round in circles
   */
  async settle(calmMs: number, stepsMax: number): Promise<void> {
    const endStep = this.#rung + stepsMax;
    await drain();
    for (;;) {
      while (this.#alarms[0]?.cancelled === true) this.#alarms.shift();
      const [next] = this.#alarms;
      if (next === undefined || next.atMs > this.#nowMs + calmMs) return;
      if (this.#rung++ > endStep) throw new Error(`It does not come to rest: still busy after ${stepsMax} steps.`);
      this.#alarms.shift();
      this.#nowMs = next.atMs;
      next.ring();
      await drain();
    }
  }
}

async function drain(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
