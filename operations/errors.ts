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

/** The text of whatever was thrown. */
export function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
