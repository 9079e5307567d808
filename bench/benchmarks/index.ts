/** Every benchmark there is; the order is that of the benchmarks page. */
import type { Benchmark } from './benchmark.ts';
import { b0, b2, b4 } from './bursts.ts';
import { b13 } from './ladder.ts';
import { b1, b3 } from './latency.ts';
import { b7 } from './restart.ts';
import { b5, b6 } from './standing.ts';
import { b8 } from './storm.ts';

export const benchmarks: readonly Benchmark[] = [b0, b1, b2, b3, b4, b5, b6, b7, b8, b13];
