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

test('Reads keeps the others when one of several readers leaves, and nothing when all have', () => {
  const reads = new Reads();
  for (const reader of ['x', 'y', 'x']) reads.replace(reader, new Set([pod]));
  reads.replace('z', new Set([pod, all]));
  reads.replace('y', new Set());
  expect([...reads.readersOf(pod)]).toEqual(['x', 'z']);
  for (const reader of ['x', 'z']) reads.replace(reader, new Set());
  expect(reads.size).toBe(0);
});
