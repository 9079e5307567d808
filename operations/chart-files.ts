/**
 * The chart that belongs to this version, as a folder on disk, which is what Helm wants: in a checkout and in the npm package it
 * is one, from the bundle it is unpacked into a private folder that goes with the process.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parse } from 'yaml';
import { bundledChart } from './bundled-chart.ts';
import type { ChartFiles } from './bundled-chart.ts';
import { OperationError, textOf } from './errors.ts';
import { temporaryPrefix } from './paths.ts';

/** What this version of operations can work with: from it on charts keep a paused virtual cluster paused. */
export const oldestChart = '0.1.0';
/** Whose charts are called `vcluster` as well. */
const home = 'https://github.com/cdktf-vcluster/cdktf-vcluster';

/** What a chart says of itself. */
export interface ChartDescription {
  readonly version: string;
  readonly appVersion: string;
}

export interface Chart extends ChartDescription {
  /** Absolute path of the folder. */
  readonly path: string;
}

export class ChartError extends OperationError {
  override readonly name = 'ChartError';
}

/** The given folder, else the chart that ships with this version. @throws ChartError when it cannot be used */
export async function openChart(path?: string): Promise<Chart> {
  const folder = path === undefined ? shippedChart() : resolve(path);
  return { path: folder, ...checked(folder, descriptionIn(folder)) };
}

/**
 * The same without a folder: every look at a release asks for the version, and the bundle need not unpack itself for that.
 * @throws ChartError as openChart does
 */
export async function describeChart(path?: string): Promise<ChartDescription> {
  const bundled = path === undefined ? bundledChart?.['Chart.yaml'] : undefined;
  return bundled === undefined ? openChart(path) : checked('the bundle', parse(bundled) as Description);
}

function checked(where: string, { name, version, appVersion, home: itsHome }: Description): ChartDescription {
  if (!isOurs({ name, home: itsHome })) {
    throw new ChartError(
      'The chart cannot be used',
      `${where} holds the chart "${name}", not the one of this project.`,
    );
  }
  const described = { version: String(version), appVersion: String(appVersion) };
  // So that what is no version is refused too.
  if (!(compareVersions(described.version, oldestChart) >= 0)) {
    throw new ChartError(
      'The chart is too old',
      `${where} is version ${described.version}, and ${oldestChart} or newer is needed. Use a newer chart, or leave it out and the one that ships is taken.`,
    );
  }
  return described;
}

interface Description {
  readonly name?: string | undefined;
  readonly version?: string;
  readonly appVersion?: string;
  readonly home?: string | undefined;
}

/** Whether a chart is this project's: another product has one of the same name. */
export function isOurs({ name, home: itsHome }: Pick<Description, 'name' | 'home'>): boolean {
  return name === 'vcluster' && (itsHome === undefined || itsHome === '' || itsHome === home);
}

function descriptionIn(path: string): Description {
  try {
    const description: unknown = parse(readFileSync(join(path, 'Chart.yaml'), 'utf8'));
    if (typeof description !== 'object' || description === null) throw new Error('its Chart.yaml is empty');
    return description;
  } catch (cause) {
    throw new ChartError('The chart cannot be used', `${path} is no folder with a Helm chart: ${textOf(cause)}.`, {
      cause,
    });
  }
}

let unpacked: string | undefined;

function shippedChart(): string {
  if (bundledChart !== undefined) return (unpacked ??= unpack(bundledChart));
  const roots = [resolve(import.meta.dirname, '..'), resolve(import.meta.dirname, '..', '..')];
  const root = roots.find((folder) => existsSync(join(folder, 'chart', 'Chart.yaml')));
  if (root !== undefined) return join(root, 'chart');
  throw new ChartError(
    'The chart is missing',
    `There is no chart/Chart.yaml in ${roots.join(' or ')}. Install the package again.`,
  );
}

/** At once and not in steps: all that run at the same time get the same complete folder. */
function unpack(files: ChartFiles): string {
  const folder = mkdtempSync(temporaryPrefix());
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  for (const [path, content] of Object.entries(files)) {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
  }
  return folder;
}

/** Below 0 when `left` is older, above 0 when it is newer. Of a prerelease only that it is older than its release. Pure. */
export function compareVersions(left: string, right: string): number {
  const [a, b] = [parts(left), parts(right)];
  for (const index of [0, 1, 2]) {
    const difference = (a.numbers[index] ?? 0) - (b.numbers[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return Number(b.prerelease) - Number(a.prerelease);
}

function parts(version: string): { readonly numbers: readonly number[]; readonly prerelease: boolean } {
  const [core = '', ...rest] = (version.replace(/^v/, '').split('+')[0] ?? '').split('-');
  return { numbers: core.split('.').map(Number), prerelease: rest.length > 0 };
}
