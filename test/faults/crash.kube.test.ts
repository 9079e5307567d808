/**
 * Signals, limits and rivals: the syncer is killed in a loop, stopped, suspended, doubled, starved of files and memory, and loses its
 * log, always under load. The auditor looks on. FAULTS=long waits and repeats as the specification says; SEED=<n> varies the load.
 */
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { configMaps, pods } from '../../syncer/model/kubernetes.ts';
import type { KubeObject } from '../../syncer/model/object.ts';
import { freePorts } from '../../testbed/ports.ts';
import { makeNamespace } from '../support/namespaces.ts';
import { eventually, until } from '../support/eventually.ts';
import { hostNamespace, releaseName } from '../support/pair.ts';
import { Pipe } from '../support/pipe.ts';
import { randomFrom } from '../support/random.ts';
import type { Circumstances, SyncerProcess } from '../support/syncer-process.ts';
import type { Report } from './auditor/auditor.ts';
import type { Problem } from './auditor/problem.ts';
import { burst, clear, whileChurning } from './crash-churn.ts';
import { holdingsOf } from './crash-memory.ts';
import { form, isLong, patience, seed, startStage } from './crash-stage.ts';
import type { Stage } from './crash-stage.ts';

const random = randomFrom(seed);
const namespace = 'crash';
/**
 * Two that cannot know of each other may make, of what the tenant has just deleted, one more copy, which the next look removes. It is
 * never there beside the first (I4).
 */
const notOnce = ['I6'] as const;

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
async function underChurn(
  meanwhile: () => Promise<void>,
  excuses: readonly Problem['invariant'][] = [],
): Promise<Report> {
  await whileChurning(stage.pair, { namespace, random, perSecond: 20 }, meanwhile);
  await stage.audit({ excuses });
  await clear(stage.pair, namespace);
  return stage.audit({ excuses });
}

/** At rest with whatever there is; then without anything. */
async function settledAndCleared(): Promise<Report> {
  await stage.audit();
  await clear(stage.pair, namespace);
  return stage.audit({ quietMs: 200 });
}

/** While there may be another syncer of the same release. */
async function withRival<T>(act: (rival: SyncerProcess) => Promise<T>): Promise<T> {
  const rival = stage.pair.syncer.twin('rival');
  try {
    return await act(rival);
  } finally {
    await rival.stop('SIGKILL');
  }
}

async function restarted(circumstances?: Circumstances): Promise<void> {
  await stage.pair.syncer.stop();
  await stage.pair.syncer.start(circumstances);
}

/** Resolves once the syncer is in the middle of so many new pods. */
async function inTheMiddle(count: number): Promise<{ readonly rest: Promise<void> }> {
  const before = await hostPods();
  const rest = burst(stage.pair, namespace, count);
  await until('a part of the burst to be on the host', async () => (await hostPods()) > before + count / 4, 60_000);
  return { rest };
}

