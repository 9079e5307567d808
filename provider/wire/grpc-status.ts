/** Status codes of gRPC that are used here, and how a status, a message and a deadline look in headers. */

export const statusCodes = {
  ok: 0,
  cancelled: 1,
  invalidArgument: 3,
  deadlineExceeded: 4,
  resourceExhausted: 8,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
} as const;

export type StatusName = keyof typeof statusCodes;

/** An RPC that ends with a status other than ok. */
export class GrpcError extends Error {
  override readonly name = 'GrpcError';
  readonly status: StatusName;

  constructor(status: StatusName, message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}

/** Well below what HTTP/2 implementations take as a header. */
const messageBytesMax = 8192;
const encoder = new TextEncoder();

/** A text for the header `grpc-message`: UTF-8, percent-encoded but for printable ASCII. Very long ones are cut. */
export function encodeMessage(text: string): string {
  let encoded = '';
  for (const byte of encoder.encode(text).subarray(0, messageBytesMax)) {
    const plain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25;
    encoded += plain ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return encoded;
}

const unitsMs: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 };

/** Milliseconds from a header `grpc-timeout`; undefined when there is none or it is no timeout. */
export function timeoutMsOf(header: string | undefined): number | undefined {
  const [, digits = '', unit = ''] = /^(\d{1,8})([HMSmun])$/.exec(header ?? '') ?? [];
  const unitMs = unitsMs[unit];
  return unitMs === undefined ? undefined : Number(digits) * unitMs;
}
