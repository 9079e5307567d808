/** An API server whose backing store has gone back for good. */
import type { OutlookChange } from './cluster/reflector.ts';
import { StoreReplacedError } from './model/errors.ts';

export interface RestoredWatch {
  /** Ends with the signal. @throws StoreReplacedError when a store has gone back */
  readonly ended: Promise<void>;
  readonly onOutlook: (change: OutlookChange) => void;
}

/**
 * Everything that this process knows is newer than such a store, so it cannot go on from it: the next start, which remembers
 * nothing, lists what is there and asks the guard whether to act on it (spec OPS-08, faults F19).
 */
export function watchForRestored(signal: AbortSignal): RestoredWatch {
  const { promise: ended, resolve, reject } = Promise.withResolvers<void>();
  signal.addEventListener('abort', () => resolve(), { once: true });
  const onOutlook = ({ outlook, side, kind, seen, offered }: OutlookChange): void => {
    if (outlook !== 'restored') return;
    const what = `The backing store of the ${side} API server has gone back: ${kind.plural} were at revision ${seen} and are now at ${offered}.`;
    reject(
      new StoreReplacedError(`${what} Nothing was changed for it; the syncer starts again and looks at what is there.`),
    );
  };
  return { ended, onOutlook };
}
