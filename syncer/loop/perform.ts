/**
 * The only code that writes. Carries a plan out, one action after the other, and takes every answer into the caches at once, so
 * that the next plan for the key starts from what was just written (benchmarks §3.10).
 */
import type { Action, Sight, TokenRequest } from '../model/action.ts';
import type { Cluster } from '../model/cluster.ts';
import { ApiError, isStatus } from '../model/errors.ts';
import type { Kind } from '../model/kind.ts';
import { secrets, serviceAccounts } from '../model/kubernetes.ts';
import { keyOf } from '../model/object.ts';
import type { KubeObject } from '../model/object.ts';
import { keyText } from '../model/side.ts';
import type { Key, Side } from '../model/side.ts';
import type { Stores } from './stores.ts';

type Of<D extends Action['do']> = Extract<Action, { do: D }>;

export interface Warner {
  warn(kind: Kind, object: KubeObject, reason: string, message: string): Promise<void>;
}

interface TokenAnswer {
  readonly status: { readonly token: string };
}

/** Whether an absence may be believed, asked right after it was seen. */
export interface Guards {
  /** Throws when what is missing on the virtual side may be missing because its store was replaced (OPS-08). */
  readonly sameStore?: () => Promise<void>;
  /** False when what is missing on the host may have been collected because its owner is not there (NAM-35). */
  readonly ownerLives?: (uid: string) => Promise<boolean>;
}

export class Performer {
  readonly #clusters: Readonly<Record<Side, Cluster>>;
  readonly #stores: Stores;
  readonly #warner: Warner;
  readonly #guards: Guards;

  constructor(clusters: Readonly<Record<Side, Cluster>>, stores: Stores, warner: Warner, guards: Guards = {}) {
    this.#clusters = clusters;
    this.#stores = stores;
    this.#warner = warner;
    this.#guards = guards;
  }

  /** `key`: the queue key of the plan, which is not woken by the answer of a last write. */
  async perform(action: Action, key?: string): Promise<void> {
    const by = 'isLast' in action && action.isLast === true ? key : undefined;
    switch (action.do) {
      case 'create':
        return this.#create(action, by);
      case 'patch':
        return this.#patch(action, by);
      case 'replace':
        return this.#took(action, await this.#clusters[action.side].replace(action.kind, action.object));
      case 'delete':
        return this.#remove(action, by);
      case 'post':
        await this.#clusters[action.side].post(action.kind, action.key, action.subresource, action.body);
        return undefined;
      case 'issueTokens':
        return this.#issueTokens(action);
      case 'warn':
        return this.#warner.warn(action.kind, action.object, action.reason, action.message);
      default:
        return action satisfies never;
    }
  }