describe(`the syncer's process (${form})`, { timeout: patience }, () => {
  test('the auditor sees what is wrong while nobody puts it right [I1, I3, I9]', async () => {
    const { host, virtual, syncer } = stage.pair;
    await burst(stage.pair, namespace, 3, 'seen');
    await stage.audit();
    await syncer.stop('SIGKILL');
    const keyOf = (index: number): { readonly namespace: string; readonly name: string } => ({
      namespace: hostNamespace,
      name: `seen-${index}-x-${namespace}-x-${releaseName}`,
    });
    const victim = await eventually('a host pod', () => host.get(pods, keyOf(0)));
    await host.remove(pods, keyOf(0), { uid: victim.metadata.uid ?? '', graceSeconds: 0 });
    await host.patch(pods, keyOf(1), { metadata: { labels: { 'vcluster.loft.sh/namespace': 'other' } } });
    const { labels, annotations } = victim.metadata;
    const forged = await host.create(configMaps, {
      metadata: { name: 'forged', namespace: 'default', labels, annotations },
    } as KubeObject);
    await virtual.patch(pods, { namespace, name: 'seen-2' }, { metadata: { labels: { late: 'yes' } } });

    const told = async (): Promise<readonly string[]> => {
      const { problems } = await stage.report({ withinMs: 0 });
      return problems.map(({ invariant, about, says }) => `${invariant} ${about}: ${says}`);
    };
    try {
      // The auditor's own watches may be a moment behind these writes.
      await expect
        .poll(told, { timeout: 60_000 })
        .toEqual(
          expect.arrayContaining([
            `I1 virtual pods ${namespace}/seen-0: has no host object`,
            expect.stringContaining(`I1 virtual pods ${namespace}/seen-1: label vcluster.loft.sh/namespace is other`),
            expect.stringContaining(`I1 virtual pods ${namespace}/seen-2: label late is undefined`),
            expect.stringContaining('I3 host configmaps default/forged: is outside of the host namespace'),
            expect.stringContaining('I9 process'),
          ]),
        );
    } finally {
      await host.remove(configMaps, { namespace: 'default', name: 'forged' }, { uid: forged.metadata.uid ?? '' });
    }
    await syncer.start();
    expect(await settledAndCleared()).toMatchObject({ ok: true });
  });

  test('is killed in a loop while the tenant works: nothing is made twice [F06] [I1, I4, I6]', async () => {
    const report = await underChurn(async () => {
      for (let round = 0; round < (isLong ? 30 : 4); round++) {
        await sleep(isLong ? 2_000 : 200 + random() * 800);
        await stage.pair.syncer.stop('SIGKILL');
        await stage.pair.syncer.launch();
      }
      await stage.pair.syncer.ready();
    });
    expect(report).toMatchObject({ ok: true });
  });

  test('is told to stop in the middle of a burst: finishes what it has begun and ends well [F07] [OPS-20]', async () => {
    const { syncer } = stage.pair;
    const { rest } = await inTheMiddle(60);
    await syncer.stop('SIGTERM');
    expect(syncer.end).toEqual({ code: 0, signal: null });
    await rest;
    await syncer.start();
    expect(await settledAndCleared()).toMatchObject({ ok: true });
  });

  test('stands still for 2 s in the middle of a burst, and goes on [F56]', async () => {
    const { syncer } = stage.pair;
    const { rest } = await inTheMiddle(40);
    syncer.signal('SIGSTOP');
    await sleep(2_000);
    syncer.signal('SIGCONT');
    await rest;
    expect(await settledAndCleared()).toMatchObject({ ok: true });
  });

  test('is suspended while another one works, and wakes up with what it knew: it does no harm [F08] [OPS-26] [I4, I5]', async () => {
    const { syncer } = stage.pair;
    const report = await withRival((rival) =>
      underChurn(async () => {
        await rival.start();
        syncer.signal('SIGSTOP');
        await sleep(isLong ? 70_000 : 1_500);
        syncer.signal('SIGCONT');
        await sleep(1_000);
        if (!isLong) return;
        // After so long it does not trust itself any more.
        await syncer.ended();
        expect(syncer.end).toEqual({ code: 1, signal: null });
        await syncer.start();
      }, notOnce),
    );
    expect(report).toMatchObject({ ok: true });
  });

  test('has a rival all the time: two do what one does [OPS-26] [I1, I2, I4, I5]', async () => {
    await withRival(async (rival) => {
      await rival.start();
      await underChurn(() => sleep(isLong ? 60_000 : 2_000), notOnce);
      expect([rival.end, stage.pair.syncer.end]).toEqual([undefined, undefined]);
    });
  });
});

