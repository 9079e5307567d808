/** What the syncer has yet to be shown: it does no harm for want of it, and a test must not end before it has been. */
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { pods } from '../../syncer/model/kubernetes.ts';
import type { Side } from '../../syncer/model/side.ts';
import { idle } from '../support/census.ts';
import { eventually, until } from '../support/eventually.ts';
import { startPair } from '../support/pair.ts';
import type { Pair } from '../support/pair.ts';
import type { SeenRequest } from './proxy/proxy.ts';
import type { ProxiedRequest } from './proxy/rules.ts';
import { patienceMs, Workload } from './transport-workload.ts';

vi.setConfig({ testTimeout: patienceMs });

let pair: Pair;
let runs = 0;

beforeAll(async () => {
  pair = await startPair('transport-start', { through: { host: {}, virtual: {} } });
});
afterAll(() => pair.stop());

afterEach(() => {
  for (const side of ['host', 'virtual'] as const) pair.proxies[side].rules.clear();
});

const virtualNamespace = 'vcluster.loft.sh/object-namespace';
/** Before it deletes what it takes for strange, the syncer asks whether it is still there and still so. */
const looksAtPod = ({ request: { method, plural, name } }: SeenRequest): boolean =>
  method === 'GET' && plural === 'pods' && name.startsWith('p0-');
const ofPods = ({ plural }: ProxiedRequest): boolean => plural === 'pods';

function writes(): string {
  return `${pair.proxies.host.writes} ${pair.proxies.virtual.writes}`;
}

test.each<[Side, string]>([
  ['virtual', 'secrets'],
  ['host', 'pods'],
])(
  'at a start, one collection that cannot be had holds everything back: %s %s [OPS-01, OPS-07] [I5]',
  async (side, plural) => {
    const workload = new Workload(pair, `t${++runs}`);
    await workload.prepare();
    await workload.createPod('p0');
    await workload.allRun();
    await idle(pair.syncer);
    await pair.syncer.stop('SIGKILL');
    pair.proxies.host.forget();
    const before = writes();
    const rule = pair.proxies[side].rules.add({
      when: (request) => request.isList && request.plural === plural,
      do: { is: 'answer', answer: { status: 503, body: {} } },
    });
    await workload.createPod('p1');
    await pair.syncer.launch();
    await until('it to have been asked for time and again', () => Promise.resolve(rule.struck() > 3), 90_000);
    expect(writes()).toBe(before);
    pair.proxies[side].rules.clear();
    await pair.syncer.ready();
    await workload.allRun();
    expect(await workload.hostPods()).toHaveLength(2);
    expect(pair.proxies.host.seen.filter(({ request }) => request.method === 'DELETE')).toEqual([]);
  },
);

test('what the host chose is shown late, and another syncer has acted upon it: the pod that this one finds bound stays [POD-42] [OPS-26] [I5]', async () => {
  const workload = new Workload(pair, `t${++runs}`);
  const { namespace } = workload;
  await workload.prepare();
  const shown = Promise.withResolvers<void>();
  pair.proxies.host.forget();
  pair.proxies.host.rules.add({
    when: ofPods,
    do: {
      is: 'line',
      to: ({ type, object }) =>
        type === 'MODIFIED' && object.metadata.annotations?.[virtualNamespace] === namespace
          ? { is: 'until', done: shown.promise }
          : undefined,
    },
  });
  const { metadata } = await workload.createPod('p0');
  try {
    const name = await eventually('a node', async () => (await workload.hostPods())[0]?.spec.nodeName);
    const target = { apiVersion: 'v1', kind: 'Node', name };
    const body = { apiVersion: 'v1', kind: 'Binding', metadata: { name: 'p0', namespace }, target };
    await pair.virtual.post(pods, { namespace, name: 'p0' }, 'binding', body);
    await until('it to look before it deletes', () => Promise.resolve(pair.proxies.host.seen.some(looksAtPod)), 90_000);
  } finally {
    shown.resolve();
  }
  await idle(pair.syncer);
  const [pod] = await workload.virtualPods();
  expect(pod?.metadata.uid).toBe(metadata.uid);
  expect(pod?.metadata.deletionTimestamp).toBeUndefined();
  await workload.allRun();
});

test('a test that waits for the syncer to be idle waits for what it has yet to be shown, and for its slow writes [I1]', async () => {
  const workload = new Workload(pair, `t${++runs}`);
  await workload.prepare();
  pair.proxies.virtual.rules.add({ when: ofPods, do: { is: 'line', to: () => ({ is: 'delay', ms: 700 }) } });
  pair.proxies.host.rules.add({
    when: ({ method, plural }) => method === 'POST' && plural === 'pods',
    do: { is: 'delay', ms: 700 },
  });
  await workload.createPod('p0', { nodeSelector: { 'no-node': 'has-this' } });
  await idle(pair.syncer);
  expect(await workload.hostPods()).toHaveLength(1);
});
