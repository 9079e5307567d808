/**
 * Service `<name>` while the syncer runs. It owns every host object, so when somebody makes it again, after a restore for instance,
 * the host's garbage collector starts to remove all of them: they get the new owner as fast as possible (NAM-35), and nothing that
 * is collected meanwhile is taken for a wish to delete the tenant's object.
 */
import type { StoreChange } from './model/change.ts';
import type { Cluster } from './model/cluster.ts';
import { isStatus } from './model/errors.ts';
import type { Kind } from './model/kind.ts';
import { configMaps, secrets, services } from './model/kubernetes.ts';
import type { Service } from './model/kubernetes.ts';
import { keyOf } from './model/object.ts';
import type { KubeObject, OwnerReference } from './model/object.ts';
import type { Release } from './model/view.ts';
import type { Logger } from './service/logger.ts';
import { pause } from './service/pause.ts';
import { serviceOwner } from './translate/metadata.ts';

export interface ReleaseServiceOptions {
  readonly host: Cluster;
  /** Its `service` is brought up to date in place, for everybody who holds it. */
  readonly release: Release;
  readonly log: Logger;
  /** The Service is another one now: everything that was derived from it has to be looked at again. */
  readonly onReplaced: () => void;
}

/** What is kept with the release and is no copy of a tenant's object: keys, range, kubeconfig. */
const kept: readonly Kind[] = [secrets, configMaps];
const againMs = 500;

export class ReleaseService {
  readonly #options: ReleaseServiceOptions;

  constructor(options: ReleaseServiceOptions) {
    this.#options = options;
  }

  /** Told of every change in the caches; cheap. */
  observe({ side, kind, after }: StoreChange): void {
    const { release } = this.#options;
    if (side !== 'host' || kind.plural !== services.plural || after?.metadata.name !== release.name) return;
    const { uid = '' } = after.metadata;
    if (uid === release.service.uid || after.metadata.deletionTimestamp !== undefined) return;
    this.#options.log.warn({ uid, before: release.service.uid }, "The release's Service was made again");
    const { clusterIPs = [] } = (after as Service).spec;
    Object.assign(release.service, { uid, clusterIPs });
    this.#options.onReplaced();
  }

  /** Whether this owner of all host objects is there. While it is not, their absence says nothing about the tenant's. */
  async lives(uid: string): Promise<boolean> {
    const { host, release } = this.#options;
    const found = await host.get(services, release);
    return found?.metadata.uid === uid && found.metadata.deletionTimestamp === undefined;
  }

  /** Gives what is kept with the release its owner, until it has it. */
  async repair(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        for (const kind of kept) await this.#repairAll(kind, signal);
        return;
      } catch (error) {
        this.#options.log.info({ err: error }, 'Owners of what is kept with the release are not right yet');
        await pause(againMs, signal);
      }
    }
  }

  async #repairAll(kind: Kind, signal: AbortSignal): Promise<void> {
    const { host, release } = this.#options;
    const { items } = await host.list(kind, release, signal);
    for (const object of items) {
      const owners = object.metadata.ownerReferences ?? [];
      if (owners.some((owner) => this.#isOutdated(owner))) await this.#own(kind, object, owners);
    }
  }

  async #own(kind: Kind, object: KubeObject, owners: readonly OwnerReference[]): Promise<void> {
    const { host, release } = this.#options;
    const { uid, resourceVersion } = object.metadata;
    const ownerReferences = owners.map((owner) =>
      this.#isOutdated(owner) ? { ...owner, uid: serviceOwner(release).uid } : owner,
    );
    try {
      await host.patch(kind, keyOf(object), { metadata: { uid, resourceVersion, ownerReferences } });
    } catch (error) {
      // Gone meanwhile: its maker makes it again.
      if (!isStatus(error, 404)) throw error;
    }
  }

  #isOutdated({ kind, name, uid }: OwnerReference): boolean {
    const { release } = this.#options;
    return kind === services.kind && name === release.name && uid !== release.service.uid;
  }
}
