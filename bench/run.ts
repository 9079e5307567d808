/**
 * `npm run bench`: what a pod's life costs, at API level, in about two minutes. `npm run bench -- start [repeats]`: how long a
 * release takes to start, at node level. Figures are printed and kept in bench/results.md.
 */
import { lifecycles } from './lifecycles.ts';
import { record } from './results.ts';
import type { Row } from './results.ts';
import { measureStart } from './start.ts';
import type { Idle, Start } from './start.ts';

const defaultRepeats = 3;

async function benchLifecycles(): Promise<void> {
  const how =
    'Two real API servers as processes, kwok for a kubelet, 200 pods made at once and deleted at once, first without a token ' +
    "volume and then with one; writes counted from both API servers' audit logs, the syncer being the image's bundled program.";
  await record('Pod lifecycles', how, await lifecycles());
}

async function benchStart(repeats: number): Promise<void> {
  const { starts, idle } = await measureStart(repeats, 'volume');
  const { starts: bare } = await measureStart(repeats, 'pod');
  const rows: readonly Row[] = [
    { what: '`helm install` → virtual API server ready', figure: seconds(starts, 'apiReadySeconds'), aim: '≤ 10 s' },
    { what: '`helm install` → first pod accepted', figure: seconds(starts, 'readySeconds') },
    { what: '`helm install` → first pod Running', figure: seconds(starts, 'firstPodSeconds'), aim: '≤ 12 s' },
    { what: 'the same to the API server, etcd without a volume', figure: seconds(bare, 'apiReadySeconds') },
    { what: 'the same to the first pod, etcd without a volume', figure: seconds(bare, 'firstPodSeconds') },
    ...(idle === undefined ? [] : idleRows(idle)),
  ];
  const how = `The chart on the node-level testbed, images present, ${repeats} times; median (smallest to largest).`;
  await record('Start of a release', how, rows);
}

function idleRows({ rssMib, pssMib, cpuMilliseconds }: Idle): readonly Row[] {
  const memory = `${Math.round(rssMib)} · ${Math.round(pssMib)} MiB`;
  return [
    { what: 'syncer RSS · PSS, idle', figure: memory, aim: '≤ 90 MiB' },
    { what: 'syncer CPU in an idle minute', figure: `${cpuMilliseconds} ms`, aim: '≤ 300 ms' },
  ];
}

function seconds(starts: readonly Start[], field: keyof Start): string {
  const sorted = starts.map((start) => start[field]).toSorted((a, b) => a - b);
  const text = (figure = Number.NaN): string => figure.toFixed(1);
  return `${text(sorted[Math.floor(sorted.length / 2)])} s (${text(sorted[0])} to ${text(sorted.at(-1))})`;
}

const [what, repeats] = process.argv.slice(2);
if (what === undefined) await benchLifecycles();
else if (what === 'start') await benchStart(Number(repeats ?? defaultRepeats));
else throw new Error(`Unknown benchmark "${what}". Known are: start, and none for pod lifecycles.`);
// Connections of clients would keep the process for a while.
process.exit(0);
