/** The chart that belongs to this version, as a folder on disk: in a checkout and the npm package it is one, in the bundle it is unpacked. */

export interface Chart {
  /** Absolute path of the folder. */
  readonly path: string;
  readonly version: string;
  readonly appVersion: string;
}

/**
 * The given folder, else the chart that ships with this version.
 * @throws OperationError when it is no chart of ours, or older than this version can work with
 */
export function openChart(path?: string): Promise<Chart> {
  throw new Error(`not written yet ${path}`);
}
