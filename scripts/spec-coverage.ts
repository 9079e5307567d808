/**
 * `node scripts/spec-coverage.ts`: writes docs/spec-coverage.md, which test holds which rule of the specification. With
 * `--check` it writes nothing and exits with 1 when the page is stale.
 *
 * Either way it fails when a rule has neither a test nor a reason, or when a title names a rule that does not exist.
 */
import { existsSync, globSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cover, coveragePage, titlesIn } from './lib/coverage.ts';
import type { RuleBook } from './lib/coverage.ts';

const root = join(import.meta.dirname, '..');
const pagePath = 'docs/spec-coverage.md';
const ignored = new Set(['node_modules', 'dist', 'out']);

const book = JSON.parse(await readFile(join(root, 'docs/spec-rules.json'), 'utf8')) as RuleBook;
const files = globSync('**/*.test.ts', { cwd: root, exclude: (name) => ignored.has(name) });
const titles = await Promise.all(
  files.toSorted().map(async (file) => titlesIn(file, await readFile(join(root, file), 'utf8'))),
);
const coverage = cover(book, titles.flat());
const page = coveragePage(book, coverage);
const before = existsSync(join(root, pagePath)) ? await readFile(join(root, pagePath), 'utf8') : undefined;

const problems = [...coverage.problems];
if (before !== page && process.argv.includes('--check'))
  problems.push(`Not up to date: ${pagePath}. Run \`node scripts/spec-coverage.ts\` and commit the result.`);
else if (before !== page) await writeFile(join(root, pagePath), page);

for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exitCode = 1;
else console.log(`${pagePath} is up to date.`);
