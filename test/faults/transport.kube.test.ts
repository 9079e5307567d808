/**
 * The whole syncer between two real API servers, with a chaos proxy before each: whatever the connections do, a tenant's workload
 * ends up on the host once and whole, and then nothing more is written. SEED=<number> repeats what is left to chance.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Side } from '../../syncer/model/side.ts';
import { idle, resting } from '../support/census.ts';
import { eventually, until } from '../support/eventually.ts';
import { startPair } from '../support/pair.ts';
import type { Pair } from '../support/pair.ts';
import { seed } from './proxy/start.ts';
import type { LineFault, ProxiedRequest, Rule, WatchLine } from './proxy/rules.ts';
import { expired } from './transport-words.ts';
import { patienceMs, Workload } from './transport-workload.ts';

let pair: Pair;
let runs = 0;

beforeAll(async () => {
  pair = await startPair('transport', { through: { host: {}, virtual: {} } });
});
afterAll(() => pair.stop());

afterEach(() => {
  for (const side of ['host', 'virtual'] as const) pair.proxies[side].rules.clear();
});

function lines(to: (line: WatchLine) => LineFault | undefined, more: Omit<Rule, 'do'> = {}): Rule {
  return { ...more, do: { is: 'line', to } };
}

const ofPods = ({ plural }: ProxiedRequest): boolean => plural === 'pods';
const isOf =
  (verb: string, kind: string) =>
  ({ method, plural }: ProxiedRequest): boolean =>
    method === verb && plural === kind;
const ofTenant = ({ isWrite }: ProxiedRequest): boolean => isWrite;

type Rules = Readonly<Partial<Record<Side, readonly Rule[]>>>;

async function withRules(rules: Rules, work: (workload: Workload) => Promise<void>): Promise<number> {
  const workload = new Workload(pair, `t${++runs}`);
  await workload.prepare();
  for (const side of ['host', 'virtual'] as const) pair.proxies[side].forget();
  const added = (['host', 'virtual'] as const).flatMap((side) =>
    (rules[side] ?? []).map((rule) => pair.proxies[side].rules.add(rule)),
  );
  await work(workload);
  const struck = added.reduce((sum, rule) => sum + rule.struck(), 0);
  await workload.settled();
  await workload.expectWhole();
  for (const side of ['host', 'virtual'] as const) pair.proxies[side].rules.clear();
  await expectSilence();
  return struck;
}

function writes(): string {
  return `${pair.proxies.host.writes} ${pair.proxies.virtual.writes}`;
}

/** Once it has converged, and what was put off has been done, the syncer writes nothing [I2]. */
async function expectSilence(): Promise<void> {
  await until('the syncer to write nothing', async () => {
    const before = writes();
    await resting(pair.syncer);
    await resting(pair.syncer);
    return writes() === before;
  });
}

const html = { status: 200, headers: { 'content-type': 'text/html' }, body: '<!doctype html><p>Sign in' };
const busy = {
  status: 429,
  headers: { 'retry-after': '1' },
  body: { kind: 'Status', status: 'Failure', code: 429, reason: 'TooManyRequests' },
};
/** Four of them together are half of all requests: of three in a row, as before a deletion, one in eight comes through. */
const failing = (status: number): Rule => ({
  chance: 0.16,
  times: 15,
  do: { is: 'answer', answer: { status, body: {} } },
});

