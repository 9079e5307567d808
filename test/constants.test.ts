/**
 * The intervals and limits that the specification names, where each of them stands, and what it is here. Whoever changes one finds
 * here what it was meant to be. Those of mechanisms that do not exist here have no entry: the ExternalName switch, the window of
 * block deletion, the PV lock, the collection of mappings and cached objects, per-node services and the authentication cache.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

interface Constant {
  /** What the specification says it is. */
  readonly meant: string;
  readonly file: string;
  readonly name: string;
  readonly value: number;
}

const constants: readonly Constant[] = [
  { meant: 'after a conflict: 1 s', file: 'loop/engine.ts', name: 'conflictRetryMaxMs', value: 500 },
  { meant: 'first retry of a key: 5 ms', file: 'loop/queue.ts', name: 'firstRetryMs', value: 5 },
  // A tenant should not wait a quarter of an hour for a quota that was raised.
  { meant: 'longest retry of a key: 1000 s', file: 'loop/queue.ts', name: 'retryMaxDefaultMs', value: 60_000 },
  { meant: 'until a write is visible: 2 s', file: 'loop/engine.ts', name: 'awaitMaxMs', value: 2_000 },
  // One pool for all kinds, and as many as there may be writes in flight.
  { meant: 'workers: 10 per kind', file: 'loop/engine.ts', name: 'workersDefault', value: 64 },
  // In flight instead of per second: the servers' own 429 says when it is too much (design D5).
  { meant: 'host client: 40 a second, bursts of 80', file: 'cluster/client.ts', name: 'inFlightMax', value: 64 },
  { meant: 'default grace period: 30 s', file: 'resources/pods/status.ts', name: 'defaultGraceSeconds', value: 30 },
  { meant: 'second look at everything: 10 to 30 min', file: 'run.ts', name: 'auditMs', value: 600_000 },
  { meant: 'first retry of a watch: 0.8 s', file: 'cluster/watch-state.ts', name: 'firstDelayMs', value: 800 },
  { meant: 'longest retry of a watch: 30 s', file: 'cluster/watch-state.ts', name: 'delayMaxMs', value: 30_000 },
  { meant: 'objects of a page: 500', file: 'cluster/client.ts', name: 'pageSizeMax', value: 500 },
  { meant: 'credentials are read again: 1 min', file: 'cluster/access.ts', name: 'readAgainMs', value: 60_000 },
  { meant: 'longest name: 63', file: '../config/host-names.ts', name: 'hostNameLengthMax', value: 63 },
  { meant: 'nameservers of a pod: 3', file: 'resources/pods/dns.ts', name: 'nameserversMax', value: 3 },
  { meant: 'search domains of a pod: 32', file: 'resources/pods/dns.ts', name: 'searchesMax', value: 32 },
  { meant: 'their length: 2048', file: 'resources/pods/dns.ts', name: 'searchCharactersMax', value: 2048 },
  {
    meant: 'what admission asks of a token: 3607 s',
    file: 'resources/pods/tokens.ts',
    name: 'defaultMountSeconds',
    value: 3607,
  },
];

function valueOf({ file, name }: Constant): number {
  const source = readFileSync(join(import.meta.dirname, '..', 'syncer', file), 'utf8');
  const factors = new RegExp(`const ${name}(?:: number)? = ([\\d_* ]+);`, 'u').exec(source)?.[1]?.split('*');
  if (factors === undefined) throw new Error(`syncer/${file} has no constant ${name}.`);
  return factors.reduce((product, factor) => product * Number(factor.trim().replaceAll('_', '')), 1);
}

describe('constants [CST-01]', () => {
  test.each(constants)('$meant', (constant) => {
    expect(valueOf(constant)).toBe(constant.value);
  });
});
