/**
 * The syncer in a world where anything may come late, twice or never: a seed decides what. `SEEDS=5000` plays more of them,
 * `SEED=17` plays one again and tells its story.
 */
import { expect, test } from 'vitest';
import { play } from './simulation/simulation.ts';

const { SEED: only, SEEDS: many = '200' } = process.env;
const seeds = only === undefined ? Array.from({ length: Number(many) }, (_, index) => index + 1) : [Number(only)];

test(
  `two clusters end alike whatever happens on the way, ${seeds.length} seeds [F14] [F17] [F20] [F21] [F22] [F23] [F32]`,
  async () => {
    for (const seed of seeds) {
      const { violations, trace } = await play(seed);
      const story = only === undefined ? trace.slice(-15) : trace;
      expect(violations, `SEED=${seed} npx vitest run test/simulation.test.ts\n${story.join('\n')}`).toEqual([]);
    }
  },
  60_000 + seeds.length * 1_000,
);
