/** What one run happens under: its clock, its luck, its faults, and what was seen of it. */
import type { Clock } from './clock.ts';

/** Faults stop then; everything must come right afterwards. */
export const faultsUntilMs = 30_000;
const traceLengthMax = 2_000;

export class Circumstances {
  readonly clock: Clock;
  readonly random: () => number;
  readonly faulty: boolean;
  readonly violations: string[] = [];
  /** The last things that happened. */
  readonly traced: string[] = [];
  /** Requests of the syncer that were to change something. */
  writes = 0;

  constructor(clock: Clock, random: () => number, faulty: boolean) {
    this.clock = clock;
    this.random = random;
    this.faulty = faulty;
  }

  /** Whether a fault of this probability happens now. */
  chance(probability: number): boolean {
    return this.faulty && this.clock.elapsedMs < faultsUntilMs && this.random() < probability;
  }

  latencyMs(): number {
    return 1 + this.random() * (this.chance(0.1) ? 2_000 : 10);
  }

  /** How much a watch lags behind, chosen once for each. */
  slownessMs(): number {
    if (!this.faulty) return 150; // Slower than answers, as in life.
    return [5, 100, 1_500][Math.floor(this.random() * 3)] ?? 5;
  }

  delayMs(slowMs: number): number {
    return this.random() * (this.clock.elapsedMs < faultsUntilMs ? slowMs : 10);
  }

  trace(what: string): void {
    this.traced.push(`${Math.round(this.clock.elapsedMs)} ms ${what}`);
    if (this.traced.length > traceLengthMax) this.traced.shift();
  }

  violated(what: string): void {
    this.trace(`VIOLATED ${what}`);
    this.violations.push(what);
  }
}
