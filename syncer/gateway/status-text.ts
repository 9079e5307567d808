/**
 * What the host answered, in words of the virtual cluster (spec KUB-11): host names become virtual ones, and a refusal of the
 * syncer's own rights, which no tenant can mend, does not show the host's accounts. Pure.
 */
import type { Names } from './resolve.ts';

/** An answer to relay instead of the host's own. */
export interface Answer {
  readonly status: number;
  /** For people; what a kubelet would have said. */
  readonly message: string;
  /** The whole Status object when the host sent one. */
  readonly object: object | undefined;
}

interface Status {
  readonly kind: 'Status';
  readonly message: string;
}

const notAllowed =
  'The host cluster refused this to the syncer of the virtual cluster. This is no fault of the request: whoever operates ' +
  'the host finds the reason in the log of the syncer.';

/** @param status of an answer that is not the one hoped for, neither 101 nor 2xx */
export function explain(status: number, body: string, names: Names): Answer {
  const parsed = parseStatus(body);
  const text = parsed?.message ?? body;
  if (status === 401 || (status === 403 && /\bUser ".*" cannot /.test(text))) {
    return { status: 500, message: notAllowed, object: undefined };
  }
  const message = virtualText(text, names).trim();
  if (status < 400)
    return { status: 502, message: `The host API server gave an unexpected answer, ${status}.`, object: undefined };
  return {
    status,
    message: message === '' ? `The host API server answered ${status}.` : message,
    object: parsed === undefined ? undefined : virtualObject(parsed, names),
  };
}

/** Text with every form of the host pod's name and namespace replaced by the virtual one. */
export function virtualText(text: string, { host, virtual }: Names): string {
  return text
    .replaceAll(`${host.namespace}/${host.name}`, () => `${virtual.namespace}/${virtual.name}`)
    .replaceAll(`${host.name}_${host.namespace}`, () => `${virtual.name}_${virtual.namespace}`)
    .replaceAll(`${host.name}.${host.namespace}`, () => `${virtual.name}.${virtual.namespace}`)
    .replaceAll(host.name, () => virtual.name)
    .replace(/(\bnamespaces? )("?)([-a-z0-9]+)\2/g, (whole, before: string, quote: string, namespace: string) =>
      namespace === host.namespace ? `${before}${quote}${virtual.namespace}${quote}` : whole,
    );
}

function parseStatus(body: string): Status | undefined {
  if (!body.trimStart().startsWith('{')) return undefined;
  try {
    const value: unknown = JSON.parse(body);
    return isStatus(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isStatus(value: unknown): value is Status {
  return (
    typeof value === 'object' &&
    value !== null &&
    'kind' in value &&
    value.kind === 'Status' &&
    'message' in value &&
    typeof value.message === 'string'
  );
}

function virtualObject(value: object, names: Names): object {
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, virtualValue(item, names)]));
}

function virtualValue(value: unknown, names: Names): unknown {
  if (typeof value === 'string') return virtualText(value, names);
  if (Array.isArray(value)) return value.map((item) => virtualValue(item, names));
  return typeof value === 'object' && value !== null ? virtualObject(value, names) : value;
}
