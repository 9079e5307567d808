/**
 * Who may send a request next to one API server, and how many are under way at once.
 *
 * - Small requests that somebody waits for (status, bindings, leases) go before the rest, and some places are theirs alone; the
 *   rest gets every eighth place all the same.
 * - Among the rest the kind with the fewest under way is next, and no kind gets every place: one whose requests hang, on a webhook
 *   for instance, slows no other (faults F48).
 * - An answer 429 halves what is under way; it grows again with every success. Leases and status keep their places (faults F29).
 */
export type Lane = 'urgent' | 'normal';

export interface Place {
  readonly lane: Lane;
  readonly kind: string;
}

type Start = () => void;

const urgentInARowMax = 7;
const leastAtOnce = 4;
/** However many answers say so: what was under way together is one crowd. */
const shrinkEveryMs = 1_000;
const growth = 0.1;

export class Limit {
  readonly #most: number;
  readonly #reserved: number;
  readonly #urgent: Start[] = [];
  readonly #normal = new Map<string, Start[]>();
  readonly #byKind = new Map<string, number>();
  readonly #now: () => number;
  /** Places that the server is thought to bear at the moment. */
  #max: number;
  #shrunkAtMs = -Infinity;
  #normalRunning = 0;
  #running = 0;
  #urgentInARow = 0;

  constructor(max: number, now: () => number = () => performance.now()) {
    this.#most = max;
    this.#max = max;
    this.#reserved = Math.floor(max / 8);
    this.#now = now;
  }

  /** Requests under way. */
  get running(): number {
    return this.#running;
  }

  async run<T>(task: () => Promise<T>, place: Place): Promise<T> {
    if (this.#mayStart(place) && !this.#isOvertaking(place)) this.#count(place, 1);
    else await this.#turn(place);
    try {
      return await task();
    } finally {
      this.#count(place, -1);
      this.#startNext();
    }
  }

  /** The server has said that it is too much. */
  tooMany(): void {
    if (this.#now() - this.#shrunkAtMs < shrinkEveryMs) return;
    this.#shrunkAtMs = this.#now();
    this.#max = Math.max(leastAtOnce, Math.floor(Math.min(this.#max, this.#normalRunning) / 2));
  }

  succeeded(): void {
    if (this.#max < this.#most) this.#max = Math.min(this.#most, this.#max + growth);
  }

  #mayStart({ lane, kind }: Place): boolean {
    if (this.#running >= this.#most) return false;
    if (lane === 'urgent') return true;
    const places = Math.min(this.#max, this.#most - this.#reserved);
    return this.#normalRunning < places && (this.#byKind.get(kind) ?? 0) < Math.max(1, places - this.#reserved);
  }

  /** Whether others of its kind wait already. */
  #isOvertaking({ lane, kind }: Place): boolean {
    return lane === 'normal' && this.#normal.has(kind);
  }

  #turn(place: Place): Promise<void> {
    return new Promise((resolve) => {
      // Counted on its behalf, so that nobody slips in before it goes on.
      const start = (): void => {
        this.#count(place, 1);
        resolve();
      };
      const waiting = this.#normal.get(place.kind);
      if (place.lane === 'urgent') this.#urgent.push(start);
      else if (waiting === undefined) this.#normal.set(place.kind, [start]);
      else waiting.push(start);
    });
  }

  #count({ lane, kind }: Place, by: 1 | -1): void {
    this.#running += by;
    if (lane === 'urgent') return;
    this.#normalRunning += by;
    this.#byKind.set(kind, (this.#byKind.get(kind) ?? 0) + by);
  }

  #startNext(): void {
    while (this.#running < this.#most) {
      const kind = this.#nextKind();
      const isNormalsTurn = kind !== undefined && (this.#urgent.length === 0 || this.#urgentInARow >= urgentInARowMax);
      const start = isNormalsTurn ? this.#takeNormal(kind) : this.#urgent.shift();
      if (start === undefined) return;
      this.#urgentInARow = isNormalsTurn ? 0 : this.#urgentInARow + 1;
      start();
    }
  }

  /** The kind that may start one and has the fewest under way. */
  #nextKind(): string | undefined {
    let best: string | undefined;
    let fewest = Infinity;
    for (const kind of this.#normal.keys()) {
      const running = this.#byKind.get(kind) ?? 0;
      if (running >= fewest || !this.#mayStart({ lane: 'normal', kind })) continue;
      best = kind;
      fewest = running;
    }
    return best;
  }

  #takeNormal(kind: string): Start | undefined {
    const waiting = this.#normal.get(kind);
    const start = waiting?.shift();
    if (waiting?.length === 0) this.#normal.delete(kind);
    return start;
  }
}
