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
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const levels = ['pure', 'api', 'node'] as const;
type Level = (typeof levels)[number];

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numFailedTestSuites: number;
  readonly numPendingTests: number;
}

interface Count {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

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
  // A run that fails without a failed test (no report, an error outside of tests) has still failed.
  return code !== 0 && count.failed === 0 ? { ...count, failed: 1 } : count;
}

async function readCount(path: string): Promise<Count> {
  try {
    const report = JSON.parse(await readFile(path, 'utf8')) as Report;
    return { passed: report.numPassedTests, failed: report.numFailedTests, skipped: report.numPendingTests };
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  }
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
  let total: Count = { passed: 0, failed: 0, skipped: 0 };
  if (asked.length === 0) {
    process.stdout.write('Checking format, lint, types and generated files\n');
    const failed = (await execute('npm', ['run', '--silent', 'check'])) === 0 ? 0 : 1;
    total = { passed: 1 - failed, failed, skipped: 0 };
  }
  for (const level of levels) {
    if (asked.length > 0 && !asked.includes(level)) continue;
    const reason = obstacle(level);
    if (reason !== undefined) {
      process.stdout.write(`\nLevel ${level}: skipped, because ${reason}.\n`);
      total = { ...total, skipped: total.skipped + 1 };
      continue;
    }
    const count = await runLevel(level);
    total = {
      passed: total.passed + count.passed,
      failed: total.failed + count.failed,
      skipped: total.skipped + count.skipped,
    };
  }
  process.stdout.write(`\n${text(total)}\n`);
  return total.failed === 0 ? 0 : 1;
}

process.exitCode = await main();
