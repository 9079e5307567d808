/** A report for people. */
import type { Report } from './audit.ts';

const shownMax = 20;

export function readable({ ok, problems, agreedAfterMs, writesOfSyncer, counts, gaps, vitals }: Report): string {
  const made = Object.entries(counts).map(([plural, { added, deleted }]) => `${plural} +${added} -${deleted}`);
  return [
    ok ? 'All is well.' : `${problems.length} things are wrong.`,
    ...problems.slice(0, shownMax).map(({ invariant, about, says }) => `  ${invariant} ${about}: ${says}`),
    ...(problems.length > shownMax ? [`  … and ${problems.length - shownMax} more`] : []),
    `Both sides agreed ${agreedAfterMs === undefined ? 'never' : `after ${agreedAfterMs} ms`}; copies on the host: ${made.join(', ')}.`,
    ...(writesOfSyncer === undefined ? [] : [`The syncer wrote ${writesOfSyncer} times.`]),
    ...(gaps === 0 ? [] : [`The auditor itself could not look ${gaps} times.`]),
    ...(vitals === undefined
      ? []
      : [
          `Process: ${Math.round(vitals.rssBytes / 2 ** 20)} MiB, ${vitals.sockets} sockets, ${vitals.files} files, ${vitals.threads} threads.`,
        ]),
  ].join('\n');
}
