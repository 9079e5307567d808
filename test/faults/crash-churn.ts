/**
 * A tenant who never rests: makes, changes and deletes pods, services and config maps at random, at a given rate, by seed. Keeps
 * going when an API server is away; what it could not do it has not done.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Kind } from '../../syncer/model/kind.ts';
import { configMaps, pods, services } from '../../syncer/model/kubernetes.ts';
import type { Pair } from '../support/pair.ts';

interface Thing {
  readonly kind: Kind;
  readonly name: string;
}

export interface ChurnOptions {
  readonly namespace: string;
  readonly random: () => number;
  readonly perSecond: number;
  /** How many objects there are at most. */
  readonly objectsMax?: number;
}

const kinds: readonly Kind[] = [pods, pods, services, configMaps];

export class Churn {
  readonly #pair: Pair;
  readonly #options: ChurnOptions;
  readonly #things: Thing[] = [];
  #made = 0;

  constructor(pair: Pair, options: ChurnOptions) {
    this.#pair = pair;
    this.#options = options;
  }

  /** How many objects it has made. */
  get made(): number {
    return this.#made;
  }

  /** Until the signal; then what was begun is finished. */
  async run(signal: AbortSignal): Promise<void> {
    const under = new Set<Promise<void>>();
    while (!signal.aborted) {
      // Errors are an API server that is away; there is nothing to be learned from them here.
      const act = this.#act()
        .catch(() => undefined)
        .finally(() => under.delete(act));
      under.add(act);
      await sleep(1000 / this.#options.perSecond, undefined, { signal }).catch(() => undefined);
    }
    await Promise.all(under);
  }

  async #act(): Promise<void> {
    const { random, objectsMax = 40 } = this.#options;
    const dice = random();
    const full = this.#things.length >= objectsMax;
    if (this.#things.length === 0 || (dice < 0.5 && !full)) return this.#make();
    const at = Math.floor(random() * this.#things.length);
    const thing = this.#things[at];
    if (thing === undefined) return undefined;
    if (dice < 0.7) return this.#change(thing);
    this.#things.splice(at, 1);
    return this.#remove(thing);
  }

  async #make(): Promise<void> {
    const { random, namespace } = this.#options;
    const number = this.#made++;
    const kind = kinds[Math.floor(random() * kinds.length)] ?? pods;
    const name = `${kind.kind.toLowerCase()}-${number}`;
    const user = this.#things.find((thing) => thing.kind === configMaps)?.name;
    const bodies: Readonly<Record<string, object>> = {
      pods: {
        spec: { containers: [{ name: 'c', image: 'x', ...(user && { envFrom: [{ configMapRef: { name: user } }] }) }] },
      },
      services: { spec: { selector: { app: name }, ports: [{ port: 80 }] } },
      configmaps: { data: { number: String(number) } },
    };
    await this.#pair.virtual.create(kind, {
      metadata: { name, namespace, labels: { app: name } },
      ...bodies[kind.plural],
    });
    this.#things.push({ kind, name });
  }

  async #change({ kind, name }: Thing): Promise<void> {
    const { namespace, random } = this.#options;
    const labels = { turn: String(Math.floor(random() * 1000)) };
    await this.#pair.virtual.patch(kind, { namespace, name }, { metadata: { labels } });
  }

  async #remove({ kind, name }: Thing): Promise<void> {
    const key = { namespace: this.#options.namespace, name };
    const { uid } = (await this.#pair.virtual.get(kind, key))?.metadata ?? {};
    if (uid !== undefined) await this.#pair.virtual.remove(kind, key, { uid, graceSeconds: 0 });
  }
}

/** Something is done while a tenant works; the tenant has stopped when it is over, however it ends. */
export async function whileChurning(pair: Pair, options: ChurnOptions, act: () => Promise<void>): Promise<void> {
  const stop = new AbortController();
  const churning = new Churn(pair, options).run(stop.signal);
  try {
    await act();
  } finally {
    stop.abort();
    await churning;
  }
}

/** So many pods at once. */
export async function burst(pair: Pair, namespace: string, count: number, prefix = 'burst'): Promise<void> {
  await Promise.all(
    Array.from({ length: count }, (_, index) =>
      pair.virtual.create(pods, {
        metadata: { name: `${prefix}-${index}`, namespace },
        spec: { containers: [{ name: 'c', image: 'x' }] },
      } as never),
    ),
  );
}

/** Deletes every pod, service and config map of a namespace that a tenant made. */
export async function clear(pair: Pair, namespace: string): Promise<void> {
  for (const kind of [pods, services, configMaps]) {
    const { items } = await pair.virtual.list(kind, { namespace }, AbortSignal.timeout(30_000));
    const own = items.filter(({ metadata }) => metadata.name !== 'kube-root-ca.crt');
    await Promise.all(
      own.map(({ metadata: { name, uid = '' } }) =>
        pair.virtual.remove(kind, { namespace, name }, { uid, graceSeconds: 0 }),
      ),
    );
  }
}