describe(`a workload comes through (SEED=${seed})`, { timeout: patienceMs }, () => {
  test.each<[string, Rules]>([
    ['with what the host shows a second late [F14]', { host: [lines(() => ({ is: 'delay', ms: 250 }))] }],
    ['with what the virtual cluster shows a second late [F14]', { virtual: [lines(() => ({ is: 'delay', ms: 250 }))] }],
    [
      'without the changes between the first and the last [F15]',
      {
        host: [
          lines(({ type, text }) => (type === 'MODIFIED' && !text.includes('"Running"') ? { is: 'drop' } : undefined), {
            when: ofPods,
          }),
        ],
      },
    ],
    [
      'with its own writes shown late [F21]',
      { host: [lines(({ type }) => (type === 'ADDED' ? { is: 'delay', ms: 700 } : undefined))] },
    ],
    [
      'with pods shown before all that they refer to [F22]',
      {
        virtual: [
          lines(() => ({ is: 'delay', ms: 500 }), { when: ({ plural }) => plural !== 'pods' && plural !== 'events' }),
        ],
      },
    ],
    [
      'with every event doubled [F20]',
      { host: [lines(() => ({ is: 'twice' }))], virtual: [lines(() => ({ is: 'twice' }))] },
    ],
    [
      'with events in the wrong order, and some of them cut [F14, F33]',
      {
        host: [
          lines(({ number }) => (number % 3 === 0 ? { is: 'swap' } : undefined)),
          lines(() => ({ is: 'truncate', bytes: 40 }), { chance: 0.1, times: 5 }),
        ],
      },
    ],
    [
      'with writes refused for a while [F29]',
      {
        host: [{ when: ofTenant, times: 8, do: { is: 'answer', answer: busy } }],
        virtual: [{ when: ofTenant, times: 4, do: { is: 'answer', answer: busy } }],
      },
    ],
    [
      'with 500, 502, 503 and 504 among the answers of both [F30]',
      { host: [500, 502, 503, 504].map(failing), virtual: [500, 502, 503, 504].map(failing) },
    ],
    [
      'with answers lost after the work was done [F32]',
      {
        host: [
          { when: isOf('POST', 'pods'), times: 2, do: { is: 'lose' } },
          { when: isOf('DELETE', 'pods'), times: 2, do: { is: 'lose' } },
          { when: isOf('POST', 'secrets'), times: 2, do: { is: 'lose' } },
        ],
        virtual: [
          { when: isOf('PATCH', 'pods'), times: 3, do: { is: 'lose' } },
          { when: ({ subresource }) => subresource === 'binding', times: 2, do: { is: 'lose' } },
        ],
      },
    ],
    [
      'with pages of HTML for answers [F36]',
      {
        host: [{ when: ofTenant, times: 3, do: { is: 'answer', answer: html } }],
        virtual: [{ when: ofTenant, times: 3, do: { is: 'answer', answer: html } }],
      },
    ],
    [
      'with connections that ask to be left, and streams that are refused [F40]',
      {
        host: [
          { chance: 0.3, do: { is: 'goaway' } },
          { chance: 0.2, do: { is: 'resetStream' } },
        ],
        virtual: [{ chance: 0.3, do: { is: 'goaway' } }],
      },
    ],
    [
      'with connections that break at random [F33]',
      {
        host: [{ chance: 0.15, times: 10, do: { is: 'cut' } }],
        virtual: [{ chance: 0.15, times: 10, do: { is: 'lose' } }],
      },
    ],
  ])('%s [I1, I2, I3, I4, I6]', async (_how, rules) => {
    expect(await withRules(rules, (workload) => workload.run())).toBeGreaterThan(0);
  });
});

test('a pod deleted and made again, seen as one change: the former host pod is deleted by its UID, a new one is made [F16] [CORE-10]', async () => {
  const workload = new Workload(pair, `t${++runs}`);
  await workload.prepare();
  // No node takes it, so that nobody but the syncer has a hand in it.
  const nowhere = { nodeSelector: { 'no-node': 'has-this' } };
  const former = await workload.createPod('p0', nowhere);
  const [hostFormer] = await eventually('the host pod', async () => nonEmpty(await workload.hostPods()));
  await resting(pair.syncer);
  const rule = pair.proxies.virtual.rules.add(
    lines(
      ({ object, text }) => {
        if (object.metadata.namespace !== workload.namespace) return undefined;
        if (object.metadata.uid === former.metadata.uid) return { is: 'drop' };
        return { is: 'replace', lines: [text.replace('"ADDED"', '"MODIFIED"')] };
      },
      { when: ofPods },
    ),
  );
  await workload.deletePod('p0', 0);
  const next = await workload.createPod('p0', nowhere);
  await until('the new host pod', async () => {
    const [found] = await workload.hostPods();
    return found?.metadata.annotations?.['vcluster.loft.sh/object-uid'] === next.metadata.uid;
  });
  expect(rule.struck()).toBeGreaterThan(1);
  const [hostNext, ...more] = await workload.hostPods();
  expect(more).toEqual([]);
  expect(hostNext?.metadata.uid).not.toBe(hostFormer?.metadata.uid);
  expect((await workload.virtualPods()).map(({ metadata }) => metadata.uid)).toEqual([next.metadata.uid]);
});

