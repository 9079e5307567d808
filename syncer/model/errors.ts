/** Errors by what a caller can do about them. */

/** The server answered, and not with success. */
export class ApiError extends Error {
  override readonly name: string = 'ApiError';
  readonly status: number;
  readonly reason: string;
  /** Milliseconds that the server asked to wait. */
  readonly retryAfterMs: number | undefined;

  constructor(message: string, details: { status: number; reason: string; retryAfterMs?: number | undefined }) {
    super(message);
    this.status = details.status;
    this.reason = details.reason;
    this.retryAfterMs = details.retryAfterMs;
  }
}

/** The request never got an answer. Whether it was carried out is not known. */
export class ConnectionError extends Error {
  override readonly name: string = 'ConnectionError';
}

/** Something the operator must change; the process stops with it. */
export class ConfigurationError extends Error {
  override readonly name: string = 'ConfigurationError';
}

/** The virtual API server has another backing store than before; the process stops with it (spec OPS-08). */
export class StoreReplacedError extends Error {
  override readonly name: string = 'StoreReplacedError';
}

export function isStatus(error: unknown, ...statuses: number[]): error is ApiError {
  return error instanceof ApiError && statuses.includes(error.status);
}
