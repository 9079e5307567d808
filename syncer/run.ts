/**
 * The command `run`: builds the parts, starts them in the order in which they need each other, and stops them together.
 *
 *   host Service ─► gateway ─► virtual API answers ─► caches complete ─► loop ─► DNS, kubeconfig ─► ready
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { apply } from './bootstrap/apply.ts';
import { clusterDns } from './bootstrap/cluster-dns.ts';
import { writeKubeconfigSecret } from './bootstrap/kubeconfig-secret.ts';
import { buildCaches } from './caches.ts';
import type { CacheSet } from './caches.ts';
import { inClusterAccess, kubeconfigAccess } from './cluster/access.ts';
import { Client } from './cluster/client.ts';
import type { Access } from './cluster/session.ts';
import { cacheView, gatewayIndexes } from './gateway-view.ts';
import { createGateway } from './gateway/gateway.ts';
import type { Gateway } from './gateway/gateway.ts';
import { Engine } from './loop/engine.ts';
import { StoreGuard, surveyAll } from './loop/guard.ts';
import { Performer } from './loop/perform.ts';
import type { Guards } from './loop/perform.ts';
import { Queue } from './loop/queue.ts';
import { openView, quietView } from './loop/stores.ts';
import type { Stores } from './loop/stores.ts';
import { EventWarner } from './loop/warner.ts';
import type { Cluster } from './model/cluster.ts';
import { ConfigurationError, isStatus } from './model/errors.ts';
import type { Kind } from './model/kind.ts';
import { namespaces, serviceAccounts, services } from './model/kubernetes.ts';
import type { Service } from './model/kubernetes.ts';
import { keyText } from './model/side.ts';
import type { Key, Side } from './model/side.ts';
import type { Source } from './model/resource.ts';
import type { Release } from './model/view.ts';
import { Observation } from './observation.ts';
import { issue } from './pki/certificates.ts';
import type { CertifiedKey } from './pki/certificates.ts';
import { ReleaseService } from './release-service.ts';
import { resources } from './resources/index.ts';
import { watchForRestored } from './restored.ts';
import { stayAwake } from './service/awake.ts';
import { createLogger } from './service/logger.ts';
import type { Logger } from './service/logger.ts';
import { pause } from './service/pause.ts';
import { giveMemoryBack } from './service/thrift.ts';
import { parseSettings } from './settings.ts';
import type { Settings } from './settings.ts';

/** Watches bring nearly everything; what they missed is found by audits (spec CORE-38). */
const auditMs = 10 * 60_000;
const pollMs = 100;
/** Terraform waits for the Secret when somebody has deleted it: it is the only way in. */
const kubeconfigCheckMs = 30_000;
const gatewayCertificateYears = 10;

/** Runs until SIGTERM or SIGINT. @throws when a part cannot go on; the process then ends and its container is started again */
export async function run(args: readonly string[]): Promise<void> {
  const settings = parseSettings(args);
  const log = createLogger(settings.logLevel);
  const stop = new AbortController();
  let isAsked = false;
  const ask = (): void => {
    isAsked = true;
    stop.abort();
  };
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, ask);
  try {
    await new Syncer(settings, log).run(stop);
  } catch (error) {
    // Whatever waited for something at its start has only been told that it need not wait any more.
    if (!isAsked) throw error;
  }
}

