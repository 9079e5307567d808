import { describe, expect, test } from 'vitest';
import { Channels } from './port-forward.ts';
import { choosePod } from './tunnel.ts';
import type { HostObject } from './types.ts';

const port = [0x2b, 0x19];
const message = (...bytes: readonly (number | string)[]): Buffer =>
  Buffer.concat(bytes.map((each) => (typeof each === 'number' ? Buffer.of(each) : Buffer.from(each))));

function pod(name: string, { phase = 'Running', ready = false, leaving = false } = {}): HostObject {
  return {
    metadata: { name, ...(leaving && { deletionTimestamp: '2026-01-01T00:00:00Z' }) },
    status: { phase, conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
  };
}

describe('choosePod()', () => {
  test.each([
    ['a ready one first', [pod('a'), pod('b', { ready: true })], 'b'],
    ['one that only runs otherwise', [pod('a', { phase: 'Pending' }), pod('b')], 'b'],
    ['none that is leaving', [pod('a', { ready: true, leaving: true }), pod('b')], 'b'],
    ['none when none runs', [pod('a', { phase: 'Pending' }), pod('b', { leaving: true })], undefined],
    ['none of none', [], undefined],
    ['one without a status is not running yet', [{ metadata: { name: 'a' } }], undefined],
  ])('%s', (_what, pods, chosen) => {
    expect(choosePod(pods)).toBe(chosen);
  });
});

describe('Channels', () => {
  test('the port at the beginning of a channel is no content, however it is cut', () => {
    const channels = new Channels();
    expect(channels.read(message(0, ...port.slice(0, 1)))).toHaveLength(0);
    expect(channels.read(message(0, ...port.slice(1), 'hello')).toString()).toBe('hello');
    expect(channels.read(message(1, ...port))).toHaveLength(0);
    expect(channels.read(message(0, ' world')).toString()).toBe(' world');
    expect(channels.problem).toBe('');
  });

  test('what the node has to say is kept apart', () => {
    const channels = new Channels();
    expect(channels.read(message(1, ...port, 'nobody '))).toHaveLength(0);
    expect(channels.read(message(1, 'listens'))).toHaveLength(0);
    expect(channels.problem).toBe('nobody listens');
  });

  test('unknown channels and empty messages are nothing', () => {
    const channels = new Channels();
    expect(channels.read(message(7, 'x'))).toHaveLength(0);
    expect(channels.read(Buffer.alloc(0))).toHaveLength(0);
  });
});
