/**
 * One kind of one API server, followed from the start of the audit to its end: what is there now, and every life that began or
 * ended. Survives crashes of the server; what may have been missed meanwhile is counted as a gap, never passed over in silence.
 *
 *   list ─► watch ─► watch again where it was ─► (410, refused too often, or the store has gone back) gap, list
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Api } from './api.ts';
import { Refused } from './api.ts';
import type { Plural, Thing, Where } from './words.ts';

/** From the first sight of an object to its end. */
export interface Life {
  readonly uid: string;
  readonly first: Thing;
  last: Thing;
  /** Moments are counted, not timed: the order in which the auditor saw things. */
  readonly bornAt: number;
  endedAt: number | undefined;
}

const retryMs = 100;
const refusalsMax = 5;
let moment = 0;

export class Watcher {
  readonly where: Where;
  readonly plural: Plural;
  readonly lives: Map<string, Life> = new Map();
  readonly #api: Api;
  readonly #changed: () => void;
  #gaps = 0;
  #complete = false;
  #version = '';

  constructor(api: Api, where: Where, plural: Plural, changed: () => void) {
    this.#api = api;
    this.where = where;
    this.plural = plural;
    this.#changed = changed;
  }

  /** How often something may have been missed. */
  get gaps(): number {
    return this.#gaps;
  }

  /** Whether everything has been listed once. */
  get complete(): boolean {
    return this.#complete;
  }

  /** What is there now. */
  get now(): readonly Thing[] {
    return [...this.lives.values()].filter(({ endedAt }) => endedAt === undefined).map(({ last }) => last);
  }

  async run(signal: AbortSignal): Promise<void> {
    let refusals = 0;
    while (!signal.aborted) {
      try {
        if (this.#version === '' || (await this.#hasGoneBack())) await this.#list();
        await this.#watch(signal);
        refusals = 0;
      } catch (error) {
        if (signal.aborted) return;
        refusals += error instanceof Refused ? 1 : 0;
        const expired = error instanceof Refused && error.status === 410;
        if (expired || refusals > refusalsMax) this.#version = '';
        await sleep(retryMs, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  async #list(): Promise<void> {
    const { items, version } = await this.#api.list(`/api/v1/${this.plural}`);
    if (this.#complete) this.#gaps++;
    const uids = new Set(items.map(({ metadata }) => metadata.uid));
    for (const life of this.lives.values()) if (!uids.has(life.uid)) this.#end(life, life.last);
    for (const item of items) this.#see(item);
    this.#version = version;
    this.#complete = true;
    this.#changed();
  }

  /** A watch from a version that a restored or emptied store has not reached yet would be silent for ever. */
  async #hasGoneBack(): Promise<boolean> {
    const { version } = await this.#api.list(`/api/v1/${this.plural}?limit=1`);
    return BigInt(version) < BigInt(this.#version);
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const query = `watch=true&allowWatchBookmarks=true&resourceVersion=${this.#version}&timeoutSeconds=3600`;
    for await (const { type, object } of this.#api.watch(`/api/v1/${this.plural}?${query}`, signal)) {
      if (type === 'ERROR') throw new Refused(this.plural, object.code ?? 500, object.message ?? '');
      this.#version = object.metadata.resourceVersion;
      if (type === 'BOOKMARK') continue;
      if (type === 'DELETED') this.#end(this.#see(object), object);
      else this.#see(object);
      this.#changed();
    }
  }

  #see(thing: Thing): Life {
    const { uid } = thing.metadata;
    const known = this.lives.get(uid);
    if (known !== undefined) {
      known.last = thing;
      return known;
    }
    const life: Life = { uid, first: thing, last: thing, bornAt: moment++, endedAt: undefined };
    this.lives.set(uid, life);
    return life;
  }

  #end(life: Life, last: Thing): void {
    life.last = last;
    life.endedAt ??= moment++;
  }
}
