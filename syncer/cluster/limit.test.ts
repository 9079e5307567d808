import { beforeEach, describe, expect, test } from 'vitest';
import { Limit } from './limit.ts';
import type { Place } from './limit.ts';

const pod: Place = { lane: 'normal', kind: 'pods' };
const secret: Place = { lane: 'normal', kind: 'secrets' };
const status: Place = { lane: 'urgent', kind: 'pods/status' };

let limit: Limit;
let nowMs: number;
let started: string[];
let ends: Map<string, () => void>;

beforeEach(() => {
  nowMs = 0;
  limit = new Limit(16, () => nowMs);
  started = [];
  ends = new Map();
});

/** Asks for a place; the task lasts until `end`. */
function ask(name: string, place: Place): void {
  void limit.run(async () => {
    started.push(name);
    await new Promise<void>((resolve) => ends.set(name, resolve));
  }, place);
}

function askMany(count: number, name: string, place: Place): void {
  for (let at = 1; at <= count; at++) ask(`${name}${at}`, place);
}

async function end(name: string): Promise<void> {
  ends.get(name)?.();
  // As many turns as the way from one task's end to the next one's beginning takes.
  for (let turn = 0; turn < 5; turn++) await Promise.resolve();
}

describe('Limit', () => {
  test('bulk never has all places: what is urgent starts at once', () => {
    askMany(20, 'pod', pod);
    askMany(20, 'secret', secret);
    expect(started).toHaveLength(14);
    ask('status', status);
    expect(started.at(-1)).toBe('status');
  });

  test('one kind never has all places of bulk [F48]', () => {
    askMany(20, 'pod', pod);
    expect(started).toHaveLength(12);
    ask('secret1', secret);
    ask('secret2', secret);
    expect(started.slice(12)).toEqual(['secret1', 'secret2']);
  });

  test('a place that becomes free goes to the kind with the fewest, and within a kind to the first', async () => {
    askMany(14, 'pod', pod);
    askMany(5, 'secret', secret);
    expect(started.slice(12)).toEqual(['secret1', 'secret2']);
    await end('pod1');
    await end('pod2');
    expect(started.slice(14)).toEqual(['secret3', 'secret4']);
    await end('secret1');
    await end('pod3');
    expect(started.slice(16)).toEqual(['secret5', 'pod13']);
  });

  test('what is urgent goes first, but never for ever', async () => {
    askMany(14, 'pod', pod);
    askMany(16, 'status', status);
    ask('secret1', secret);
    ask('secret2', secret);
    ask('secret3', secret);
    const before = started.length;
    expect(before).toBe(16);
    for (let at = 1; at <= 4; at++) await end(`status${at}`);
    expect(started.slice(before)).toEqual(['status5', 'status6', 'status7', 'status8']);
    for (let at = 1; at <= 9; at++) await end(`pod${at}`);
    expect(started.slice(before)).toContain('secret1');
  });

  test('429 halves what is under way, once for one crowd; successes let it grow again [F29]', async () => {
    askMany(12, 'pod', pod);
    limit.tooMany();
    limit.tooMany();
    askMany(6, 'more', pod);
    for (let at = 1; at <= 6; at++) await end(`pod${at}`);
    expect(started).toHaveLength(12);
    for (let at = 7; at <= 12; at++) await end(`pod${at}`);
    const shrunk = started.length - 12;
    expect(shrunk).toBeGreaterThan(0);
    expect(shrunk).toBeLessThan(6);
    ask('status1', status);
    expect(started.at(-1)).toBe('status1');
    for (let success = 0; success < 200; success++) limit.succeeded();
    await end('more1');
    expect(started.filter((name) => name.startsWith('more'))).toHaveLength(6);
  });
});
