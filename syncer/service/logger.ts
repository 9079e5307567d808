/**
 * Logs are a constant message with fields; levels rise with retries. Never an object's content (spec CORE-25): what a part wants to
 * say of an object is its key, and of an error only what is listed here is told.
 */
import { pino } from 'pino';
import { withoutFloods } from './floods.ts';
import { LogSink } from './log-sink.ts';

export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Errors that say all there is to say; the stack of any other one tells where a fault is. */
const expected: ReadonlySet<string> = new Set(['ApiError', 'ConnectionError', 'ConfigurationError', 'AbortError']);
const toldFields: ReadonlySet<string> = new Set(['code', 'status', 'reason']);
const causesMax = 4;

export function createLogger(level: string): Logger {
  const sink = new LogSink();
  process.once('exit', () => sink.end());
  const options = {
    level,
    base: null,
    timestamp: (): string => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string): object => ({ level: label }) },
    serializers: { err: (error: unknown): object => errorFields(error) },
  };
  return withoutFloods(pino(options, sink));
}

/** An error for a log line. Other properties, such as the options of a request, may hold anything and are left out. */
export function errorFields(error: unknown, depth = 0): object {
  if (!(error instanceof Error)) return { message: String(error) };
  const { name, message, stack, cause } = error;
  const isParsing = error instanceof SyntaxError;
  const told = Object.fromEntries(Object.entries(error).filter(([field]) => toldFields.has(field)));
  return {
    name,
    // Of what it cannot parse, JSON.parse quotes a part.
    message: isParsing ? 'not JSON' : message,
    ...told,
    ...(!isParsing && !expected.has(name) && !('code' in error) && { stack }),
    ...(cause !== undefined && depth < causesMax && { cause: errorFields(cause, depth + 1) }),
  };
}

export const silentLogger: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
