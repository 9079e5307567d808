import { afterAll, beforeAll, expect, test } from 'vitest';
import { namespaces, pods } from '../../syncer/model/kubernetes.ts';
import type { Pod } from '../../syncer/model/kubernetes.ts';
import { made, namespace } from '../samples/sample.ts';
import { until } from '../support/eventually.ts';
import { startPair } from '../support/pair.ts';
import type { Pair } from '../support/pair.ts';

let pair: Pair;
beforeAll(async () => {
  pair = await startPair('transport', { through: { host: {}, virtual: {} } });
  await pair.virtual.create(namespaces, { metadata: { name: namespace } });
});
afterAll(() => pair.stop());

test('smoke', async () => {
  await until('sa', async () =>
    pair.virtual
      .create(pods, made(pods, { name: 'a' }, { spec: { containers: [{ name: 'c', image: 'x' }] } }))
      .then(() => true),
  );
  await until(
    'running',
    async () => ((await pair.virtual.get(pods, { namespace, name: 'a' })) as Pod).status?.phase === 'Running',
  );
  console.log(
    pair.proxies.host.seen
      .map((s) => `${s.request.method} ${s.request.path} ${s.request.name} ${s.request.ordinal} ${s.status}`)
      .join('\n'),
  );
  console.log(
    pair.proxies.virtual.seen
      .map((s) => `${s.request.method} ${s.request.path} ${s.request.name} ${s.request.ordinal} ${s.status}`)
      .join('\n'),
  );
  const rule = pair.proxies.host.rules.add({
    when: ({ isWrite, plural }) => isWrite && plural === 'pods',
    times: 1,
    do: { is: 'lose' },
  });
  await pair.virtual.create(pods, made(pods, { name: 'b' }, { spec: { containers: [{ name: 'c', image: 'x' }] } }));
  await until(
    'running',
    async () => ((await pair.virtual.get(pods, { namespace, name: 'b' })) as Pod).status?.phase === 'Running',
  );
  expect(rule.struck()).toBe(1);
});
