/**
 * One audit: wait, event by event, until the present state is right; then until the syncer has written nothing for a while; then judge
 * the past. The bound is for all of it.
 */
import { problemsOfDeletions } from './deletions.ts';
import type { Trail } from './deletions.ts';
import { essenceOf } from './essence.ts';
import { counts, problemsEver } from './history.ts';
import type { Ledger } from './ledger.ts';
import type { Problem } from './problem.ts';
import { problemsNow } from './state.ts';
import { answers, vitalsOf } from './vitals.ts';
import type { Vitals } from './vitals.ts';
import { copied } from './words.ts';
import type { Where } from './words.ts';
import type { World } from './world.ts';

export interface Question {
  /** Within which both sides must agree and be at rest. */
  readonly withinMs: number;
  /** How long nothing may be written for that to count as rest. */
  readonly quietMs: number;
  /** The syncer's process, when it is to be judged, too. */
  readonly pid?: number | undefined;
  readonly healthUrl?: string | undefined;
  /** What this situation cannot rule out: told as found, and does not count as wrong. */
  readonly excuses?: readonly Problem['invariant'][] | undefined;
  /** A virtual namespace whose essence is wanted, for comparison with another run. */
  readonly essenceOf?: string | undefined;
}

export interface Report {
  readonly ok: boolean;
  readonly problems: readonly Problem[];
  /** Until both sides agreed; undefined when they never did. */
  readonly agreedAfterMs: number | undefined;
  readonly writesOfSyncer: number | undefined;
  readonly counts: ReturnType<typeof counts>;
  /** How often a watch of the auditor itself may have missed something. */
  readonly gaps: number;
  readonly vitals: Vitals | undefined;
  readonly essence: readonly string[] | undefined;
}

/** No event says that nothing more will happen; this is how often the log of writes is looked at. */
const lookMs = 100;
/** Many events come together; they are judged together. */
const togetherMs = 20;

export class Auditor {
  readonly #world: World;
  readonly #ledgers: readonly Ledger[];
  readonly #syncer: Readonly<Record<Where, string>>;
  /** Problems of the past are told once. */
  readonly #told = new Set<string>();

  constructor(world: World, ledgers: readonly Ledger[], syncer: Readonly<Record<Where, string>>) {
    this.#world = world;
    this.#ledgers = ledgers;
    this.#syncer = syncer;
  }

  async audit(question: Question): Promise<Report> {
    const startedMs = performance.now();
    const deadlineMs = startedMs + question.withinMs;
    let agreedAfterMs: number | undefined;
    let unrest: readonly Problem[];
    do {
      const wrong = await this.#agree(deadlineMs);
      if (wrong.length > 0) {
        unrest = wrong;
        break;
      }
      agreedAfterMs ??= Math.round(performance.now() - startedMs);
      unrest = await this.#rest(question.quietMs);
    } while (unrest.length > 0 && performance.now() < deadlineMs);
    const problems = [...unrest, ...(await this.#past()), ...(await health(question))];
    return {
      ok: problems.every(({ invariant }) => question.excuses?.includes(invariant) === true),
      problems,
      agreedAfterMs,
      writesOfSyncer: this.#writes(),
      counts: counts(this.#world),
      gaps: this.#world.gaps,
      vitals: question.pid === undefined ? undefined : await vitalsOf(question.pid),
      essence: question.essenceOf === undefined ? undefined : essenceOf(this.#world, question.essenceOf),
    };
  }

  /** Waits until nothing is wrong; what still is at the deadline. */
  async #agree(deadlineMs: number): Promise<readonly Problem[]> {
    for (;;) {
      const wrong: readonly Problem[] = this.#world.complete
        ? problemsNow(this.#world)
        : [{ invariant: 'I1', about: 'both sides', says: 'could not be listed' }];
      const leftMs = deadlineMs - performance.now();
      if (wrong.length === 0 || leftMs <= 0) return wrong;
      await this.#world.change(leftMs);
      await new Promise((resolve) => setTimeout(resolve, togetherMs));
    }
  }

  /** Waits for a quiet while; what was written in it, or came apart again, if anything did (I2). */
  async #rest(quietMs: number): Promise<readonly Problem[]> {
    await this.#read();
    const [before, versions] = [this.#writes(), this.#versions()];
    const untilMs = performance.now() + quietMs;
    for (let leftMs = quietMs; leftMs > 0; leftMs = untilMs - performance.now()) {
      await new Promise((resolve) => setTimeout(resolve, Math.min(lookMs, leftMs)));
      await this.#read();
      const more = before === undefined ? 0 : (this.#writes() ?? 0) - before;
      if (more > 0)
        return [{ invariant: 'I2', about: 'the syncer', says: `wrote ${more} times: ${this.#lastWrites(more)}` }];
      if (before === undefined && this.#versions() !== versions)
        return [{ invariant: 'I2', about: 'both sides', says: 'objects kept changing' }];
    }
    return problemsNow(this.#world);
  }

  async #past(): Promise<readonly Problem[]> {
    await this.#read();
    const found = [...problemsEver(this.#world), ...problemsOfDeletions(this.#world, this.#trail)];
    const fresh = found.filter((problem) => !this.#told.has(JSON.stringify(problem)));
    for (const problem of fresh) this.#told.add(JSON.stringify(problem));
    return fresh;
  }

  async #read(): Promise<void> {
    await Promise.all(this.#ledgers.map((ledger) => ledger.read()));
  }

  get #trail(): Trail {
    return { entries: this.#ledgers.flatMap(({ entries }) => entries), syncer: this.#syncer };
  }

  #writes(): number | undefined {
    return this.#ledgers.length === 0 ? undefined : this.#own().length;
  }

  #own(): Trail['entries'] {
    return this.#trail.entries.filter(({ where, user }) => user === this.#syncer[where]);
  }

  #lastWrites(count: number): string {
    const last = this.#own().slice(-Math.min(count, 5));
    return last
      .map(({ where, verb, plural, subresource, name, status }) =>
        [where, verb, [plural, subresource].filter(Boolean).join('/'), name, status].join(' '),
      )
      .join('; ');
  }

  #versions(): string {
    const of = (where: Where): readonly string[] =>
      copied.flatMap((plural) => this.#world.now(where, plural).map(({ metadata }) => metadata.resourceVersion));
    return [...of('host'), ...of('virtual')].join();
  }
}

async function health({ pid, healthUrl }: Question): Promise<readonly Problem[]> {
  if (pid !== undefined && (await vitalsOf(pid)) === undefined)
    return [{ invariant: 'I9', about: `process ${pid}`, says: 'has ended' }];
  if (healthUrl === undefined || (await answers(healthUrl))) return [];
  return [{ invariant: 'I9', about: healthUrl, says: 'does not answer: the process hangs' }];
}
