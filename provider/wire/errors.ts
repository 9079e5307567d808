/**
 * What can go wrong between bytes and values. Both kinds name the place, such as `PlanResourceChangeRequest.config`; neither
 * ever quotes a value, which may be a secret.
 */

/** Bytes that are no valid message or value. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError';
}

/** A message or value that cannot be written as its type says: a mistake in this program. */
export class EncodeError extends Error {
  override readonly name = 'EncodeError';
}
