/**
 * A long run: a tenant who never rests, one fault after the other on the way to either API server or to the syncer itself, by seed, and
 * the auditor after each round. Starts empty and ends empty. On demand only:
 *
 *   FAULTS=soak MINUTES=30 SEED=7 npx vitest run --project api test/faults/crash-soak.kube.test.ts
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Side } from '../../syncer/model/side.ts';
import { freePorts } from '../../testbed/ports.ts';
import { makeNamespace } from '../support/namespaces.ts';
import { randomFrom } from '../support/random.ts';
import { clear, whileChurning } from './crash-churn.ts';
import { holdingsOf } from './crash-memory.ts';
import { seed, startStage } from './crash-stage.ts';
import type { Stage } from './crash-stage.ts';
import type { Rule } from './proxy/rules.ts';

const isSoak = process.env['FAULTS'] === 'soak';
const minutes = Number(process.env['MINUTES'] ?? 30);
const roundMs = 25_000;
const namespace = 'soak';
const random = randomFrom(seed);

/** What befalls one way for one round. */
const faults: Readonly<Record<string, Rule>> = {
  'late events': { do: { is: 'line', to: () => ({ is: 'delay', ms: 200 }) }, chance: 0.3 },
  'doubled events': { do: { is: 'line', to: () => ({ is: 'twice' }) }, chance: 0.3 },
  'watches that have expired': {
    when: ({ isWatch }) => isWatch,
    chance: 0.7,
    do: { is: 'answer', answer: { status: 410, body: { kind: 'Status', code: 410, reason: 'Expired' } } },
  },
  'too many requests': {
    when: ({ isWatch }) => !isWatch,
    chance: 0.3,
    do: { is: 'answer', answer: { status: 429, headers: { 'retry-after': '1' } } },
  },
  'errors of the server': {
    chance: 0.5,
    do: { is: 'answer', answer: { status: 503, body: { kind: 'Status', code: 503 } } },
  },
  'lost answers': { when: ({ isWrite }) => isWrite, chance: 0.2, do: { is: 'lose' } },
  'cut lines': { do: { is: 'line', to: () => ({ is: 'truncate', bytes: 40 }) }, chance: 0.05 },
  'slow answers': { do: { is: 'delay', ms: [0, 1_500] }, chance: 0.5 },
};

let stage: Stage;

function pick<T>(list: readonly T[]): T {
  const found = list[Math.floor(random() * list.length)];
  if (found === undefined) throw new Error('Nothing to pick from.');
  return found;
}

/** One round of one fault, with or without a crash in the middle. */
async function befall(): Promise<string> {
  const side = pick<Side>(['host', 'virtual']);
  const [name, rule] = pick(Object.entries(faults));
  const dies = random() < 0.3;
  stage.pair.proxies[side].rules.add(rule);
  try {
    await whileChurning(stage.pair, { namespace, random, perSecond: 8 }, async () => {
      await sleep(roundMs / 2);
      if (dies) {
        await stage.pair.syncer.stop('SIGKILL');
        await stage.pair.syncer.launch();
      }
      await sleep(roundMs / 2);
    });
  } finally {
    stage.pair.proxies[side].rules.clear();
  }
  if (dies) await stage.pair.syncer.ready();
  return `${side}: ${name}${dies ? ', and a crash' : ''}`;
}

describe.skipIf(!isSoak)(`FAULTS=soak MINUTES=${minutes} SEED=${seed}`, () => {
  beforeAll(async () => {
    stage = await startStage('crash-soak', { through: { host: {}, virtual: {} }, logLevel: 'info' });
    await makeNamespace(stage.pair, namespace);
  });

  afterAll(() => stage?.stop());

  test(
    'one fault after the other: after each both sides agree, and in the end nothing is left [F76] [I1, I3, I8]',
    async () => {
      const empty = (await stage.audit()).counts;
      const untilMs = performance.now() + minutes * 60_000;
      while (performance.now() < untilMs) {
        const what = await befall();
        const { agreedAfterMs } = await stage.audit();
        process.stderr.write(`Soak: ${what}: agreed after ${agreedAfterMs} ms\n`);
      }
      const [port = 0] = await freePorts(1, '127.0.0.1');
      await stage.pair.syncer.stop();
      await stage.pair.syncer.start({ nodeFlags: [`--inspect=127.0.0.1:${port}`] });
      const before = await holdingsOf(port);
      await whileChurning(stage.pair, { namespace, random, perSecond: 20 }, () => sleep(roundMs));
      await clear(stage.pair, namespace);
      const { counts } = await stage.audit();
      expect(left(counts)).toEqual(left(empty));
      const after = await holdingsOf(port);
      process.stderr.write(`Soak: ${JSON.stringify(before)} → ${JSON.stringify(after)}\n`);
      expect(after.timers).toBeLessThanOrEqual(before.timers + 2);
      expect(after.sockets).toBeLessThanOrEqual(before.sockets + 1);
    },
    (minutes + 30) * 60_000,
  );
});

/** How many copies there are on the host, by kind. */
function left(
  counts: Readonly<Record<string, { readonly added: number; readonly deleted: number }>>,
): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(counts).map(([plural, { added, deleted }]) => [plural, added - deleted]));
}
