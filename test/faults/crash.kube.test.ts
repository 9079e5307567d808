/**
 * Signals, limits and rivals: the syncer is killed in a loop, stopped, suspended, doubled, starved of files and memory, and loses its
 * log, always under load. The auditor looks on. FAULTS=long waits and repeats as the specification says; SEED=<n> varies the load.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { configMaps, namespaces, pods } from '../../syncer/model/kubernetes.ts';
import { eventually, until } from '../support/eventually.ts';
import { hostNamespace, releaseName } from '../support/pair.ts';
import { randomFrom } from '../support/random.ts';
import { burst, Churn, clear } from './crash-churn.ts';
import { holdingsOf, inspectorPort } from './crash-memory.ts';
import { form, isLong, makeNamespace, seed, startStage } from './crash-stage.ts';
import type { Stage } from './crash-stage.ts';

const random = randomFrom(seed);
const namespace = 'crash';

let stage: Stage;

beforeAll(async () => {
  stage = await startStage('crash');
  await makeNamespace(stage.pair, namespace);
});

afterAll(() => stage?.stop());

async function hostPods(): Promise<number> {
  const { items } = await stage.pair.host.list(pods, { namespace: hostNamespace }, AbortSignal.timeout(10_000));
  return items.length;
}

/** Something is done while a tenant works; then everything must be as if nothing had been done. */
async function underChurn(perSecond: number, meanwhile: () => Promise<void>): Promise<void> {
  const stop = new AbortController();
  const churn = new Churn(stage.pair, { namespace, random, perSecond });
  const churning = churn.run(stop.signal);
  try {
    await meanwhile();
  } finally {
    stop.abort();
    await churning;
  }
  await stage.audit();
  await churn.clear();
  await stage.audit();
}

/** Resolves once the syncer is in the middle of so many new pods. */
async function inTheMiddle(count: number): Promise<{ readonly rest: Promise<void> }> {
  const before = await hostPods();
  const rest = burst(stage.pair, namespace, count);
  await until('the burst to be half done', async () => (await hostPods()) > before + count / 4);
  return { rest };
}

