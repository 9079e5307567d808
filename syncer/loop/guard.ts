/**
 * Keeps an emptied, replaced or rolled-back virtual backing store from being taken for a tenant who has deleted everything (spec
 * OPS-08). The identity of the store, the UID of its namespace kube-system, is kept on the release's Service. When it is another
 * one, or older than what host objects were written from, or most host objects have lost their virtual ones, nothing is written
 * to either side until a person has decided. Workloads on the host run on meanwhile.
 *
 * In doubt the process ends: the next start finds out what has become of the store, and waits here.
 */
import type { Cluster } from '../model/cluster.ts';
import { StoreReplacedError } from '../model/errors.ts';
import { namespaces, services } from '../model/kubernetes.ts';
import type { StringMap } from '../model/object.ts';
import type { Resource, Survey } from '../model/resource.ts';
import type { Side } from '../model/side.ts';
import type { View } from '../model/view.ts';

export const storeKeys = {
  /** On the release's Service: UID of the store's kube-system, and how often another store was accepted: `<uid>/<epoch>`. */
  store: 'vcluster.loft.sh/virtual-store',
  /** Set there by a person: the UID of the store to go on with. */
  accept: 'vcluster.loft.sh/accept-virtual-store',
} as const;

/** Fewer orphans than this are no catastrophe, and a larger share of all host objects than this is no day's work. */
const orphansMin = 20;
const orphansShareMax = 0.75;
const lookAgainMs = 3_000;

export interface GuardLog {
  info(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface GuardOptions {
  readonly clusters: Readonly<Record<Side, Cluster>>;
  /** Name and namespace of the release's Service. */
  readonly release: { readonly name: string; readonly namespace: string };
  /** What the first pass would find; asked for when both sides' caches are complete. */
  readonly survey: () => Survey;
  readonly log: GuardLog;
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
}

interface Known {
  readonly uid: string;
  readonly epoch: number;
}

interface Situation {
  readonly known: Known | undefined;
  readonly accepted: string | undefined;
  readonly storeUid: string;
  /** The store's newest resourceVersion. */
  readonly revision: string;
  readonly survey: Survey;
}

export class StoreGuard {
  readonly #options: GuardOptions;
  #storeUid: string | undefined;
  #checking: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  #held: string | undefined;

  constructor(options: GuardOptions) {
    this.#options = options;
  }

  /** Why nothing is done until a person has decided; undefined when all is well. */
  get held(): string | undefined {
    return this.#held;
  }

  /** Waits until it is safe to write, however long that takes, and resolves to the epoch of the store. Throws on errors of the API servers. */
  async admit(signal: AbortSignal): Promise<number> {
    for (;;) {
      const situation = await this.#look(signal);
      const trouble = troubleWith(situation);
      if (trouble === undefined || isAccepted(situation)) return this.#take(situation, trouble);
      this.#hold(trouble, situation);
      await this.#options.wait(lookAgainMs, signal);
      signal.throwIfAborted();
    }
  }

  /**
   * Asks the virtual API server again whose store it has: to be called after something was found missing there, before anything
   * is deleted for it. Those who call meanwhile share the next question.
   * @throws StoreReplacedError when it is another store
   */
  check(): Promise<void> {
    if (this.#checking === undefined) return (this.#checking = this.#ask());
    // The question that is on its way may have been answered before what the caller has seen.
    this.#next ??= this.#checking
      .catch(() => undefined)
      .then(() => {
        this.#next = undefined;
        return (this.#checking = this.#ask());
      });
    return this.#next;
  }

  async #ask(): Promise<void> {
    try {
      const uid = await this.#readStoreUid();
      if (uid === this.#storeUid) return;
      throw new StoreReplacedError(
        `The virtual API server has another backing store than before: namespace kube-system was ${this.#storeUid ?? 'unknown'} and is now ${uid === '' ? 'missing' : uid}. Nothing is deleted; the syncer starts again and waits for a decision.`,
      );
    } finally {
      this.#checking = undefined;
    }
  }

  async #look(signal: AbortSignal): Promise<Situation> {
    const { clusters, survey } = this.#options;
    const annotations = await this.#annotations();
    const storeUid = await this.#readStoreUid();
    const { resourceVersion: revision } = await clusters.virtual.list(namespaces, { namespace: '' }, signal);
    return {
      known: parseKnown(annotations[storeKeys.store]),
      accepted: annotations[storeKeys.accept],
      storeUid,
      revision,
      survey: survey(),
    };
  }

  async #take({ known, accepted, storeUid }: Situation, trouble: string | undefined): Promise<number> {
    const { log } = this.#options;
    const epoch = (known?.epoch ?? 0) + (trouble === undefined ? 0 : 1);
    if (trouble !== undefined) log.info({ storeUid, epoch }, 'The backing store was accepted as it is');
    if (known?.uid !== storeUid || known.epoch !== epoch || accepted !== undefined)
      await this.#annotate({ [storeKeys.store]: `${storeUid}/${epoch}`, [storeKeys.accept]: null });
    this.#storeUid = storeUid;
    this.#held = undefined;
    return epoch;
  }

  #hold(trouble: string, { storeUid }: Situation): void {
    const { log, release } = this.#options;
    if (this.#held === trouble) return;
    this.#held = trouble;
    if (storeUid === '') return log.error({}, `${trouble} Nothing is written to either side until there is one.`);
    log.error(
      { storeUid },
      `${trouble} Nothing is written to either side until this is decided. To go on with the former store, restore it and restart the virtual cluster; to go on with this one and lose what it does not have: kubectl annotate service --namespace ${release.namespace} ${release.name} --overwrite ${storeKeys.accept}=${storeUid}`,
    );
  }

  async #readStoreUid(): Promise<string> {
    const found = await this.#options.clusters.virtual.get(namespaces, { namespace: '', name: 'kube-system' });
    return found?.metadata.uid ?? '';
  }

  async #annotations(): Promise<StringMap> {
    const { clusters, release } = this.#options;
    return (await clusters.host.get(services, release))?.metadata.annotations ?? {};
  }

