/**
 * What can go wrong between here and the host's API server, each in a class of its own, in words for people. "Not found" is said
 * by the API server only: no other failure is ever read as absence.
 */
import { OperationError } from './errors.ts';

/** The host cannot be talked to, or said no; base of all others here. */
export class HostError extends OperationError {
  override readonly name: string = 'HostError';
  /** HTTP status; 0 when there was no answer. */
  readonly status: number;
  /** `reason` of the answer's Status, such as `AlreadyExists`; empty when there is none. */
  readonly reason: string;

  constructor(summary: string, detail: string, answer: { status: number; reason?: string }, options?: ErrorOptions) {
    super(summary, detail, options);
    this.status = answer.status;
    this.reason = answer.reason ?? '';
  }
}

/** No answer: refused, no such name, timeout. */
export class HostUnreachableError extends HostError {
  override readonly name = 'HostUnreachableError';
}

/** The certificate of the host is not what the access says it should be. */
export class HostCertificateError extends HostError {
  override readonly name = 'HostCertificateError';
}

/** 401. */
export class HostUnauthorisedError extends HostError {
  override readonly name = 'HostUnauthorisedError';
}

/** 403: the account may not do this; the text says which verb on which resource in which namespace. */
export class HostForbiddenError extends HostError {
  override readonly name = 'HostForbiddenError';
}

/** 404 */
export class HostNotFoundError extends HostError {
  override readonly name = 'HostNotFoundError';
}

/** 409: it exists already (reason AlreadyExists), or somebody else changed it meanwhile (reason Conflict). */
export class HostConflictError extends HostError {
  override readonly name = 'HostConflictError';
}

/** 400, 422: the host refused what was asked of it. */
export class HostRefusedError extends HostError {
  override readonly name = 'HostRefusedError';
}

/** The value of a read that the account may lack the right to; undefined then. Everything else that goes wrong is thrown. */
export async function ifAllowed<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof HostForbiddenError) return undefined;
    throw error;
  }
}
