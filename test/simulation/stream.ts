/** One watch: everything of one kind since a version, in order, late, sometimes twice, until it breaks. */
import type { WatchEvent } from '../../syncer/model/cluster.ts';
import { ConnectionError } from '../../syncer/model/errors.ts';
import type { Kind } from '../../syncer/model/kind.ts';
import { refusal } from './api-server.ts';
import type { ApiServer, Entry } from './api-server.ts';
import type { Circumstances } from './circumstances.ts';

export interface Watched {
  readonly kind: Kind;
  readonly namespace: string;
  readonly from: number;
}

export class Stream {
  readonly #around: Circumstances;
  readonly #watched: Watched;
  readonly #slowMs: number;
  readonly #ready: WatchEvent[] = [];
  #broken: Error | undefined;
  #wake: () => void = () => {};
  #dueMs = 0;

  constructor(server: ApiServer, around: Circumstances, watched: Watched) {
    this.#around = around;
    this.#watched = watched;
    this.#slowMs = around.slownessMs();
    const listener = (entry: Entry): void => this.#take(entry);
    for (const entry of server.history) if (entry.version > watched.from) this.#take(entry);
    server.listeners.add(listener);
    if (!around.chance(0.5)) return;
    around.clock.after(around.random() * 8_000, () => {
      server.listeners.delete(listener);
      this.#broken = around.random() < 0.4 ? refusal(410, 'too old') : new ConnectionError('watch broke');
      around.trace(`${server.side} watch ${watched.kind.plural}: ${this.#broken.message}`);
      this.#wake();
    });
  }

  /** @throws when the watch breaks; what had not arrived by then never does */
  async next(): Promise<WatchEvent> {
    for (;;) {
      if (this.#broken !== undefined) throw this.#broken;
      const event = this.#ready.shift();
      if (event !== undefined) return event;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #take({ plural, type, object }: Entry): void {
    const { kind, namespace } = this.#watched;
    const inside = namespace === '' || (object.metadata.namespace ?? namespace) === namespace;
    if (plural !== kind.plural || !inside) return;
    const { clock } = this.#around;
    this.#dueMs = Math.max(this.#dueMs, clock.nowMs + this.#around.delayMs(this.#slowMs));
    const times = this.#around.chance(0.05) ? 2 : 1;
    clock.after(this.#dueMs - clock.nowMs, () => {
      for (let time = 0; time < times; time++) this.#ready.push({ type, object });
      this.#wake();
    });
  }
}