  async #annotate(annotations: Readonly<Record<string, string | null>>): Promise<void> {
    const { clusters, release } = this.#options;
    await clusters.host.patch(services, release, { metadata: { annotations } });
  }
}

/** What all resources together have on the host. */
export function surveyAll(resources: readonly Resource[], view: View): Survey {
  const surveys = resources.flatMap((resource) => resource.survey?.(view) ?? []);
  return {
    objects: surveys.reduce((sum, { objects }) => sum + objects, 0),
    orphans: surveys.reduce((sum, { orphans }) => sum + orphans, 0),
    versions: surveys.flatMap(({ versions }) => versions),
  };
}

/** By name: nobody can have meant a store that does not say who it is. */
function isAccepted({ accepted, storeUid }: Situation): boolean {
  return storeUid !== '' && accepted === storeUid;
}

/** What speaks against acting on this store; undefined when nothing does. */
export function troubleWith({ known, storeUid, revision, survey }: Situation): string | undefined {
  const { objects, orphans } = survey;
  const loss = `${orphans} of ${objects} host objects would be deleted.`;
  if (storeUid === '') return 'The virtual backing store has no namespace kube-system (yet).';
  if (known !== undefined && known.uid !== storeUid)
    return `The virtual backing store is not the one that this virtual cluster had: namespace kube-system was ${known.uid} and is now ${storeUid}. ${loss}`;
  const newest = newestStamp(survey.versions, known?.epoch ?? 0);
  if (newest !== undefined && newest > BigInt(revision))
    return `The virtual backing store has gone back: host objects were made from its revision ${newest}, and it is now at ${revision}. ${loss}`;
  if (orphans >= orphansMin && orphans > objects * orphansShareMax)
    return `Most of what this virtual cluster had is missing from its backing store. ${loss}`;
  return undefined;
}

/** The newest of the resourceVersions that host objects were written from, of those that are of this epoch. */
function newestStamp(versions: readonly string[], epoch: number): bigint | undefined {
  let newest: bigint | undefined;
  for (const stamp of versions) {
    const [version = '', of = '0'] = stamp.split('/');
    if (Number(of) !== epoch || !/^\d{1,20}$/u.test(version)) continue;
    const value = BigInt(version);
    if (newest === undefined || value > newest) newest = value;
  }
  return newest;
}

function parseKnown(text: string | undefined): Known | undefined {
  if (text === undefined || text === '') return undefined;
  const [uid = '', epoch = '0'] = text.split('/');
  return { uid, epoch: Number.parseInt(epoch, 10) || 0 };
}
