import { expect, test } from 'vitest';
import { readIds, Reads } from './reads.ts';

const pod = readIds.object('host', 'pods', 'n/a');
const all = readIds.list('host', 'pods', 'n');

test('Reads finds the readers of what was read, and forgets what is not read any more', () => {
  const reads = new Reads();
  reads.replace('x', new Set([pod, all]));
  reads.replace('y', new Set([pod]));
  expect([...reads.readersOf(pod)]).toEqual(['x', 'y']);
  reads.replace('x', new Set([all]));
  expect([...reads.readersOf(pod)]).toEqual(['y']);
  expect([...reads.readersOf(all)]).toEqual(['x']);
  reads.replace('x', new Set());
  expect([...reads.readersOf(all)]).toEqual([]);
});
