/**
 * `npm test`: the checks, then the three levels of tests one after the other (CONTRIBUTING.md), with one count at the end.
 *
 *   npm test                    everything that this machine can run
 *   npm test -- pure api        only these levels
 *
 * A level that cannot run here is named with the reason; it is never passed over in silence.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const levels = ['pure', 'api', 'node'] as const;
type Level = (typeof levels)[number];
const failureLinesMax = 20;

interface Report {
  readonly numPassedTests: number;
  readonly numPendingTests: number;
  readonly testResults: readonly ReportedFile[];
}

interface ReportedFile {
  /** Its path. */
  readonly name: string;
  readonly status: string;
  /** Why it failed outside of its tests. */
  readonly message: string;
  readonly assertionResults: readonly {
    readonly status: string;
    readonly fullName: string;
    readonly failureMessages: readonly string[];
  }[];
}

interface Count {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** One text for each failure, told again at the end: what a test printed is far above by then. */
  readonly failures: readonly string[];
}

const none: Count = { passed: 0, failed: 0, skipped: 0, failures: [] };

/** Why a level cannot run on this machine; undefined when it can. */
function obstacle(level: Level): string | undefined {
  if (level === 'pure') return undefined;
  if (process.platform !== 'linux') return 'it starts Kubernetes as Linux processes';
  if (level === 'node' && process.env['HOST_KUBECONFIG'] === undefined && process.getuid?.() !== 0) {
    return 'a node with containers needs root; or name a cluster to use instead in HOST_KUBECONFIG';
  }
  return undefined;
}

async function execute(command: string, args: readonly string[]): Promise<number> {
  const child = spawn(command, args, { cwd: root, stdio: 'inherit' });
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? 1;
}

async function runLevel(level: Level): Promise<Count> {
  const report = join(root, 'out', `test-${level}.json`);
  await rm(report, { force: true });
  const startedMs = Date.now();
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const args = [vitest, 'run', '--project', level, '--reporter=default', '--reporter=json', `--outputFile=${report}`];
  const code = await execute(process.execPath, ['--conditions=source', ...args]);
  const count = await readCount(report);
  process.stdout.write(`\nLevel ${level}: ${text(count)} in ${Math.round((Date.now() - startedMs) / 1000)} s\n`);
  // A run that fails without a failed test or file (an unhandled error, say) has still failed.
  return code !== 0 && count.failed === 0 ? plus(count, failure(`level ${level}, outside of its files`)) : count;
}

async function readCount(path: string): Promise<Count> {
  try {
    const report = JSON.parse(await readFile(path, 'utf8')) as Report;
    const failures = report.testResults.flatMap(failuresIn);
    const { numPassedTests: passed, numPendingTests: skipped } = report;
    return { passed, failed: failures.length, skipped, failures };
  } catch (error) {
    return failure(`no report in ${path}: ${String(error)}`);
  }
}

function failuresIn({ name, status, message, assertionResults }: ReportedFile): readonly string[] {
  const file = relative(root, name);
  const failed = assertionResults.filter((result) => result.status === 'failed');
  if (status === 'failed' && failed.length === 0) return [`${file}: ${message}`];
  return failed.map(({ fullName, failureMessages }) => `${file} > ${fullName}: ${failureMessages.join('\n')}`);
}

function failure(what: string): Count {
  return { ...none, failed: 1, failures: [what] };
}

function plus(one: Count, other: Count): Count {
  return {
    passed: one.passed + other.passed,
    failed: one.failed + other.failed,
    skipped: one.skipped + other.skipped,
    failures: [...one.failures, ...other.failures],
  };
}

function beginning(failed: string): string {
  const own = failed.split('\n').filter((line) => !line.includes('/node_modules/'));
  return own.slice(0, failureLinesMax).join('\n');
}

function text({ passed, failed, skipped }: Count): string {
  return `${passed} passed, ${failed} failed${skipped === 0 ? '' : `, ${skipped} skipped`}`;
}

async function main(): Promise<number> {
  const asked = process.argv.slice(2);
  const unknown = asked.find((name) => !levels.includes(name as Level));
  if (unknown !== undefined) {
    process.stderr.write(`Unknown level "${unknown}". Levels are: ${levels.join(', ')}.\n`);
    return 2;
  }
  await mkdir(join(root, 'out'), { recursive: true });
  let total = none;
  if (asked.length === 0) {
    process.stdout.write('Checking format, lint, types and generated files\n');
    const isClean = (await execute('npm', ['run', '--silent', 'check'])) === 0;
    total = isClean ? { ...none, passed: 1 } : failure('npm run check');
  }
  for (const level of levels) {
    if (asked.length > 0 && !asked.includes(level)) continue;
    const reason = obstacle(level);
    if (reason !== undefined) {
      process.stdout.write(`\nLevel ${level}: skipped, because ${reason}.\n`);
      total = plus(total, { ...none, skipped: 1 });
      continue;
    }
    total = plus(total, await runLevel(level));
  }
  if (total.failures.length > 0) process.stdout.write(`\nFailed:\n\n${total.failures.map(beginning).join('\n\n')}\n`);
  process.stdout.write(`\n${text(total)}\n`);
  return total.failed === 0 ? 0 : 1;
}

process.exitCode = await main();
