/**
 * The chart as the bundle of the provider carries it. In a checkout and in the npm package there is a folder `chart/`, and this
 * is `undefined`; scripts/lib/provider-bundle.ts puts the files in the place of this module, so that the one file that
 * Terraform's lock covers needs nothing beside it. chart-files.ts unpacks them into a private folder when Helm asks.
 */

/** Path within the chart, with forward slashes → text of the file. */
export type ChartFiles = Readonly<Record<string, string>>;

export const bundledChart: ChartFiles | undefined = undefined;
