/**
 * The auditor: a program of its own that compares both API servers and says what is wrong. It reads, and never writes.
 *
 *   node test/faults/auditor/main.ts --host-kubeconfig=… --virtual-kubeconfig=… --name=team-a --namespace=tenant-a
 *
 * Once: the report on standard error for people and on standard output as JSON; exits with 1 when something is wrong. With
 * `--serve` it stays, and answers questions, a line of JSON each, on standard input; then it has seen everything from the start.
 * With `--host-audit-log` and `--virtual-audit-log` (JSON lines) it also judges each write and deletion of the syncer.
 */
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { Auditor } from './audit.ts';
import type { Question, Report } from './audit.ts';
import { Ledger } from './ledger.ts';
import { readable } from './report.ts';
import { World } from './world.ts';

const text = { type: 'string' } as const;
const { values } = parseArgs({
  options: {
    'host-kubeconfig': text,
    'virtual-kubeconfig': text,
    name: text,
    namespace: text,
    'host-audit-log': text,
    'virtual-audit-log': text,
    'host-user': text,
    'virtual-user': { ...text, default: 'vcluster-syncer' },
    'within-ms': { ...text, default: '60000' },
    'quiet-ms': { ...text, default: '2000' },
    pid: text,
    'health-url': text,
    serve: { type: 'boolean', default: false },
  },
});

function required(flag: 'host-kubeconfig' | 'virtual-kubeconfig' | 'name' | 'namespace'): string {
  const value = values[flag];
  if (value === undefined) throw new Error(`The auditor needs --${flag}.`);
  return value;
}

const release = { name: required('name'), namespace: required('namespace') };
const world = new World(release, { host: required('host-kubeconfig'), virtual: required('virtual-kubeconfig') });
const ledgers = (['host', 'virtual'] as const).flatMap((where) => {
  const path = values[`${where}-audit-log`];
  return path === undefined ? [] : [new Ledger(where, path)];
});
const syncer = {
  host: values['host-user'] ?? `system:serviceaccount:${release.namespace}:vc-${release.name}`,
  virtual: values['virtual-user'],
};
const auditor = new Auditor(world, ledgers, syncer);
const stop = new AbortController();

async function once(): Promise<void> {
  const report = await auditor.audit({
    withinMs: Number(values['within-ms']),
    quietMs: Number(values['quiet-ms']),
    pid: values.pid === undefined ? undefined : Number(values.pid),
    healthUrl: values['health-url'],
  });
  process.stderr.write(`${readable(report)}\n`);
  process.stdout.write(`${JSON.stringify(report)}\n`);
  if (!report.ok) process.exitCode = 1;
}

async function serve(): Promise<void> {
  while (!world.complete) await world.change(100);
  process.stdout.write('{"ready":true}\n');
  for await (const line of createInterface({ input: process.stdin })) {
    const report: Report = await auditor.audit(JSON.parse(line) as Question);
    process.stdout.write(`${JSON.stringify(report)}\n`);
  }
}

const watching = world.run(stop.signal);
await (values.serve ? serve() : once());
stop.abort();
await watching;
