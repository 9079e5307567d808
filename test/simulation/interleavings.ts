/**
 * The loop while two API servers show what has happened in one chosen order: of each kind in the order in which it came about, of
 * different kinds in any. All of it has happened before the first of it is shown, so everything that is seen on the way is old.
 */
import type { Scope, WatchEvent } from '../../syncer/model/cluster.ts';
import type { Kind } from '../../syncer/model/kind.ts';
import type { Resource } from '../../syncer/model/resource.ts';
import { Bell } from '../support/bell.ts';
import { FakeCluster } from '../support/fake-cluster.ts';
import { ToyLoop } from '../support/toy-loop.ts';

/** An API server in memory whose watches can be stopped, and then show one event after the other as they are told to. */
export class GatedCluster extends FakeCluster {
  #isOpen = true;
  readonly #permits = new Map<string, number>();
  readonly #changed = new Bell();

  override async *watch(
    kind: Kind,
    scope: Scope,
    version: string,
    signal: AbortSignal,
  ): AsyncGenerator<WatchEvent, void> {
    for await (const event of super.watch(kind, scope, version, signal)) {
      await this.#pass(kind.plural, signal);
      yield event;
    }
  }

  hold(): void {
    this.#isOpen = false;
  }

  /** Lets the next event of a kind through. */
  show(plural: string): void {
    this.#permits.set(plural, (this.#permits.get(plural) ?? 0) + 1);
    this.#changed.ring();
  }

  open(): void {
    this.#isOpen = true;
    this.#permits.clear();
    this.#changed.ring();
  }

  async #pass(plural: string, signal: AbortSignal): Promise<void> {
    while (!this.#isOpen && !signal.aborted) {
      const permits = this.#permits.get(plural) ?? 0;
      if (permits > 0) {
        this.#permits.set(plural, permits - 1);
        return;
      }
      await this.#changed.rung(signal);
    }
  }
}

/** A watch, as `host pods`. */
export type Watch = `${'host' | 'virtual'} ${string}`;

export interface Happening {
  readonly resources: readonly Resource[];
  /** What is there and converged before. */
  readonly before: (clusters: Gated) => void;
  /** What happens while nothing of it is shown. */
  readonly happens: (clusters: Gated) => void;
}

export interface Gated {
  readonly host: GatedCluster;
  readonly virtual: GatedCluster;
}

/** Plays one order; the clusters as they are when all has been shown and `ends` holds. */
export async function played(
  { resources, before, happens }: Happening,
  order: readonly Watch[],
  ends: (clusters: Gated) => Promise<void>,
): Promise<Gated> {
  const clusters: Gated = { host: new GatedCluster('host'), virtual: new GatedCluster('virtual') };
  const loop = new ToyLoop(clusters);
  before(clusters);
  await loop.start(resources);
  for (const cluster of Object.values(clusters)) cluster.hold();
  happens(clusters);
  for (const watch of order) {
    const [side, plural] = watch.split(' ') as ['host' | 'virtual', string];
    clusters[side].show(plural);
    await loop.atRest();
  }
  for (const cluster of Object.values(clusters)) cluster.open();
  await ends(clusters);
  await loop.atRest();
  await loop.end();
  return clusters;
}

/** Every order of some watches' events; `counts` says how many each of them shows. */
export function ordersOf(counts: Readonly<Record<Watch, number>>): readonly (readonly Watch[])[] {
  const left = Object.entries(counts).filter(([, count]) => count > 0) as readonly [Watch, number][];
  if (left.length === 0) return [[]];
  return left.flatMap(([watch, count]) => ordersOf({ ...counts, [watch]: count - 1 }).map((rest) => [watch, ...rest]));
}
