import { expect, test } from 'vitest';
import { eventsOf, told, writesOf } from './audit.ts';
import type { Call } from './audit.ts';
import { parseContender } from './contenders.ts';
import { podOf, tryIdOf } from './pods.ts';
import { Sightings } from './sightings.ts';
import { shown } from './table.ts';

const call = (verb: string, resource: string, writes = true): Call => ({
  user: 'u',
  verb,
  resource,
  name: 'x',
  code: 200,
  writes,
});

test('writesOf() counts events apart and leases not at all', () => {
  const calls = [
    call('create', 'pods'),
    call('create', 'events'),
    call('update', 'leases'),
    call('get', 'pods', false),
    call('patch', 'pods/status'),
    call('patch', 'pods/status'),
  ];
  expect(told(writesOf(calls))).toBe('patch pods/status 2, create pods 1');
  expect(told(eventsOf(calls))).toBe('create events 1');
  expect(told([])).toBe('nothing');
});

test('parseContender() takes any command with its arguments, and says what is wrong with anything else', () => {
  expect(parseContender('mine=/bin/syncer --a=b c').command).toEqual(['sh', '-c', 'exec /bin/syncer --a=b c']);
  for (const wrong of ['', 'mine', '=x', 'My=x', 'mine=']) expect(() => parseContender(wrong)).toThrow('NAME=COMMAND');
});

test('a pod is known by its ID under whatever name', () => {
  const pod = podOf('t1-7', { namespace: 'a', token: true });
  expect(tryIdOf({ ...pod, metadata: { name: 'other', namespace: 'host' } })).toBe('t1-7');
  expect(
    tryIdOf({ metadata: { name: 'dns' }, spec: { containers: [{ name: 'dns', args: ['-conf'] }] } }),
  ).toBeUndefined();
});

test('Sightings keeps the first of each moment, of restarts the last, and the sides apart', () => {
  const sightings = new Sightings();
  sightings.take({ side: 'host', id: 'a', is: 'seen', atMs: 1, name: 'a-x' });
  sightings.take({ side: 'host', id: 'a', is: 'ready', atMs: 2 });
  sightings.take({ side: 'host', id: 'a', is: 'ready', atMs: 9 });
  sightings.take({ side: 'host', id: 'a', is: 'restarts', atMs: 3, value: 1 });
  sightings.take({ side: 'host', id: 'a', is: 'restarts', atMs: 4, value: 2 });
  expect(sightings.at('host', 'a')).toEqual({ seenMs: 1, name: 'a-x', readyMs: 2, restarts: 2, restartsMs: 4 });
  expect(sightings.at('virtual', 'a')).toEqual({});
});

test('shown() gives three digits and the range where there is one; a missing figure is no zero', () => {
  expect(shown({ median: 1.23456, low: 1, high: 2 }, 'ms')).toBe('1.23 ms (1–2)');
  expect(shown({ median: 1234.5, low: 1234.5, high: 1234.5 }, '')).toBe('1235');
  expect(shown({ median: Number.NaN, low: Number.NaN, high: Number.NaN }, 'ms')).toBe('–');
});