class Syncer {
  readonly #settings: Settings;
  readonly #log: Logger;
  readonly #hostAccess: Access;
  readonly #host: Client;
  readonly #clusters: Readonly<Record<Side, Cluster>>;
  /** What is still missing before tenants are served, in the order in which it is done. */
  readonly #missing = new Set([
    'host API',
    'virtual API',
    'caches',
    'backing store',
    'default/kubernetes',
    'cluster DNS',
    'kubeconfig',
    'service accounts',
  ]);
  readonly #queue = new Queue();
  /** Writes the kubeconfig Secret unless it is there; nothing before the bootstrap has come so far. */
  #writeKubeconfig: () => Promise<void> = async () => {};
  readonly #observation: Observation;

  constructor(settings: Settings, log: Logger) {
    this.#settings = settings;
    this.#log = log;
    const { hostKubeconfig, pki } = settings;
    this.#hostAccess = hostKubeconfig === undefined ? inClusterAccess() : kubeconfigAccess(hostKubeconfig);
    this.#observation = new Observation({ settings, resources, queue: this.#queue, missing: this.#missing });
    const { cluster: telemetry } = this.#observation;
    const virtualAccess = kubeconfigAccess(join(pki, 'kubeconfig'));
    this.#host = new Client('host', this.#hostAccess, { telemetry });
    const virtual = new Client('virtual', virtualAccess, { telemetry });
    this.#clusters = { host: this.#host, virtual };
    this.#observation.ask({ host: this.#host, virtual }, { host: this.#hostAccess.url, virtual: virtualAccess.url });
  }

  async run(stop: AbortController): Promise<void> {
    const { signal } = stop;
    await this.#observation.start();
    const parts: Promise<void>[] = [this.#observation.run(signal)];
    let engine: Engine | undefined;
    const release = await this.#release(signal);
    this.#done('host API');
    const service = new ReleaseService({
      host: this.#host,
      release,
      log: this.#log,
      onReplaced: () => {
        engine?.reconsider(caches.sources);
        const kept = service.repair(signal).then(() => this.#writeKubeconfig());
        // Only the end of the process stops it.
        kept.catch(() => undefined);
      },
    });
    const restored = watchForRestored(signal);
    const caches = buildCaches({
      resources,
      indexes: gatewayIndexes,
      clusters: this.#clusters,
      hostNamespace: release.namespace,
      log: this.#log,
      telemetry: this.#observation.cluster,
      onOutlook: restored.onOutlook,
      // Before everything is listed, absence means nothing; the first pass looks at all of it (OPS-07).
      onChange: (change) => {
        service.observe(change);
        engine?.changed(change);
      },
    });
    this.#observation.watch(caches);
    parts.push((await this.#gateway(release, caches.stores)).run(signal));
    await this.#virtualApi(signal);
    this.#done('virtual API');
    parts.push(caches.run(signal));
    await until(() => {
      this.#observation.checkRights(release);
      return caches.stores.complete;
    }, signal);
    this.#done('caches');
    const guard = this.#guard(release, caches.stores);
    this.#observation.guardedBy(() => guard.held);
    const storeEpoch = await this.#patiently('looking at the virtual backing store', signal, () => guard.admit(signal));
    this.#done('backing store');
    const guards = { sameStore: () => guard.check(), ownerLives: (uid: string) => service.lives(uid) };
    engine = this.#engine({ ...release, storeEpoch }, caches.stores, guards);
    parts.push(
      stayAwake(signal),
      giveMemoryBack(signal),
      restored.ended,
      service.repair(signal),
      engine.run(signal),
      this.#audits(engine, caches, signal),
      this.#bootstrap(release, caches.stores, signal),
    );
    await stopTogether(parts, stop);
  }

  #guard(release: Release, stores: Stores): StoreGuard {
    return new StoreGuard({
      clusters: this.#clusters,
      release,
      survey: () => surveyAll(resources, quietView(stores, release, Date.now)),
      log: this.#log,
      wait: pause,
    });
  }

  #engine(release: Release, stores: Stores, guards: Guards): Engine {
    const { loop: metrics, trace } = this.#observation;
    const warner = new EventWarner(this.#clusters.virtual);
    const performer = new Performer(this.#clusters, stores, warner, guards);
    return new Engine({ resources, release, stores, queue: this.#queue, performer, log: this.#log, metrics, trace });
  }

  /** Service `<name>`: owner of everything, address of the virtual API server. */
  async #release(signal: AbortSignal): Promise<Release> {
    const { name, namespace, domain, workloadServiceAccount, kubernetesVersion } = this.#settings;
    const service = await this.#patiently("reading the release's Service", signal, async () => {
      const found = await this.#clusters.host.get(services, { namespace, name });
      if (found === undefined) {
        throw new ConfigurationError(
          `Service ${namespace}/${name} does not exist: is the release "${name}" installed here?`,
        );
      }
      return found as Service;
    });
    const clusterIPs = service.spec.clusterIPs ?? [];
    const hostMinor = await this.#patiently("asking for the host's version", signal, () => this.#host.minorVersion());
    return {
      name,
      namespace,
      service: { uid: service.metadata.uid ?? '', clusterIPs },
      storeEpoch: 0,
      clusterDomain: domain,
      workloadServiceAccount,
      kubernetesVersion,
      architecture: process.arch === 'x64' ? 'amd64' : process.arch,
      // A host that does not say is taken for a new one: what it does not know it drops itself.
      hostMinor: hostMinor ?? Number.MAX_SAFE_INTEGER,
      podRules: this.#settings.podRules,
    };
  }

  async #virtualApi(signal: AbortSignal): Promise<void> {
    await this.#exists(namespaces, { namespace: '', name: 'default' }, signal);
  }

  /** Waits for an object that the control plane makes by itself; without the last of them no pod is accepted (OPS-01). */
  async #exists(kind: Kind, key: Key<'virtual'>, signal: AbortSignal): Promise<void> {
    await this.#patiently(`waiting for virtual ${kind.plural} ${keyText(key)}`, signal, async () => {
      const found = await this.#clusters.virtual.get(kind, key);
      if (found === undefined) throw new Error('it is not there yet');
    });
  }

  async #gateway(release: Release, stores: Stores): Promise<Gateway> {
    const authority = await this.#authority();
    const validUntil = new Date(Date.now() + gatewayCertificateYears * 365 * 24 * 3_600_000);
    const server = await issue(authority, { commonName: 'vcluster-kubelet', usage: 'server', validUntil }, new Date());
    return createGateway({
      socketPath: this.#settings.egressSocket,
      log: this.#log,
      view: cacheView(() => openView(stores, release, Date.now())),
      host: {
        url: this.#hostAccess.url,
        ca: this.#hostAccess.ca,
        credentials: this.#hostAccess.credentials,
        namespace: release.namespace,
      },
      kubeletClientCa: await readFile(join(this.#settings.pki, 'kubelet-ca.crt'), 'utf8'),
      serverCertificate: { cert: server.certificate, key: server.key },
    });
  }

  async #authority(): Promise<CertifiedKey> {
    const read = (file: string): Promise<string> => readFile(join(this.#settings.pki, file), 'utf8');
    return { certificate: await read('ca.crt'), key: await read('ca.key') };
  }

  /** What a tenant finds in every cluster, and what people need to reach this one. */
  async #bootstrap(release: Release, stores: Stores, signal: AbortSignal): Promise<void> {
    const { coreDnsImage, domain } = this.#settings;
    const kubernetes = { namespace: 'default', name: 'kubernetes' };
    await until(() => {
      const found = stores.find('virtual', services).get(kubernetes) as Service | undefined;
      return found?.spec.clusterIP === release.service.clusterIPs[0];
    }, signal);
    this.#done('default/kubernetes');
    const manifests = clusterDns({ image: coreDnsImage, clusterDomain: domain });
    await this.#patiently('applying cluster DNS', signal, () => apply(this.#clusters.virtual, manifests));
    this.#done('cluster DNS');
    const authority = await this.#authority();
    const write = (): Promise<void> => writeKubeconfigSecret(this.#clusters.host, release, authority);
    await this.#patiently('writing the kubeconfig Secret', signal, write);
    this.#done('kubeconfig');
    await this.#exists(serviceAccounts, { namespace: 'default', name: 'default' }, signal);
    this.#done('service accounts');
    this.#writeKubeconfig = () => this.#patiently('writing the kubeconfig Secret again', signal, write);
    while (!signal.aborted) {
      await sleep(kubeconfigCheckMs, undefined, { signal, ref: false }).catch(() => undefined);
      if (!signal.aborted) await this.#patiently('renewing the kubeconfig Secret', signal, write);
    }
  }

  /** First a look at everything; then, time and again, what the watches have missed, and another look (spec OPS-06, CORE-38). */
  async #audits(engine: Engine, caches: CacheSet, signal: AbortSignal): Promise<void> {
    for (;;) {
      engine.resync(caches.sources);
      await pause(auditMs * (0.9 + Math.random() / 5), signal);
      if (signal.aborted) return;
      await caches
        .audit(signal, (source, count) => this.#missed(source, count))
        .catch((error: unknown) => {
          if (!signal.aborted)
            this.#log.warn({ err: error }, 'The audit did not come to its end; the next one tries again');
        });
    }
  }

  #missed({ side, kind }: Source, count: number): void {
    this.#observation.loop.missed(side, kind.plural, count);
    this.#log.warn({ side, kind: kind.plural, count }, 'A watch had missed changes; an audit has found them');
  }

  /** Tries until it works or the process is to stop. What only an operator can mend is thrown. */
  async #patiently<T>(doing: string, signal: AbortSignal, attempt: () => Promise<T>): Promise<T> {
    for (let failures = 0; ; failures++) {
      try {
        return await attempt();
      } catch (error) {
        if (signal.aborted || error instanceof ConfigurationError) throw error;
        const tellAll = failures % 50 === 49 || isStatus(error, 401, 403);
        this.#log[tellAll ? 'warn' : 'debug']({ doing, failures, err: error }, 'Not yet');
        await sleep(Math.min(pollMs * 1.1 ** failures, 5_000), undefined, { signal });
      }
    }
  }

  #done(what: string): void {
    this.#missing.delete(what);
    this.#log.info({ what, sinceStartMs: Math.round(performance.now()) }, 'Ready');
  }
}

/** Waits for all parts; the first that fails stops the others and its error is thrown. */
async function stopTogether(parts: readonly Promise<void>[], stop: AbortController): Promise<void> {
  try {
    await Promise.all(parts);
  } catch (error) {
    const asked = stop.signal.aborted;
    stop.abort();
    await Promise.allSettled(parts);
    if (!asked) throw error;
  }
}

async function until(condition: () => boolean, signal: AbortSignal): Promise<void> {
  while (!condition() && !signal.aborted) await pause(20, signal);
}