describe(`the syncer's process (${form})`, () => {
  test('the auditor sees what is wrong while nobody puts it right [I1, I3, I5]', async () => {
    const { host, virtual, syncer } = stage.pair;
    await burst(stage.pair, namespace, 3, 'seen');
    await stage.audit();
    await syncer.stop('SIGKILL');
    const hostName = (index: number): string => `seen-${index}-x-${namespace}-x-${releaseName}`;
    const victim = await eventually('a host pod', () =>
      host.get(pods, { namespace: hostNamespace, name: hostName(0) }),
    );
    await host.remove(
      pods,
      { namespace: hostNamespace, name: hostName(0) },
      { uid: victim.metadata.uid ?? '', graceSeconds: 0 },
    );
    await host.patch(
      pods,
      { namespace: hostNamespace, name: hostName(1) },
      { metadata: { labels: { app: 'x', 'vcluster.loft.sh/namespace': 'other' } } },
    );
    const forged = { ...victim.metadata, name: 'forged', resourceVersion: undefined, uid: undefined };
    await host.create(configMaps, { metadata: { ...forged, ownerReferences: [], namespace: 'default' } } as never);
    await virtual.patch(pods, { namespace, name: 'seen-2' }, { metadata: { labels: { late: 'yes' } } });
    const { ok, problems } = await stage.report({ withinMs: 0, pid: undefined, healthUrl: undefined });
    expect(ok).toBe(false);
    const told = problems.map(({ invariant, about, says }) => `${invariant} ${about}: ${says}`);
    expect(told).toEqual(
      expect.arrayContaining([
        `I1 virtual pods ${namespace}/seen-0: has no host object`,
        expect.stringContaining(`I1 virtual pods ${namespace}/seen-1: label vcluster.loft.sh/namespace is other`),
        expect.stringContaining(`I1 virtual pods ${namespace}/seen-2: label late is undefined`),
        expect.stringContaining('I3 host configmaps default/forged'),
      ]),
    );
    expect((await stage.report({ withinMs: 0 })).problems).toContainEqual(expect.objectContaining({ invariant: 'I9' }));
    const { uid = '' } = (await host.get(configMaps, { namespace: 'default', name: 'forged' }))?.metadata ?? {};
    await host.remove(configMaps, { namespace: 'default', name: 'forged' }, { uid });
    await syncer.start();
    await stage.audit();
    await clear(stage.pair, namespace);
    await stage.audit();
  });

  test('is killed in a loop while the tenant works: nothing is made twice [F06] [I1, I4, I6]', async () => {
    const times = isLong ? 30 : 5;
    await underChurn(20, async () => {
      for (let round = 0; round < times; round++) {
        await sleep(isLong ? 2_000 : 200 + random() * 800);
        await stage.pair.syncer.stop('SIGKILL');
        await stage.pair.syncer.launch();
      }
      await stage.pair.syncer.ready();
    });
  });

  test('is told to stop in the middle of a burst: finishes what it has begun and ends well [F07] [OPS-20]', async () => {
    const { syncer } = stage.pair;
    const { rest } = await inTheMiddle(60);
    await syncer.stop('SIGTERM');
    expect(syncer.end).toEqual({ code: 0, signal: null });
    await rest;
    await syncer.start();
    await stage.audit();
    await clear(stage.pair, namespace);
    await stage.audit();
  });

  test('stands still for 2 s in the middle of a burst, and goes on [F56]', async () => {
    const { syncer } = stage.pair;
    const { rest } = await inTheMiddle(40);
    syncer.signal('SIGSTOP');
    await sleep(2_000);
    syncer.signal('SIGCONT');
    await rest;
    await stage.audit();
    await clear(stage.pair, namespace);
    await stage.audit();
  });

  test('is suspended while another one works, and wakes up with what it knew: it does no harm [F08] [OPS-26] [I4, I5]', async () => {
    const { syncer } = stage.pair;
    const rival = syncer.twin('rival');
    await underChurn(20, async () => {
      await sleep(500);
      syncer.signal('SIGSTOP');
      await rival.start();
      await sleep(isLong ? 70_000 : 2_000);
      syncer.signal('SIGCONT');
      await sleep(1_000);
    });
    await rival.stop();
  });

  test('has a rival all the time: two do what one does [OPS-26] [I1, I2, I4, I5, I6]', async () => {
    const rival = stage.pair.syncer.twin('rival');
    await rival.start();
    await underChurn(20, () => sleep(isLong ? 60_000 : 2_500));
    expect(rival.end).toBeUndefined();
    await rival.stop('SIGKILL');
  });
});

