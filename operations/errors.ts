/**
 * The error that people read. What an operation throws says in `summary` what failed, on what, and in `detail` why and what to do
 * next; neither ever holds a secret. Everything else that is thrown is a bug.
 */

/** Base of every error of operations/. Subclasses are what a caller may want to tell apart. */
export class OperationError extends Error {
  override readonly name: string = 'OperationError';
  /** One line without a full stop: what could not be done, on what. */
  readonly summary: string;
  /** Why, and what to do next. */
  readonly detail: string;

  constructor(summary: string, detail: string, options?: ErrorOptions) {
    super(`${summary}: ${detail}`, options);
    this.summary = summary;
    this.detail = detail;
  }
}

/** It was told to stop. What was begun is left as it is and can be gone on with. */
export class AbortedError extends OperationError {
  override readonly name: string = 'AbortedError';
}

/** What a repetition does. Said where it is true, and taken out where Terraform begins anew. */
export const goesOn = 'Apply again; what was begun is gone on with.';

/**
 * The error of what was told to stop: by a person, or because the time for all of it was up, which are two things to whoever reads
 * it. `doing` continues "while it …".
 */
export function abortedError(signal: AbortSignal | undefined, doing: string, summary = 'Interrupted'): AbortedError {
  const { name = '' } = (signal?.reason ?? {}) as { readonly name?: string };
  if (name !== 'TimeoutError') return new AbortedError(summary, `It was told to stop while it ${doing}. ${goesOn}`);
  return new AbortedError(summary, `Its time was up while it ${doing}. ${goesOn} Give it more time (timeouts).`);
}

/** The text of whatever was thrown. */
export function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
