/**
 * Log lines as Terraform reads them from a provider's standard error: one JSON object per line, in the form of hclog.
 *
 * Invariant: a line is whole, has no secret that `Secrets` knows, and cannot make the process fail. The time has
 * exactly six digits of fraction: with any other number Terraform does not recognise the line and shows it raw.
 */
import type { Secrets } from './secrets.ts';

/** Where a handler's log lines go: to Terraform's log (TF_LOG_PROVIDER). Constant message, facts as fields, no secret. */
export interface Log {
  trace(message: string, fields?: Readonly<Record<string, unknown>>): void;
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void;
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

const levels = ['trace', 'debug', 'info', 'warn', 'error'] as const;
type Level = (typeof levels)[number];

export interface LogOptions {
  /** Lines below it are not made; undefined for none at all. */
  readonly level: Level | undefined;
  readonly secrets: Secrets;
  /** Given whole lines; must not throw. */
  readonly write: (line: string) => void;
  readonly now?: (() => Date) | undefined;
}

type Fields = Readonly<Record<string, unknown>>;

/** Texts are cut here: a line is read by people, and Terraform's reader has a limit of its own. */
const textMax = 16_384;

/** A log that writes hclog lines. */
export function createLog({ level, secrets, write, now = () => new Date() }: LogOptions): Log {
  const from = level === undefined ? levels.length : levels.indexOf(level);
  const at = (each: Level): ((message: string, fields?: Fields) => void) =>
    levels.indexOf(each) < from
      ? () => undefined
      : (message, fields = {}) => write(`${lineOf(each, message, fields, { secrets, time: now() })}\n`);
  return { trace: at('trace'), debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/**
 * The level that a user has chosen for providers. Without a choice warnings and errors are still written: Terraform drops them, and
 * who runs the provider by hand sees them.
 */
export function levelFrom(env: Readonly<Record<string, string | undefined>>): Level | undefined {
  const chosen = (env['TF_LOG_PROVIDER'] || env['TF_LOG'] || 'warn').toLowerCase();
  if (chosen === 'off') return undefined;
  // As Terraform itself has it: `JSON` and anything unknown is the most.
  return levels.find((level) => level === chosen) ?? 'trace';
}

function lineOf(
  level: Level,
  message: string,
  fields: Fields,
  { secrets, time }: { readonly secrets: Secrets; readonly time: Date },
): string {
  const seen = new Set<unknown>();
  const plain = (_: string, value: unknown): unknown => {
    if (typeof value === 'object' && value !== null) return objectOf(value, seen, secrets);
    if (typeof value === 'bigint') return String(value);
    return typeof value === 'string' ? shown(value, secrets) : value;
  };
  const line = {
    ...fields,
    '@level': level,
    '@message': message,
    '@module': 'vcluster',
    '@timestamp': time.toISOString().replace('Z', '000Z'),
  };
  // Once more over the whole: the names of fields are texts too.
  return secrets.redact(stringified(line, plain, fields));
}

type Replacer = (key: string, value: unknown) => unknown;

function stringified(line: Fields, plain: Replacer, fields: Fields): string {
  try {
    return JSON.stringify(line, plain);
  } catch {
    // A field whose toJSON() throws: the message matters more.
    const emptied = Object.fromEntries(Object.keys(fields).map((name) => [name, '[unreadable]']));
    return JSON.stringify({ ...line, ...emptied }, plain);
  }
}

function objectOf(value: object, seen: Set<unknown>, secrets: Secrets): unknown {
  if (value instanceof Uint8Array || value instanceof ArrayBuffer) return '[bytes]';
  if (value instanceof Error) return shown(storyOf(value), secrets);
  // Once is enough, and an object may lead back to itself.
  if (seen.has(value)) return '[repeated]';
  seen.add(value);
  return value;
}

/** Redacted first: half of a secret would not be found. */
function shown(text: string, secrets: Secrets): string {
  return secrets.redact(text).slice(0, textMax);
}

function storyOf(error: Error, depth = 0): string {
  const { stack = String(error), cause } = error;
  return cause instanceof Error && depth < 5 ? `${stack}\nbecause of ${storyOf(cause, depth + 1)}` : stack;
}
