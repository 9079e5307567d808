/** What works on the host besides us: a scheduler, a kubelet and the garbage collector, as slow as they like to be. */
import { pods, secrets } from '../../syncer/model/kubernetes.ts';
import type { Pod } from '../../syncer/model/kubernetes.ts';
import { isDeleting, keyOf } from '../../syncer/model/object.ts';
import type { ApiServer, Entry } from './api-server.ts';
import type { Circumstances } from './circumstances.ts';

const reactionMaxMs = 400;
const nodeNames = ['node-a', 'node-b'];

export class HostAgents {
  readonly #host: ApiServer;
  readonly #around: Circumstances;
  readonly #random: () => number;

  constructor(host: ApiServer, around: Circumstances, random: () => number) {
    this.#host = host;
    this.#around = around;
    this.#random = random;
    host.listeners.add((entry) => this.#react(entry));
  }

  #react({ plural, type, object }: Entry): void {
    if (plural === secrets.plural) this.#later(() => this.#collect());
    if (plural !== pods.plural) return;
    const act = type === 'DELETED' ? () => this.#collect() : () => this.#advance(object as Pod);
    this.#later(act);
  }

  #later(act: () => void): void {
    this.#around.clock.after(this.#random() * reactionMaxMs, act);
  }

  /** One step of a pod's life, if it is still where it was when this step was due. */
  #advance(seen: Pod): void {
    const pod = this.#host.get(pods, keyOf(seen));
    if (pod === undefined || pod.metadata.resourceVersion !== seen.metadata.resourceVersion) return;
    const { phase = '' } = pod.status ?? {};
    if (isDeleting(pod)) this.#host.remove(pods, keyOf(pod), { uid: pod.metadata.uid, graceSeconds: 0 });
    else if (pod.spec.nodeName === undefined)
      this.#host.bind(keyOf(pod), { node: nodeFor(pod), uid: pod.metadata.uid });
    else if (phase === 'Pending') this.#report(pod, { ...running, startTime: this.#around.clock.text });
    else if (phase === 'Running' && isJob(pod)) this.#report(pod, { phase: 'Succeeded' });
  }

  #report(pod: Pod, status: object): void {
    this.#host.patch(pods, keyOf(pod), { status }, 'status');
  }

  /** What belongs to a pod that is no more goes, also when it comes only afterwards. */
  #collect(): void {
    const alive = new Set(this.#host.list(pods).map(({ metadata }) => metadata.uid));
    for (const secret of this.#host.list(secrets)) {
      const owners = (secret.metadata.ownerReferences ?? []).filter(({ kind }) => kind === 'Pod');
      if (owners.length > 0 && !owners.some(({ uid }) => alive.has(uid))) this.#host.remove(secrets, keyOf(secret));
    }
  }
}

const running = {
  phase: 'Running',
  hostIP: '192.168.0.7',
  hostIPs: [{ ip: '192.168.0.7' }],
  podIP: '10.244.0.7',
  containerStatuses: [
    { name: 'app', ready: true },
    { name: 'injected', ready: true },
  ],
  conditions: [
    { type: 'PodScheduled', status: 'True' },
    { type: 'Ready', status: 'True' },
  ],
};

/** Always the same one for the same name, so that runs can be compared. */
function nodeFor({ metadata }: Pod): string {
  return nodeNames[metadata.name.charCodeAt(4) % nodeNames.length] ?? 'node-a';
}

function isJob({ metadata }: Pod): boolean {
  return metadata.name.startsWith('job-');
}
