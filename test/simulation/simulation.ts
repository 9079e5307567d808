/** Plays one seed: the same script with and without faults, and what must hold afterwards (spec faults.md, I1 to I5 and I9). */
import {
  configMaps,
  endpointSlices,
  namespaces,
  nodes,
  pods,
  secrets,
  services,
} from '../../syncer/model/kubernetes.ts';
import type { KubeObject } from '../../syncer/model/object.ts';
import type { Kind } from '../../syncer/model/kind.ts';
import { incarnationOf, labelKeys, originOf } from '../../syncer/translate/metadata.ts';
import { randomFrom } from '../support/random.ts';
import { release } from '../support/release.ts';
import { ApiServer } from './api-server.ts';
import { Circumstances, faultsUntilMs } from './circumstances.ts';
import { Clock } from './clock.ts';
import { HostAgents } from './host-agents.ts';
import { Life } from './life.ts';
import { Tenant, writeScript } from './tenant.ts';

export interface Verdict {
  readonly violations: readonly string[];
  /** The last things that happened before. */
  readonly trace: readonly string[];
}

/** Longer than any retry, shorter than any renewal. */
const calmMs = 5 * 60_000;
const stepsMax = 60_000;
const compared: readonly Kind[] = [pods, services, configMaps, secrets, nodes, endpointSlices];

export async function play(seed: number): Promise<Verdict> {
  const reference = await run(seed, false);
  const tried = await run(seed, true);
  const violations = [...reference.violations, ...tried.violations];
  const missing = reference.end.filter((line) => !tried.end.includes(line));
  const surplus = tried.end.filter((line) => !reference.end.includes(line));
  for (const line of missing) violations.push(`I1: only without faults: ${line}`);
  for (const line of surplus) violations.push(`I1: only with faults: ${line}`);
  return { violations, trace: tried.trace };
}

interface Run extends Verdict {
  readonly end: readonly string[];
}

async function run(seed: number, faulty: boolean): Promise<Run> {
  const world = new World(seed, faulty);
  const violations = world.around.violations;
  try {
    await world.live();
  } catch (error) {
    violations.push(error instanceof Error ? error.message : String(error));
  }
  const named = violations.map((each) => `${faulty ? '' : '(without faults) '}${each}`);
  return { violations: named, trace: world.around.traced, end: world.end() };
}

class World {
  readonly around: Circumstances;
  readonly #seed: number;
  readonly #servers: { readonly host: ApiServer; readonly virtual: ApiServer };
  readonly #tenant: Tenant;
  #life: Life;

