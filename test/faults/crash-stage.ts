/**
 * The stage of the crash tests: a pair of control planes that note every write, the syncer between them, chaos proxies where asked
 * for, and the auditor beside it all, which has seen everything from the start.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Side } from '../../syncer/model/side.ts';
import { hostNamespace, releaseName, startPair } from '../support/pair.ts';
import type { Pair, PairOptions } from '../support/pair.ts';
import type { Question } from './auditor/audit.ts';
import { AuditorProcess } from './auditor/auditor.ts';
import type { Report } from './auditor/auditor.ts';

const { FAULTS = 'short', SEED, SYNCER_PROGRAM: program } = process.env;

/** `FAULTS=long` tries everything where the daily run tries a sample, and waits for as long as the specification says. */
export const isLong: boolean = FAULTS === 'long';
export const seed: number = Number(SEED ?? 20_261_123);

/** What a test may take on a machine that has other things to do; nothing here is a measure of speed. */
export const patience: number = isLong ? 3_600_000 : 600_000;

/** For titles: how to have this very run again. */
export const form: string = `FAULTS=${FAULTS} SEED=${seed}`;

/**
 * Until both sides agree again and are at rest: after an outage the keys of the syncer, its watches and those of the host's own programs
 * wait for up to a minute each. And how long is rest.
 */
const withinMs = 180_000;
const quietMs = isLong ? 30_000 : 700;

const auditPolicy = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [
    // With the body, in which the UID stands that a deletion is bound to.
    { level: 'Request', verbs: ['delete'] },
    { level: 'Metadata', verbs: ['create', 'update', 'patch', 'deletecollection'] },
    { level: 'None' },
  ],
};

export interface Stage {
  readonly pair: Pair;
  /** Waits until all is well and quiet. @throws with what is not */
  audit(question?: Partial<Question>): Promise<Report>;
  /** The same without a verdict. */
  report(question?: Partial<Question>): Promise<Report>;
  stop(): Promise<void>;
}

/** Starts everything; `name` keeps test files apart. */
export async function startStage(name: string, options: Omit<PairOptions, 'apiServerArgs'> = {}): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), `${name}-`));
  const policy = join(folder, 'policy.json');
  await writeFile(policy, JSON.stringify(auditPolicy));
  const logs = { host: join(folder, 'host.log'), virtual: join(folder, 'virtual.log') };
  const args = (side: Side): readonly string[] => [
    `--audit-policy-file=${policy}`,
    `--audit-log-path=${logs[side]}`,
    // A line for each request before the next one, or rest could not be told from a full buffer.
    '--audit-log-mode=blocking',
  ];
  const pair = await startPair(name, {
    // SYNCER_PROGRAM=<file> crashes another build than these sources.
    ...(program === undefined ? {} : { program }),
    ...options,
    apiServerArgs: { host: args('host'), virtual: args('virtual') },
  });
  const auditor = await AuditorProcess.start({
    hostKubeconfig: pair.hostPlane.kubeconfigPath,
    virtualKubeconfig: pair.virtualPlane.kubeconfigPath,
    name: releaseName,
    namespace: hostNamespace,
    hostAuditLog: logs.host,
    virtualAuditLog: logs.virtual,
  });
  const complete = (question: Partial<Question>): Question => ({
    withinMs,
    quietMs,
    pid: pair.syncer.pid,
    healthUrl: pair.syncer.healthUrl,
    ...question,
  });
  return {
    pair,
    audit: (question = {}) => auditor.expectWell(complete(question)),
    report: (question = {}) => auditor.report(complete(question)),
    stop: async () => {
      await auditor.stop();
      await pair.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
