/** Both API servers as the auditor has seen them: what is there now, and all that ever was. */
import { Api } from './api.ts';
import { Watcher } from './watcher.ts';
import type { Life } from './watcher.ts';
import { followed } from './words.ts';
import type { Plural, Release, Thing, Where } from './words.ts';

export interface Kubeconfigs {
  readonly host: string;
  readonly virtual: string;
}

export class World {
  readonly release: Release;
  readonly #apis: Readonly<Record<Where, Api>>;
  readonly #watchers = new Map<string, Watcher>();
  #waiting: (() => void)[] = [];

  constructor(release: Release, kubeconfigs: Kubeconfigs) {
    this.release = release;
    this.#apis = { host: new Api(kubeconfigs.host), virtual: new Api(kubeconfigs.virtual) };
    for (const where of ['host', 'virtual'] as const) {
      for (const plural of followed) {
        this.#watchers.set(`${where} ${plural}`, new Watcher(this.#apis[where], where, plural, () => this.#tell()));
      }
    }
  }

  get complete(): boolean {
    return [...this.#watchers.values()].every(({ complete }) => complete);
  }

  get gaps(): number {
    return [...this.#watchers.values()].reduce((sum, { gaps }) => sum + gaps, 0);
  }

  now(where: Where, plural: Plural): readonly Thing[] {
    return this.#find(where, plural).now;
  }

  lives(where: Where, plural: Plural): readonly Life[] {
    return [...this.#find(where, plural).lives.values()];
  }

  api(where: Where): Api {
    return this.#apis[where];
  }

  /** Resolves when anything has changed on either side, or after `timeoutMs`. */
  change(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.#waiting.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([...this.#watchers.values()].map((watcher) => watcher.run(signal)));
    this.#apis.host.close();
    this.#apis.virtual.close();
  }

  #find(where: Where, plural: Plural): Watcher {
    const found = this.#watchers.get(`${where} ${plural}`);
    if (found === undefined) throw new Error(`Nobody follows ${where} ${plural}.`);
    return found;
  }

  #tell(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}