function nonEmpty<T>(all: readonly T[]): readonly T[] | undefined {
  return all.length > 0 ? all : undefined;
}

test('a deletion that no watch has shown is found by the next list, and the host pod goes [F17] [OPS-12]', async () => {
  const workload = new Workload(pair, `t${++runs}`);
  await workload.prepare();
  await workload.createPod('p0');
  await workload.allRun();
  await resting(pair.syncer);
  const rule = pair.proxies.virtual.rules.add(
    lines(
      ({ type, object, text }) =>
        object.metadata.namespace === workload.namespace && (type === 'DELETED' || text.includes('deletionTimestamp'))
          ? { is: 'drop' }
          : undefined,
      { when: ofPods },
    ),
  );
  await workload.deletePod('p0', 0);
  await until('the event to be lost', () => Promise.resolve(rule.struck() > 0));
  await resting(pair.syncer);
  expect(await workload.hostPods()).toHaveLength(1);
  await pair.proxies.virtual.inject(ofPods, { type: 'ERROR', object: expired });
  await until('the host pod to go', async () => (await workload.hostPods()).length === 0);
});

test('replayed events make nobody write [F20]', async () => {
  const kept = new Map<string, { readonly request: ProxiedRequest; readonly text: string }>();
  for (const side of ['host', 'virtual'] as const) {
    pair.proxies[side].rules.add(
      lines(({ request, object, text, type }) => {
        if (type === 'ADDED' || type === 'MODIFIED')
          kept.set(`${side} ${request.plural} ${object.metadata.uid}`, { request, text });
        return undefined;
      }),
    );
  }
  await withRules({}, (workload) => workload.run());
  // A watch that a test before has broken may have been opened again only now, with news of its own.
  await idle(pair.syncer);
  expect(kept.size).toBeGreaterThan(10);
  for (const { request, text } of kept.values()) {
    await pair.proxies[request.side].inject(({ plural }) => plural === request.plural, text);
  }
  const before = [pair.proxies.host.writes, pair.proxies.virtual.writes];
  await resting(pair.syncer);
  await expectSilence();
  expect([pair.proxies.host.writes, pair.proxies.virtual.writes]).toEqual(before);
});

test('what the host knows and the virtual API server does not is left out, and nobody is stuck [F47]', async () => {
  const fromTheFuture = (text: string): string => {
    const event = JSON.parse(text) as { object: { spec: object; status: { conditions?: object[] } } };
    const { spec, status } = event.object;
    const condition = { type: 'FutureReady', status: 'True', lastTransitionTime: null, futureReason: { a: 1 } };
    const future = {
      ...status,
      futureField: { deep: [1, 2] },
      qosClass: 'FutureClass',
      conditions: [...(status.conditions ?? []), condition],
    };
    return JSON.stringify({
      ...event,
      object: { ...event.object, spec: { ...spec, futurePolicy: 'Always' }, status: future },
    });
  };
  const rules: Rules = {
    host: [
      lines(({ type, text }) => (type === 'MODIFIED' ? { is: 'replace', lines: [fromTheFuture(text)] } : undefined), {
        when: ofPods,
      }),
    ],
  };
  await withRules(rules, async (workload) => {
    await workload.run();
    const [pod] = await workload.virtualPods();
    expect(JSON.stringify(pod)).not.toContain('futureField');
  });
});

test('both connections fall silent in the middle: the work goes on over others [F39]', async () => {
  const struck = await withRules({}, async (workload) => {
    await Promise.all(['p0', 'p1'].map((name) => workload.createPod(name)));
    for (const side of ['host', 'virtual'] as const) pair.proxies[side].freeze();
    await Promise.all(['p2', 'p3'].map((name) => workload.createPod(name)));
    await workload.finish();
  });
  expect(struck).toBe(0);
});
