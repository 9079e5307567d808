/**
 * What people are told: diagnostics, and the error whose text is one.
 *
 * Invariant: only a `ProviderError`, or an error class that carries a `summary`, reaches people with its own words. All
 * else is a bug of the provider: its stack goes to the log, never into a diagnostic.
 */

/** Where in a configuration: names of attributes, keys of maps, indexes of lists. */
export type Path = readonly (string | number)[];

export interface Diagnostic {
  readonly severity: 'error' | 'warning';
  /** One line, no full stop: what is wrong. */
  readonly summary: string;
  /** Why, where, and what to do next. Never a secret. */
  readonly detail: string;
  /** Terraform underlines this place of the configuration. */
  readonly path?: Path;
}

/** What a handler throws: it becomes one error diagnostic with these words. */
export class ProviderError extends Error {
  override readonly name: string = 'ProviderError';
  readonly summary: string;
  readonly detail: string;
  readonly path: Path | undefined;

  /** `summary` one line without a full stop; `detail` says why and what to do; `path` the attribute that is to blame. */
  constructor(summary: string, detail: string, options: { readonly path?: Path; readonly cause?: unknown } = {}) {
    super(`${summary}: ${detail}`, { cause: options.cause });
    this.summary = summary;
    this.detail = detail;
    this.path = options.path;
  }
}

/** An error diagnostic. */
export function failure(summary: string, detail: string, path?: Path): Diagnostic {
  return { severity: 'error', summary, detail, ...(path && { path }) };
}

/** A warning diagnostic. */
export function warning(summary: string, detail: string, path?: Path): Diagnostic {
  return { severity: 'warning', summary, detail, ...(path && { path }) };
}

/** True when one of the diagnostics is an error. */
export function hasError(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some((diagnostic) => diagnostic.severity === 'error');
}

/** `sync.to_host["a.b"].names[0]`: a path as people read it. */
export function pathText(path: Path): string {
  return path
    .map((step, index) => {
      if (typeof step === 'number') return `[${String(step)}]`;
      if (!/^[a-z_][a-z0-9_-]*$/i.test(step)) return `[${JSON.stringify(step)}]`;
      return index === 0 ? step : `.${step}`;
    })
    .join('');
}
