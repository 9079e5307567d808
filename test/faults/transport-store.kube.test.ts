/**
 * A store that goes back: real API servers on real etcd data of an earlier moment, as after a restore, or as on a replica that has
 * been left behind. What the syncer has seen stays; nothing is taken in, and nothing is gone, until somebody says so.
 */
import { cp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Outlook } from '../../syncer/cluster/reflector.ts';
import { configMaps } from '../../syncer/model/kubernetes.ts';
import { until } from '../support/eventually.ts';
import { clientOf, configMapOf, follow, namespace, startStage } from './transport-stage.ts';
import type { Follower, Stage } from './transport-stage.ts';

let stage: Stage;
let follower: Follower;

beforeAll(async () => {
  stage = await startStage('transport-store');
  await stage.direct.create(configMaps, configMapOf('old'));
  follower = await follow(stage, { waitMaxMs: 1_000 });
});
afterAll(async () => {
  await follower.stop();
  await stage.stop();
});

/** Stops etcd and the API server, changes the data, and starts them again. */
async function between(change: (data: string, other: (name: string) => string) => Promise<void>): Promise<void> {
  const { plane } = stage;
  await plane.stop('kube-apiserver', 'SIGKILL');
  await plane.stop('etcd');
  await change(join(plane.dir, 'etcd-data'), (name) => join(plane.dir, name));
  await plane.start('etcd');
  await plane.start('kube-apiserver');
  // With its caches: before they are filled, a watch is told to come back later.
  await plane.waitReady();
}

/** The versions of a store that others write to as well grow by themselves: the gap has to be wide. */
async function moveOn(): Promise<void> {
  await stage.direct.create(configMaps, configMapOf('new'));
  for (let round = 0; round < 200; round++) {
    await stage.direct.patch(configMaps, { namespace, name: 'old' }, { data: { round: String(round) } });
  }
  await follower.caughtUp(60_000);
}

function turned(outlook: Outlook): Promise<void> {
  return until(outlook, () => Promise.resolve(follower.reflector.outlook === outlook), 60_000);
}

test('a server that has fallen behind is waited for, and one that stays behind is told of; nothing is lost either way [F18, F19] [OPS-08, OPS-12] [benchmarks 3.9]', async () => {
  await between((data, other) => cp(data, other('earlier'), { recursive: true }));
  const watch = clientOf(stage).watch(configMaps, { namespace }, '1', AbortSignal.timeout(10_000));
  // What a real API server says of a version from before its start.
  await expect(watch[Symbol.asyncIterator]().next()).rejects.toMatchObject({ status: 410 });
  await moveOn();
  follower.changes.length = 0;

  await between(async (data, other) => {
    await rename(data, other('later'));
    await cp(other('earlier'), data, { recursive: true });
  });
  await turned('lagging');
  await turned('restored');
  expect(follower.changes).toEqual([]);
  expect(follower.names()).toContain('new');
  expect(follower.dataOf('old')).toEqual({ round: '199' });

  await between(async (data, other) => {
    await rm(data, { recursive: true });
    await rename(other('later'), data);
  });
  await turned('current');
  await stage.direct.create(configMaps, configMapOf('newest'));
  await follower.caughtUp();
  expect(follower.changes).toEqual(['ADDED newest']);
}, 240_000);

test('the older state is taken in when somebody says that it is the true one [F19]', async () => {
  await between(async (data, other) => {
    await rm(data, { recursive: true });
    await rename(other('earlier'), data);
  });
  await turned('lagging');
  follower.changes.length = 0;
  follower.reflector.acceptOlder();
  await follower.caughtUp();
  expect(follower.changes.filter((change) => change.startsWith('DELETED')).toSorted()).toEqual(
    expect.arrayContaining(['DELETED new', 'DELETED newest']),
  );
  expect(follower.names()).toEqual(['kube-root-ca.crt', 'old']);
  expect(follower.dataOf('old')).toBeUndefined();
  await stage.direct.create(configMaps, configMapOf('after'));
  await follower.caughtUp();
}, 120_000);
