/**
 * Keeps one cause with thousands of consequences, such as an API server that is away, from burying the log: of a message that comes
 * again and again only so many lines are shown for a while, the rest goes to level debug, and the next line says how many.
 */
import type { Logger } from './logger.ts';

const linesMax = 30;
const windowMs = 10_000;

interface Window {
  readonly sinceMs: number;
  lines: number;
}

/** Messages are constants, so there are few of them; what varies is in the fields. */
export function withoutFloods(log: Logger, now: () => number = () => performance.now()): Logger {
  const windows = new Map<string, Window>();
  const limited =
    (level: 'info' | 'warn') =>
    (fields: object, message: string): void => {
      const found = windows.get(message);
      const isFresh = found === undefined || now() - found.sinceMs > windowMs;
      const window = isFresh ? { sinceMs: now(), lines: 0 } : found;
      window.lines++;
      if (isFresh) windows.set(message, window);
      if (window.lines > linesMax) return log.debug(fields, message);
      const leftOut = isFresh ? Math.max(0, (found?.lines ?? 0) - linesMax) : 0;
      log[level](leftOut > 0 ? { ...fields, leftOut } : fields, message);
    };
  return {
    debug: (fields, message) => log.debug(fields, message),
    info: limited('info'),
    warn: limited('warn'),
    error: (fields, message) => log.error(fields, message),
  };
}