  constructor(seed: number, faulty: boolean) {
    this.#seed = seed;
    const random = randomFrom(seed * 2 + (faulty ? 1 : 0));
    this.around = new Circumstances(new Clock(), random, faulty);
    const { clock } = this.around;
    this.#servers = { host: new ApiServer('host', clock, random), virtual: new ApiServer('virtual', clock, random) };
    this.#furnish();
    new HostAgents(this.#servers.host, this.around, random);

    this.#traceChanges();
    this.#tenant = new Tenant(this.#servers, clock);
    this.#life = this.#birth();
  }

  async live(): Promise<void> {
    const { clock, random, faulty } = this.around;
    this.#tenant.play(writeScript(randomFrom(this.#seed)));
    const deaths = faulty ? Math.floor(random() * 4) : 0;
    for (let death = 0; death < deaths; death++) {
      clock.after(random() * faultsUntilMs, () => {
        this.#life.kill();
        clock.after(random() * 500, () => {
          this.#life.kill();
          this.#life = this.#birth();
        });
      });
    }
    await clock.settle(calmMs, stepsMax);
    if (this.#tenant.busy > 0) this.around.violated('I1: a step of the script never had its effect');
    this.#checkCopies();
    this.#checkIncarnations();
    this.#checkAddresses();
    const { writes } = this.around;
    this.#life.resync();
    await clock.settle(calmMs, stepsMax);
    if (this.around.writes > writes)
      this.around.violated(`I2: ${this.around.writes - writes} writes after one more resync`);
  }

  /** Everything of both sides, without what no two runs have in common. */
  end(): readonly string[] {
    const { host, virtual } = this.#servers;
    return [host, virtual].flatMap((server) =>
      compared
        .flatMap((kind) => server.list(kind).map((object) => `${server.side} ${kind.plural} ${masked(object)}`))
        .toSorted(),
    );
  }

  #birth(): Life {
    this.around.trace('syncer started');
    return new Life(this.#servers, this.around);
  }

  /** What control planes have before any tenant comes. */
  #furnish(): void {
    const { host, virtual } = this.#servers;
    for (const name of ['default', 'kube-system', 'shop']) virtual.create(namespaces, { metadata: { name } });
    const service = (name: string, namespace: string, clusterIP: string): object => ({
      metadata: { name, namespace },
      spec: { clusterIP, clusterIPs: [clusterIP], ports: [{ port: 443 }] },
    });
    virtual.create(services, service('kubernetes', 'default', '10.96.0.1') as KubeObject);
    virtual.create(services, service('kube-dns', 'kube-system', '10.96.1.9') as KubeObject);
    const [address = ''] = release.service.clusterIPs;
    host.create(services, service(release.name, release.namespace, address) as KubeObject);
    const labels = { 'kubernetes.io/service-name': release.name };
    host.create(endpointSlices, {
      metadata: { name: 'of-control-plane', namespace: release.namespace, labels },
      addressType: 'IPv4',
      endpoints: [{ addresses: ['10.244.0.2'], conditions: { ready: true } }],
    } as KubeObject);
  }

  #traceChanges(): void {
    for (const { side, listeners } of Object.values(this.#servers)) {
      listeners.add(({ plural, type, object: { metadata } }) => {
        this.around.trace(`    ${side} ${plural} ${metadata.name} ${metadata.uid} ${type}`);
      });
    }
  }

  /** I3: a copy without its original would stay for ever. */
  #checkCopies(): void {
    const { host, virtual } = this.#servers;
    for (const kind of [pods, services, configMaps, secrets]) {
      for (const copy of host.list<KubeObject>(kind)) {
        const { labels, name, ownerReferences = [] } = copy.metadata;
        if (labels?.[labelKeys.managedBy] === undefined) continue;
        const origin = originOf(copy, kind, release);
        const original = origin && virtual.get<KubeObject>(kind, origin);
        const alive = original !== undefined && original.metadata.uid === incarnationOf(copy);
        const owned = host.list(pods).some(({ metadata }) => ownerReferences.some(({ uid }) => uid === metadata.uid));
        if (origin === undefined ? !owned : !alive)
          this.around.violated(`I3: orphan on the host: ${kind.plural} ${name}`);
      }
    }
  }

  /**
   * I4, and more: a virtual pod gets a host pod once in its life. Unless the host's administrator deletes it before anything of it
   * has reached the virtual side: from never having been, that cannot be told.
   */
  #checkIncarnations(): void {
    const { history } = this.#servers.host;
    const made = history.filter(({ plural, type }) => plural === pods.plural && type === 'ADDED');
    const kept = made.filter(({ object }) => !this.#tenant.evicted.has(object.metadata.uid));
    const origins = kept.map(({ object }) => incarnationOf(object) ?? '');
    const twice = origins.filter((uid, index) => origins.indexOf(uid) !== index);
    for (const uid of twice) this.around.violated(`I4: two host pods for virtual pod ${uid}`);
  }

  /** A Service has one address, whichever side one asks (design decision D4). */
  #checkAddresses(): void {
    const { host, virtual } = this.#servers;
    for (const copy of host.list(services)) {
      const origin = originOf(copy, services, release);
      const original = origin && virtual.get(services, origin);
      if (original === undefined || original.spec.clusterIP === copy.spec.clusterIP) continue;
      this.around.violated(`I1: service ${copy.metadata.name} has another address on each side`);
    }
  }
}

function masked(object: KubeObject): string {
  const { resourceVersion: _, generation: __, ...metadata } = object.metadata;
  return JSON.stringify(sorted({ ...object, metadata }))
    .replace(/("vcluster.loft.sh\/object-version":)"\d+"/g, '$1"VERSION"')
    .replace(/\b(host|virtual)-uid-\d+/g, 'UID')
    .replace(/\b10\.96\.1\.\d+/g, 'IP')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME');
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  // Servers leave empty maps out.
  const entries = Object.entries(value).filter(([, each]) => JSON.stringify(each) !== '{}');
  const inOrder = entries.toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(inOrder.map(([key, each]) => [key, sorted(each)]));
}
