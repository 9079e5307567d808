import { describe, expect, test } from 'vitest';
import type { ClusterView } from '../../operations/cluster.ts';
import type { Condition, Phase } from '../../operations/conditions.ts';
import { isFaltering } from './read.ts';
import type { Seen } from './read.ts';

const ready: Condition = { type: 'ControlPlaneReady', status: 'True', reason: '', message: '' };
const silent: Condition = { type: 'SyncerReady', status: 'False', reason: 'NotReady', message: 'Container syncer …' };
const crashing: Condition = { ...silent, reason: 'CrashLoopBackOff' };
const unready = 'not ready: Container syncer …';
const replaced = 'not ready: its pod is being replaced';

function view(phase: Phase, ...conditions: readonly Condition[]): ClusterView {
  return { phase, conditions } as Partial<ClusterView> as ClusterView;
}

describe('isFaltering(): what may be over in a moment', () => {
  test.each<[string, Seen, boolean]>([
    ['nothing', { view: view('Running', ready), drift: [] }, false],
    ['a container that runs and does not answer', { view: view('Degraded', ready, silent), drift: [unready] }, true],
    ['all ready, which was not noted yet', { view: view('Running', ready), drift: [replaced] }, true],
    ['a container that does not run', { view: view('Degraded', ready, crashing), drift: [unready] }, false],
    ['one that was never ready', { view: view('Pending', ready, silent), drift: [unready] }, false],
    ['one that sleeps', { view: view('Paused', silent), drift: ['paused: false → true'] }, false],
    ['changed besides', { view: view('Degraded', silent), drift: [unready, 'Service a is gone'] }, false],
  ])('%s', (_, seen, falters) => {
    expect(isFaltering(seen)).toBe(falters);
  });
});
