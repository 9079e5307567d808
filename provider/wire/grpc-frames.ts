/**
 * gRPC's own frames inside of an HTTP/2 stream: a byte that says whether it is compressed, four bytes of length, the message.
 * They are cut anywhere by HTTP/2. Compressed ones are refused: nobody who speaks to this server was offered compression.
 */
import { GrpcError } from './grpc-status.ts';

/** As much as Terraform itself takes for one message. */
export const messageBytesMax: number = 256 * 1024 * 1024;

const headerLength = 5;

/** Puts messages together from the pieces that come. */
export class FrameReader {
  readonly #bytesMax: number;
  #pieces: Uint8Array[] = [];
  #length = 0;

  constructor(bytesMax: number = messageBytesMax) {
    this.#bytesMax = bytesMax;
  }

  /** True in the middle of a message. */
  get isMidway(): boolean {
    return this.#length > 0;
  }

  /** Takes a piece and returns the messages that are whole with it. Throws a GrpcError for what cannot be read. */
  push(piece: Uint8Array): readonly Uint8Array[] {
    this.#pieces.push(piece);
    this.#length += piece.length;
    const messages: Uint8Array[] = [];
    for (;;) {
      const size = this.#announced();
      if (size === undefined || this.#length < headerLength + size) return messages;
      const all = this.#joined();
      messages.push(all.subarray(headerLength, headerLength + size));
      this.#keep(all.subarray(headerLength + size));
    }
  }

  /** The size of the message that has begun; undefined while its header is not whole. */
  #announced(): number | undefined {
    if (this.#length < headerLength) return undefined;
    // Pieces are joined once a message, not once a piece: a schema comes in hundreds of them.
    const first = this.#pieces[0]?.length ?? 0;
    const header = first >= headerLength ? this.#pieces[0] : this.#joined();
    const view = new DataView(header?.buffer ?? new ArrayBuffer(0), header?.byteOffset, headerLength);
    if (view.getUint8(0) !== 0) throw new GrpcError('unimplemented', 'Compressed messages are not supported.');
    const size = view.getUint32(1);
    if (size > this.#bytesMax) {
      throw new GrpcError('resourceExhausted', `A message has ${size} bytes, and ${this.#bytesMax} is the most.`);
    }
    return size;
  }

  #joined(): Uint8Array {
    const [only] = this.#pieces;
    if (only !== undefined && this.#pieces.length === 1) return only;
    const all = Buffer.concat(this.#pieces, this.#length);
    this.#keep(all);
    return all;
  }

  #keep(rest: Uint8Array): void {
    this.#pieces = rest.length === 0 ? [] : [rest];
    this.#length = rest.length;
  }
}

/** The header in front of a message. */
export function frameHeader(message: Uint8Array): Uint8Array {
  if (message.length > messageBytesMax) {
    throw new GrpcError(
      'resourceExhausted',
      `An answer has ${message.length} bytes, and ${messageBytesMax} is the most that Terraform takes.`,
    );
  }
  const header = new Uint8Array(headerLength);
  new DataView(header.buffer).setUint32(1, message.length);
  return header;
}
