import { expect, test } from 'vitest';
import { Limit } from './limit.ts';

test('Limit gives no more places than it has, and each back once [KUB-13]', () => {
  const limit = new Limit(2);
  const first = limit.take();
  const second = limit.take();
  expect(first).toBeDefined();
  expect(second).toBeDefined();
  expect(limit.take()).toBeUndefined();
  first?.();
  first?.();
  expect(limit.take()).toBeDefined();
  expect(limit.take()).toBeUndefined();
});
