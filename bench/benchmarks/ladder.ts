/**
 * B13 ladder: how many pods a contender keeps up with on this machine. The number doubles while it does, with 1 % of the pods
 * replaced each second, and is then searched between the last that went well and the first that did not.
 */
import { clockMs } from '../harness/clock.ts';
import { makePod, paced, removePod } from '../harness/load.ts';
import type { Made } from '../harness/load.ts';
import { burst, direct, makeNamespaces, removeAll } from '../harness/scenes.ts';
import type { Turn } from '../harness/stage.ts';
import { percentile } from '../harness/statistics.ts';
import { defineBenchmark } from './benchmark.ts';
import type { Benchmark, Size } from './benchmark.ts';

const calibrationPods = 200;
const churnShare = 0.01;
const limits = { p99Ms: 5_000, refusalsPerSecond: 0.1, convergedShare: 0.98, precision: 1.15 } as const;
const buildMaxMs = 600_000;

interface LadderSize extends Size {
  /** `pods` is the first rung; nothing above this one is tried. */
  readonly most: number;
  readonly seconds: number;
}

export const b13: Benchmark = defineBenchmark<LadderSize>({
  id: 'B13',
  title: 'ladder',
  how: ({ pods, most, seconds }) =>
    `From ${pods} pods on, doubling up to ${most}: ${seconds} s with 1 % of them replaced each second. A rung holds while p99 create → Ready ≤ 5 s, ≤ 0.1 refusals (429, 5xx) a second, no restart and ≥ 98 % of all pods Ready; then bisected to 15 %.`,
  sizes: { short: { pods: 125, most: 500, seconds: 8 }, full: { pods: 250, most: 16_000, seconds: 60 } },
  figures: [
    { key: 'stable', what: 'most pods on a rung that held', unit: 'pods', aim: 'growing' },
    { key: 'p99', what: 'p99 create → Ready there', unit: 'ms' },
    { key: 'failed', what: 'fewest pods on a rung that did not hold', unit: 'pods' },
  ],
  measure: async (turn, size) => {
    const calibration = (await direct(turn, calibrationPods)).seconds;
    const ladder = new Ladder(turn, await makeNamespaces(turn, 10), size);
    const { stable, failed, p99Ms, why } = await ladder.climb();
    const figures = { stable, failed: failed ?? Number.NaN, p99: p99Ms };
    return { calibration, figures, note: why };
  },
});

interface Rung {
  readonly holds: boolean;
  readonly p99Ms: number;
  readonly why: string;
}

interface Climbed {
  readonly stable: number;
  readonly failed: number | undefined;
  readonly p99Ms: number;
  readonly why: string;
}

class Ladder {
  readonly #turn: Turn;
  readonly #namespaces: readonly string[];
  readonly #size: LadderSize;
  #living: Made[] = [];
  #made = 0;

  constructor(turn: Turn, namespaces: readonly string[], size: LadderSize) {
    this.#turn = turn;
    this.#namespaces = namespaces;
    this.#size = size;
  }

  async climb(): Promise<Climbed> {
    let best: Climbed = { stable: 0, failed: undefined, p99Ms: Number.NaN, why: '' };
    for (let count = this.#size.pods; count <= this.#size.most; count = this.#next(best, count)) {
      const rung = await this.#try(count);
      const why = `${best.why}${best.why === '' ? '' : '; '}${count} pods: ${rung.why}`;
      best = rung.holds ? { ...best, stable: count, p99Ms: rung.p99Ms, why } : { ...best, failed: count, why };
      if (best.failed !== undefined && best.failed / Math.max(1, best.stable) <= limits.precision) break;
      if (best.stable === 0 && best.failed !== undefined) break;
    }
    return best;
  }

  #next({ stable, failed }: Climbed, count: number): number {
    return failed === undefined ? count * 2 : Math.round((stable + failed) / 2);
  }

  async #try(count: number): Promise<Rung> {
    const { seconds } = this.#size;
    try {
      await this.#scale(count);
    } catch (error) {
      return { holds: false, p99Ms: Number.NaN, why: error instanceof Error ? error.message : String(error) };
    }
    const marks = await this.#marks();
    const fresh = await this.#churn(Math.max(1, Math.round(count * churnShare * seconds)));
    const endMs = clockMs();
    await this.#turn.observer
      .untilReady(
        'virtual',
        fresh.map(({ id }) => id),
        limits.p99Ms,
      )
      .catch(() => undefined);
    const { sightings } = this.#turn.observer;
    const readyMs = fresh.map(
      ({ id, answeredMs }) => (sightings.at('virtual', id).readyMs ?? Number.POSITIVE_INFINITY) - answeredMs,
    );
    const ready = this.#living.filter(
      ({ id }) => (sightings.at('virtual', id).readyMs ?? Number.POSITIVE_INFINITY) <= endMs + limits.p99Ms,
    );
    const p99Ms = percentile(readyMs, 0.99);
    const refusals = (await this.#refusalsSince(marks)) / seconds;
    const converged = ready.length / this.#living.length;
    // Asked for last: it throws when the contender is gone.
    const holds =
      p99Ms <= limits.p99Ms &&
      refusals <= limits.refusalsPerSecond &&
      converged >= limits.convergedShare &&
      this.#turn.subject.group > 0;
    const why = `p99 ${Math.round(p99Ms)} ms, ${refusals.toFixed(2)} refusals/s, ${(converged * 100).toFixed(1)} % Ready`;
    return { holds, p99Ms, why };
  }

  async #scale(count: number): Promise<void> {
    const missing = count - this.#living.length;
    if (missing < 0) return removeAll(this.#turn, 'virtual', this.#living.splice(0, -missing));
    const tag = `rung-${++this.#made}`;
    const { made } = await burst(this.#turn, 'virtual', {
      count: missing,
      tag,
      namespaces: this.#namespaces,
      limitMs: buildMaxMs,
    });
    this.#living.push(...made);
  }

  /** Evenly over the seconds of a rung. */
  #churn(count: number): Promise<readonly Made[]> {
    const { virtual, prefix } = this.#turn;
    const round = ++this.#made;
    const steps = Array.from({ length: count }, (_, index) => index);
    return paced(steps, (this.#size.seconds * 1000) / count, async (index) => {
      const oldest = this.#living.shift();
      if (oldest !== undefined) await removePod(virtual, oldest);
      const namespace = this.#namespaces[index % this.#namespaces.length] ?? '';
      const pod = await makePod(virtual, `${prefix}-ladder-${round}-${index}`, { namespace, token: true });
      this.#living.push(pod);
      return pod;
    });
  }

  async #marks(): Promise<readonly [number, number]> {
    const { host, virtual } = this.#turn.audits;
    return [await host.mark(), await virtual.mark()];
  }

  async #refusalsSince([host, virtual]: readonly [number, number]): Promise<number> {
    const { audits, user } = this.#turn;
    const calls = [...(await audits.host.since(host, user)), ...(await audits.virtual.since(virtual, user))];
    return calls.filter(({ code }) => code === 429 || code >= 500).length;
  }
}