  async #patch(action: Of<'patch'>, by: string | undefined): Promise<void> {
    const { side, kind, key, patch, subresource, ifForbidden: told } = action;
    try {
      this.#took(action, await this.#clusters[side].patch(kind, key, patch, subresource), by);
    } catch (error) {
      if (subresource !== undefined && isStatus(error, 404)) return this.#explainUnserved(action, error);
      if (told === undefined || !isStatus(error, 403)) throw error;
      await this.#warner.warn(told.kind, told.object, told.reason, told.message);
    }
  }

  /** The object is there, so it is the verb that the server does not know (POD-83, POD-84). */
  async #explainUnserved({ side, kind, key, subresource = '' }: Of<'patch'>, error: unknown): Promise<never> {
    if ((await this.#clusters[side].get(kind, key)) === undefined) throw error;
    const where = `The Kubernetes that this virtual cluster runs on does not serve ${kind.plural}/${subresource}`;
    const message = `${where}: it is too old for that, or the feature is switched off there.`;
    throw new ApiError(message, { status: 422, reason: 'Invalid' });
  }

  async #create(action: Of<'create'>, by?: string): Promise<void> {
    const cluster = this.#clusters[action.side];
    try {
      this.#took(action, await cluster.create(action.kind, action.object), by);
    } catch (error) {
      if (isStatus(error, 409)) return this.#lookAgain(action, error);
      const object = isStatus(error, 422) ? action.otherwise?.(action.object, error.message) : undefined;
      if (object === undefined) throw error;
      await this.#create({ ...action, object });
    }
  }

  /**
   * The object exists: a lost answer to an earlier try, or a cache that is behind (CORE-32, CORE-33). Taken into the cache, it
   * queues its key again, and the next plan sees whose it is.
   */
  async #lookAgain(action: Of<'create'>, error: unknown): Promise<void> {
    const found = await this.#clusters[action.side].get(action.kind, keyOf(action.object));
    if (found === undefined) throw error;
    this.#took(action, found);
  }

  async #remove(action: Of<'delete'>, by: string | undefined): Promise<void> {
    if (action.onlyIfAbsent !== undefined && !(await this.#isAbsent(action.onlyIfAbsent))) return;
    if (action.onlyIfStill !== undefined && !(await this.#isStill(action.onlyIfStill))) return;
    const cluster = this.#clusters[action.side];
    const { uid, graceSeconds } = action;
    const left = await cluster.remove(action.kind, action.key, { uid, graceSeconds });
    if (left === undefined) this.#stores.tryFind(action.side, action.kind)?.removed(action.key, uid);
    else this.#took(action, left, by);
  }

  /** A live look before something irreversible; what is found after all goes into the cache and queues its key (OPS-15). */
  async #isAbsent({ side, kind, key, uid, ownerUid }: NonNullable<Of<'delete'>['onlyIfAbsent']>): Promise<boolean> {
    const found = await this.#clusters[side].get(kind, key);
    if (found === undefined || (uid !== undefined && found.metadata.uid !== uid)) {
      // Asked afterwards: the answer then covers the moment in which the object was missing.
      if (side === 'virtual') await this.#guards.sameStore?.();
      return ownerUid === undefined || ((await this.#guards.ownerLives?.(ownerUid)) ?? true);
    }
    this.#took({ side, kind }, found);
    return false;
  }

  /** What is found instead goes into the cache and queues its key; that it is gone, the watch tells. */
  async #isStill({ side, kind, key, resourceVersion }: Sight): Promise<boolean> {
    const found = await this.#clusters[side].get(kind, key);
    if (found === undefined || found.metadata.resourceVersion === resourceVersion) return found !== undefined;
    this.#took({ side, kind }, found);
    return false;
  }

  async #issueTokens(action: Of<'issueTokens'>): Promise<void> {
    const issued = await Promise.all(
      action.tokens.map(async (request) => [request.dataKey, await this.#token(request)]),
    );
    const data = Object.fromEntries(issued) as Record<string, string>;
    const secret = { ...action.secret, type: 'Opaque', data };
    const host = this.#clusters.host;
    if (action.existing === undefined)
      return this.#create({ do: 'create', side: 'host', kind: secrets, object: secret });
    const { resourceVersion } = action.existing;
    const metadata = { ...secret.metadata, resourceVersion };
    this.#took({ side: 'host', kind: secrets }, await host.replace(secrets, { ...secret, metadata }));
  }

  async #token({ serviceAccount, audiences, expirationSeconds, pod }: TokenRequest): Promise<string> {
    const answer = (await this.#clusters.virtual.post(serviceAccounts, serviceAccount, 'token', {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: {
        audiences,
        expirationSeconds,
        boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: pod.name, uid: pod.uid },
      },
    })) as TokenAnswer;
    return Buffer.from(answer.status.token).toString('base64');
  }

  #took({ side, kind }: { readonly side: Side; readonly kind: Kind }, object: KubeObject, by?: string): void {
    this.#stores.tryFind(side, kind)?.wrote(object, by);
  }
}

/** What an action does, for logs: never its content. */
export function describe(action: Action): string {
  if (action.do === 'issueTokens') return `issueTokens ${keyText(keyOf(action.secret))}`;
  if (action.do === 'warn') return `warn ${action.reason}`;
  const key: Key = 'key' in action ? action.key : keyOf(action.object);
  return `${action.do} ${action.side} ${action.kind.plural} ${keyText(key)}`;
}
