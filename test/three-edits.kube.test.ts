/**
 * Adding a resource is three edits (docs/adr/0014): those of CONTRIBUTING.md are made in a copy of this tree, and everything else
 * follows from them. The resource itself never gets into the product.
 */
import { execFile } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { apply, copyOfTree, editsOf } from './support/walkthrough.ts';
import type { Edit } from './support/walkthrough.ts';

const run = promisify(execFile);
/** Ends what hangs, with what it has started. */
const toolTimeoutMs = 230_000;
const sampleFile = 'test/samples/ingresses.ts';

vi.setConfig({ testTimeout: 240_000 });

let copy: string;
let edits: readonly Edit[];

beforeAll(async () => {
  edits = await editsOf('Add a resource');
  copy = await copyOfTree();
  for (const edit of edits) await apply(edit, copy);
});

afterAll(() => rm(copy, { recursive: true, force: true }));

/** Runs a tool of node_modules in the copy. @throws with what it printed when it fails */
async function tool(name: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
  const options = {
    cwd: copy,
    env: { ...process.env, NO_COLOR: '1', ...env },
    maxBuffer: 2 ** 26,
    timeout: toolTimeoutMs,
  };
  const { stdout } = await run(join(copy, 'node_modules/.bin', name), args, options).catch((error: unknown) => {
    const { stdout: told = '', stderr = '' } = error as { readonly stdout?: string; readonly stderr?: string };
    throw new Error(`${name} ${args.join(' ')} failed:\n${told}${stderr}`, { cause: error });
  });
  return stdout;
}

interface Result {
  readonly fullName: string;
  readonly status: string;
  readonly failureMessages: readonly string[];
}

/** Runs tests in the copy; what they were skipped for counts as not run. */
async function results(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<readonly Result[]> {
  const file = join(copy, 'report.json');
  const running = tool('vitest', ['run', '--reporter=json', `--outputFile=${file}`, ...args], env);
  const failed = await running.then(() => undefined).catch((error: unknown) => error);
  const report = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw failed ?? cause;
  });
  const { testResults } = JSON.parse(report) as {
    readonly testResults: readonly { readonly message: string; readonly assertionResults: readonly Result[] }[];
  };
  const ran = testResults.flatMap(({ assertionResults }) =>
    assertionResults.filter(({ status }) => status !== 'skipped'),
  );
  // A file that could not be loaded has no results.
  if (ran.length === 0) throw new Error(testResults.map(({ message }) => message).join('\n'), { cause: failed });
  return ran;
}

describe('the walk-through of CONTRIBUTING.md', () => {
  test('is three edits, in the three places that it names', () => {
    expect(edits.map(({ path }) => path)).toEqual([
      'syncer/resources/ingresses.ts',
      'syncer/resources/index.ts',
      sampleFile,
    ]);
  });

  test('is well-typed, clean and formatted as it stands there', async () => {
    const files = edits.map(({ path }) => path);
    await tool('oxfmt', ['--check', ...files]);
    await tool('oxlint', ['--type-aware', '--deny-warnings', ...files]);
    expect(await tool('tsc', ['-p', '.'])).toBe('');
  });

  test('gives the syncer its rights and the documentation its row, and nothing else', async () => {
    const wrote = await tool('node', ['scripts/generate.ts']);
    expect(wrote.trim()).toBe('Wrote chart/files/rules.json, docs/resources.md.');
    const rules = JSON.parse(await readFile(join(copy, 'chart/files/rules.json'), 'utf8')) as unknown;
    expect(rules).toContainEqual({
      apiGroups: ['networking.k8s.io'],
      resources: ['ingresses'],
      verbs: ['create', 'delete', 'get', 'list', 'patch', 'watch'],
    });
    expect(await readFile(join(copy, 'docs/resources.md'), 'utf8')).toContain('| networking.k8s.io/v1 Ingress |');
  });

  test('is taken through the life of every resource, unasked, on real API servers [CORE-01, CORE-26, NAM-30]', async () => {
    const own = ['--project=api', 'test/conformance.kube.test.ts', '-t', '^ingresses '];
    const ran = await results(own, { CONFORMANCE_PAIR: 'three-edits' });
    expect(ran.filter(({ status }) => status !== 'passed')).toEqual([]);
    const titles = ran.map(({ fullName }) => fullName);
    expect(titles.length).toBeGreaterThanOrEqual(9);
    for (const title of ['a second look writes nothing', 'the tenant sees it', 'deleted by the tenant', 'left alone'])
      expect(titles).toContainEqual(expect.stringContaining(title));
  });

  test('without its sample it does not pass', async () => {
    await rm(join(copy, sampleFile));
    const ran = await results(['--project=pure', 'test/samples/samples.test.ts']);
    const failed = ran.filter(({ status }) => status === 'failed');
    expect(failed).toEqual([
      expect.objectContaining({
        fullName: expect.stringContaining('ingresses'),
        failureMessages: [expect.stringContaining('Add test/samples/ingresses.ts with its sample')],
      }),
    ]);
  });
});
