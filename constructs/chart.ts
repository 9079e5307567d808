/**
 * Finds the charts that ship with this package. The same sources run from the checkout (constructs/*.ts) and compiled
 * (dist/constructs/*.js); nothing further up is looked at, because that would be the user's own project.
 */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** Absolute path of the chart's folder; throws when the package is incomplete. */
export function shippedChart(from: string = import.meta.dirname): string {
  return shippedFolder('chart', from);
}

/** Absolute path of a chart within the package; throws when the package is incomplete. */
export function shippedFolder(path: string, from: string = import.meta.dirname): string {
  const roots = [resolve(from, '..'), resolve(from, '..', '..')];
  const root = roots.find((folder) => existsSync(join(folder, path, 'Chart.yaml')));
  if (root !== undefined) return join(root, path);
  throw new Error(
    `cdktf-vcluster is incomplete: no ${path}/Chart.yaml in ${roots.join(' or ')}. Install the package again.`,
  );
}
