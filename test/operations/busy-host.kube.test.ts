/** A host that takes few requests at once and turns the others away: they are asked again after the time it names. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { kinds } from '../../operations/host.ts';
import type { Host } from '../../operations/host.ts';
import { asUser, startStage } from './stage.ts';
import type { Stage } from './stage.ts';

let stage: Stage;
let user: Host;

beforeAll(async () => {
  // One at a time, for whoever is no administrator.
  const apiServerArgs = [
    '--enable-priority-and-fairness=false',
    '--max-requests-inflight=1',
    '--max-mutating-requests-inflight=1',
  ];
  stage = await startStage('busy', { apiServerArgs });
  user = await asUser(stage, 'tenant', 'default', [{ apiGroups: [''], resources: ['configmaps'], verbs: ['*'] }]);
});

afterAll(async () => {
  user?.close();
  await stage?.stop();
});

/** How many requests the host has turned away. */
async function turnedAway(): Promise<number> {
  const metrics = String(await stage.host.request('GET', '/metrics'));
  const counts = [...metrics.matchAll(/^apiserver_(?:dropped_requests|request_terminations)_total\{.*\} (\d+)$/gm)];
  return counts.reduce((sum, [, count]) => sum + Number(count), 0);
}

test('everything that is asked at once is answered in the end, writes once each', async () => {
  const names = Array.from({ length: 40 }, (_, index) => `busy-${index}`);
  const before = await turnedAway();
  for (let round = 0; round === 0 || (await turnedAway()) === before; round += 1) {
    const own = names.map((name) => `${name}-${round}`);
    await Promise.all(own.map((name) => user.create(kinds.configMaps, 'default', { metadata: { name } })));
    const read = await Promise.all(own.map((name) => user.get(kinds.configMaps, { namespace: 'default', name })));
    expect(read.map(({ metadata }) => metadata.name)).toEqual(own);
  }
});