describe(`what the syncer lives on (${form})`, () => {
  test('few files, and strangers take them: it stays, and goes on when there are some again [F54] [I9]', async () => {
    const { syncer, virtualPlane } = stage.pair;
    await syncer.stop();
    await syncer.start({ wrapper: ['prlimit', '--nofile=64'] });
    const strangers = Array.from({ length: 80 }, () =>
      connect(join(virtualPlane.dir, 'egress.sock')).on('error', () => undefined),
    );
    await burst(stage.pair, namespace, 20);
    await stage.report({ withinMs: 1_000, healthUrl: undefined });
    expect(syncer.end ?? { code: 1 }).not.toMatchObject({ code: 0 });
    for (const stranger of strangers) stranger.destroy();
    await stage.audit();
    await clear(stage.pair, namespace);
    await stage.audit();
  });

  test('a heap that is too small: it ends with an error or works, and leaves nothing broken [F55] [I9]', async () => {
    const { syncer } = stage.pair;
    for (const megabytes of isLong ? [12, 16, 20, 24, 28, 32] : [16, 24]) {
      await syncer.stop();
      await syncer.launch({ nodeFlags: [`--max-old-space-size=${megabytes}`] });
      const loading = burst(stage.pair, namespace, 60, `heap-${megabytes}`);
      await Promise.race([syncer.ended(), loading.then(() => stage.report({ quietMs: 200 }))]);
      expect(syncer.end ?? { code: 1 }).not.toMatchObject({ code: 0 });
      await loading;
    }
    await syncer.stop();
    await syncer.start();
    await stage.audit();
    await clear(stage.pair, namespace);
    await stage.audit();
  });

  test.each(['closed', 'never read'])('its log is %s: it goes on [F57]', async (how) => {
    const { syncer } = stage.pair;
    await syncer.stop();
    await syncer.launch({ log: 'pipe' });
    if (how === 'closed') syncer.output?.destroy();
    await syncer.ready();
    // Enough lines to fill any pipe.
    await burst(stage.pair, namespace, 150);
    await stage.audit();
    await clear(stage.pair, namespace);
    await stage.audit();
    if (how === 'closed') await syncer.stop();
    else await syncer.stop('SIGKILL');
    await syncer.start();
  });

  test('very many objects to list at a start: it answers all the time, and deletes nothing [F58] [OPS-07]', async () => {
    const { syncer, virtual } = stage.pair;
    const many = isLong ? 10_000 : 1_500;
    await makeNamespace(stage.pair, 'many');
    const key = { namespace: 'many', name: '' };
    const data = { text: 'x'.repeat(2_000) };
    const numbers = Array.from({ length: many }, (_, index) => index);
    await Promise.all(
      numbers.map((number) => virtual.create(configMaps, { metadata: { ...key, name: `c-${number}` }, data } as never)),
    );
    await burst(stage.pair, namespace, 50);
    await stage.audit();
    await syncer.stop('SIGKILL');
    await syncer.launch();
    let longestMs = 0;
    let isReady = false;
    const ready = syncer.ready().then(() => {
      isReady = true;
    });
    await until(
      'its port to be open',
      async () => (await fetch(syncer.healthUrl).catch(() => undefined)) !== undefined,
    );
    while (!isReady) {
      const askedMs = performance.now();
      expect((await fetch(syncer.healthUrl)).ok).toBe(true);
      longestMs = Math.max(longestMs, performance.now() - askedMs);
      await sleep(2);
    }
    await ready;
    process.stderr.write(
      `F58: the slowest answer of /healthz while ${many} objects were listed: ${Math.round(longestMs)} ms\n`,
    );
    await stage.audit();
    await clear(stage.pair, namespace);
    await virtual.remove(
      namespaces,
      { namespace: '', name: 'many' },
      { uid: (await virtual.get(namespaces, { namespace: '', name: 'many' }))?.metadata.uid ?? '' },
    );
  });

  test('after rounds of work it holds what it held before [I8]', async () => {
    const { syncer } = stage.pair;
    const port = await inspectorPort();
    await syncer.stop();
    await syncer.start({ nodeFlags: [`--inspect=127.0.0.1:${port}`] });
    const round = async (): Promise<void> => {
      await burst(stage.pair, namespace, 40);
      await stage.audit({ quietMs: 200 });
      await clear(stage.pair, namespace);
      await stage.audit();
    };
    // The first rounds compile, and fill what is bounded.
    for (let warm = 0; warm < 2; warm++) await round();
    const before = await holdingsOf(port);
    for (let again = 0; again < (isLong ? 20 : 3); again++) await round();
    const after = await holdingsOf(port);
    process.stderr.write(`I8: ${JSON.stringify(before)} → ${JSON.stringify(after)}\n`);
    expect(after.heapBytes / before.heapBytes).toBeLessThan(1.05);
    expect(after.timers).toBeLessThanOrEqual(before.timers + 2);
    expect(after.sockets).toBeLessThanOrEqual(before.sockets + 1);
    await syncer.stop();
    await syncer.start();
  });
});
