import { describe, expect, test } from 'vitest';
import type { Pod } from '../../model/kubernetes.ts';
import type { Metadata } from '../../model/object.ts';
import { defineToHost } from '../define.ts';
import { podOf, usual, viewOf } from './fixtures.ts';
import { pods } from './pods.ts';

const resource = defineToHost(pods);
const key = 'shop/web-0';

/** The host pod of `web-0`, or of a former one. */
function hostPod(metadata: Partial<Metadata> = {}): Pod {
  const made = pods.toHost(podOf(), viewOf(usual));
  if (made.is !== 'object') throw new Error(made.why);
  return { ...made.object, metadata: { ...made.object.metadata, uid: 'host-uid', resourceVersion: '70', ...metadata } };
}

function decide(had: string | undefined, host: Pod, virtual?: Pod): ReturnType<typeof resource.decide> {
  const view = viewOf({ virtual: [...usual.virtual, ...(virtual ? [virtual] : [])], host: [...usual.host, host] });
  return resource.decide(key, view, had);
}

const leaving = { deletionTimestamp: '2026-01-01T00:00:00Z', deletionGracePeriodSeconds: 30 };

describe('a virtual pod that has vanished under our eyes was forced to go [POD-24]', () => {
  test('its host pod goes at once, after a live look', () => {
    expect(decide('web-uid', hostPod()).actions).toMatchObject([
      {
        do: 'delete',
        side: 'host',
        uid: 'host-uid',
        graceSeconds: 0,
        onlyIfAbsent: { side: 'virtual', uid: 'web-uid' },
      },
    ]);
  });

  test('its host pod is not given the rest of its grace period', () => {
    expect(decide('web-uid', hostPod(leaving)).actions).toMatchObject([{ do: 'delete', graceSeconds: 0 }]);
    const ended = hostPod({ ...leaving, deletionGracePeriodSeconds: 0 });
    expect(decide('web-uid', ended).actions).toEqual([]);
  });

  test('nor does a new pod of the name wait for it', () => {
    const next = podOf({}, { uid: 'next-uid' });
    expect(decide('web-uid', hostPod(), next).actions).toMatchObject([{ do: 'delete', graceSeconds: 0 }]);
    expect(decide('web-uid', hostPod(leaving), next).actions).toMatchObject([{ do: 'delete', graceSeconds: 0 }]);
  });

  test('it is remembered until the host pod is gone', () => {
    expect(decide('web-uid', hostPod(leaving)).remembers).toBe('web-uid');
  });
});

describe('an orphan whose virtual pod this process has never seen', () => {
  test('has the time that the host gives it, also when it is looked at again', () => {
    const first = decide(undefined, hostPod());
    expect(first.actions).toMatchObject([{ do: 'delete', side: 'host' }]);
    expect(first.actions[0]).not.toMatchObject({ graceSeconds: 0 });
    expect(first.remembers).toBeUndefined();
    expect(decide(first.remembers, hostPod(leaving)).actions).toEqual([]);
  });
});

test('a graceful deletion has its own time [POD-20]', () => {
  const virtual = podOf({}, { deletionTimestamp: '2026-01-01T00:00:00Z', deletionGracePeriodSeconds: 12 });
  expect(decide('web-uid', hostPod(), virtual).actions).toMatchObject([
    { do: 'delete', side: 'host', graceSeconds: 12 },
  ]);
});
