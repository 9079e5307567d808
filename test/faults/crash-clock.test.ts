/**
 * The clock on the wall jumps, as after a suspended machine or a corrected time server: whatever waits, waits as long as it should, and
 * tokens are renewed in time. Only the date is faked; real time passes.
 */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { configMaps, pods, secrets } from '../../syncer/model/kubernetes.ts';
import type { KubeObject } from '../../syncer/model/object.ts';
import { object, podOf, usual, viewOf } from '../../syncer/resources/pods/fixtures.ts';
import { tokens } from '../../syncer/resources/pods/tokens.ts';
import { onHost } from '../../syncer/translate/metadata.ts';
import { until } from '../support/eventually.ts';
import { refusal } from '../support/fake-cluster.ts';
import { hostKey, settingsOf, starter, ToyLoop, widget } from '../support/toy-loop.ts';
import { widgets } from '../support/world.ts';

const hourMs = 3_600_000;
const noonMs = Date.parse('2030-03-31T12:00:00Z');

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: noonMs });
});

afterEach(() => {
  vi.useRealTimers();
});

describe.each([
  ['ahead', hourMs],
  ['back', -hourMs],
])('the clock jumps an hour %s', (_, jumpMs) => {
  test('before every write: what is refused is tried again as soon as ever [F52] [OPS-25]', async () => {
    const loop = new ToyLoop();
    await loop.start();
    let refusals = 2;
    loop.host.before = () => {
      vi.setSystemTime(Date.now() + jumpMs);
      if (refusals-- > 0) throw refusal(503, 'ServiceUnavailable');
    };
    loop.virtual.set(configMaps, settingsOf('3'));
    loop.virtual.set(widgets, widget());
    await until('the widget to be on the host', async () => loop.host.peek(widgets, hostKey) !== undefined);
    await loop.end();
    expect(loop.host.peek(widgets, hostKey)).toMatchObject({ size: 3 });
  });
});

test('the clock jumps an hour back while the effect of a write is awaited: it is not awaited for an hour [F52] [OPS-25] [CORE-20]', async () => {
  const loop = new ToyLoop();
  let posts = 0;
  // Carried out in vain: nothing will ever show it.
  loop.virtual.onPost = () => {
    posts++;
    vi.setSystemTime(Date.now() - hourMs);
    return {};
  };
  loop.virtual.set(widgets, widget());
  await loop.start([starter]);
  await loop.resync();
  await until('it to be tried again', async () => {
    await loop.resync();
    return posts > 1;
  });
  await loop.end();
  expect(posts).toBeGreaterThan(1);
}, 60_000);

describe('tokens of pods', () => {
  const volume = {
    name: 'v',
    projected: { sources: [{ serviceAccountToken: { path: 'token', expirationSeconds: 600 } }] },
  };
  const virtual = podOf({ volumes: [volume] });
  const host = { ...onHost(virtual, pods, viewOf({}), { spec: { containers: [] } }) };
  const hostPod = { ...host, metadata: { ...host.metadata, uid: 'host-uid' } };

  function decide(nowMs: number, more: readonly KubeObject[] = []): ReturnType<typeof tokens.decide> {
    const view = viewOf({ virtual: [...usual.virtual, virtual], host: [hostPod, ...more], nowMs });
    return tokens.decide('shop/web-0', view, undefined);
  }

  function issuedAt(nowMs: number): KubeObject {
    const [action] = decide(nowMs).actions;
    if (action?.do !== 'issueTokens') throw new Error('No tokens were issued.');
    const data = Object.fromEntries(action.tokens.map(({ dataKey }) => [dataKey, 'dG9rZW4=']));
    return object(secrets, { ...action.secret.metadata, resourceVersion: '5' }, { data });
  }

  test.each([
    ['in between', 60_000, 420_000],
    ['an hour ahead: they may have ended', hourMs, undefined],
    ['an hour back: nobody knows when they end', -hourMs, undefined],
    ['back to the summer’s other hour', -hourMs + 60_000, undefined],
  ])('the clock is %s [F52] [POD-113]', (_, jumpMs, againInMs) => {
    const plan = decide(noonMs + jumpMs, [issuedAt(noonMs)]);
    expect(plan.againInMs).toBe(againInMs);
    expect(plan.actions.map((action) => action.do)).toEqual(againInMs === undefined ? ['issueTokens'] : []);
  });
});