describe(`what the syncer lives on (${form})`, { timeout: patience }, () => {
  test('few files, and strangers take them: it stays, and goes on when there are some again [F54] [I9]', async () => {
    const { syncer, virtualPlane } = stage.pair;
    await restarted({ wrapper: ['prlimit', '--nofile=64'] });
    const strangers = Array.from({ length: 80 }, () =>
      connect(join(virtualPlane.dir, 'egress.sock')).on('error', () => undefined),
    );
    await burst(stage.pair, namespace, 20);
    await stage.report({ withinMs: 1_000, healthUrl: undefined });
    expect(syncer.end).toBeUndefined();
    for (const stranger of strangers) stranger.destroy();
    expect(await settledAndCleared()).toMatchObject({ ok: true });
    await restarted();
  });

  test('a heap that is too small: it ends with an error or works, and leaves nothing broken [F55] [I9]', async () => {
    const { syncer } = stage.pair;
    for (const megabytes of isLong ? [12, 16, 20, 24, 28, 32] : [16]) {
      await syncer.stop();
      await syncer.launch({ nodeFlags: [`--max-old-space-size=${megabytes}`] });
      const loading = burst(stage.pair, namespace, 40, `heap-${megabytes}`);
      await Promise.race([syncer.ended(), loading.then(() => stage.report({ quietMs: 200 }))]);
      expect(syncer.end?.code).not.toBe(0);
      await loading;
    }
    await restarted();
    expect(await settledAndCleared()).toMatchObject({ ok: true });
  });

  test.each(['closed', 'never read'])('its log is %s: it goes on [F57]', async (how) => {
    const { syncer } = stage.pair;
    const pipe = new Pipe();
    await syncer.stop();
    if (how === 'never read') pipe.fill();
    await syncer.launch({ log: pipe.path });
    if (how === 'closed') pipe.closeReader();
    await syncer.ready();
    await burst(stage.pair, namespace, isLong ? 500 : 20);
    expect(await settledAndCleared()).toMatchObject({ ok: true });
    await syncer.stop();
    expect(syncer.end).toEqual({ code: 0, signal: null });
    pipe.remove();
    await syncer.start();
  });

  test('very many objects to list at a start: it answers all the time, and deletes nothing [F58] [OPS-07]', async () => {
    const { syncer, virtual } = stage.pair;
    const many = isLong ? 10_000 : 600;
    await makeNamespace(stage.pair, 'many');
    const data = { text: 'x'.repeat(2_000) };
    const made = Array.from({ length: many }, (_, index) =>
      virtual.create(configMaps, { metadata: { namespace: 'many', name: `c-${index}` }, data } as KubeObject),
    );
    await Promise.all(made);
    await burst(stage.pair, namespace, 20);
    await stage.audit();
    await syncer.stop('SIGKILL');
    await syncer.launch();
    const ready = syncer.ready().then(() => true);
    await until(
      'its port to be open',
      async () => (await fetch(syncer.healthUrl).catch(() => undefined)) !== undefined,
      180_000,
    );
    const waitsMs: number[] = [];
    while (!(await Promise.race([ready, sleep(2, false)]))) {
      const askedMs = performance.now();
      expect((await fetch(syncer.healthUrl)).ok).toBe(true);
      waitsMs.push(performance.now() - askedMs);
    }
    const slowestMs = Math.round(Math.max(0, ...waitsMs));
    process.stderr.write(`F58: slowest answer of /healthz while ${many} objects were listed: ${slowestMs} ms\n`);
    expect(await settledAndCleared()).toMatchObject({ ok: true });
    await clear(stage.pair, 'many');
  });

  test('after rounds of work it holds what it held before [I8]', async () => {
    const [port = 0] = await freePorts(1, '127.0.0.1');
    await restarted({ nodeFlags: [`--inspect=127.0.0.1:${port}`] });
    const round = async (): Promise<void> => {
      await burst(stage.pair, namespace, 30);
      await settledAndCleared();
    };
    // The first rounds compile, and fill what is bounded.
    for (let warm = 0; warm < 2; warm++) await round();
    const before = await holdingsOf(port);
    for (let again = 0; again < (isLong ? 20 : 2); again++) await round();
    const after = await holdingsOf(port);
    process.stderr.write(`I8: ${JSON.stringify(before)} → ${JSON.stringify(after)}\n`);
    expect(after.heapBytes / before.heapBytes).toBeLessThan(1.05);
    expect(after.timers).toBeLessThanOrEqual(before.timers + 2);
    expect(after.sockets).toBeLessThanOrEqual(before.sockets + 1);
    await restarted();
  });
});
