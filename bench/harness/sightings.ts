/** What the observer tells: moments of pods on one side, by the pods' IDs, in milliseconds of the one clock. */
import type { Side } from '../../syncer/model/side.ts';

/** One news: what was seen of which pod, when. */
export interface Sighting {
  readonly side: Side;
  readonly id: string;
  readonly is: Moment;
  readonly atMs: number;
  /** Of `restarts`: how many. */
  readonly value?: number;
  /** Of `seen`: the object's name on that side. */
  readonly name?: string;
}

/** `ready` is Running and Ready; `restarts` is a new restart count, which is what the status storm flips. */
export type Moment = 'seen' | 'ready' | 'gone' | 'restarts';

export interface Sight {
  readonly name?: string | undefined;
  readonly seenMs?: number;
  readonly readyMs?: number;
  readonly goneMs?: number;
  readonly restarts?: number | undefined;
  readonly restartsMs?: number;
}

type Detail = Pick<Sighting, 'atMs'> & { readonly name: string | undefined; readonly value: number | undefined };

const news: Readonly<Record<Moment, (before: Sight, detail: Detail) => Sight>> = {
  seen: ({ seenMs, name: known }, { atMs, name }) => ({ seenMs: seenMs ?? atMs, name: known ?? name }),
  ready: ({ readyMs }, { atMs }) => ({ readyMs: readyMs ?? atMs }),
  gone: ({ goneMs }, { atMs }) => ({ goneMs: goneMs ?? atMs }),
  restarts: (_, { atMs, value }) => ({ restarts: value, restartsMs: atMs }),
};

/** Collects sightings; the first of each moment counts, of restarts the last. */
export class Sightings {
  readonly #sights: Readonly<Record<Side, Map<string, Sight>>> = { host: new Map(), virtual: new Map() };

  take({ side, id, is, atMs, name, value }: Sighting): void {
    const before = this.#sights[side].get(id) ?? {};
    this.#sights[side].set(id, { ...before, ...news[is](before, { atMs, name, value }) });
  }

  at(side: Side, id: string): Sight {
    return this.#sights[side].get(id) ?? {};
  }
}
