/**
 * Reading and writing the numbers and texts that both codecs (protobuf, msgpack) are made of. Reading never goes beyond the
 * end and copies nothing; writing goes backwards, from the last byte to the first, because then the length of what
 * follows is known when it is written in front.
 */
import { DecodeError } from './errors.ts';

// Fatal: what is not UTF-8 is refused and not mended. A byte order mark is part of the text.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/** Reads UTF-8; `where` is for the error. */
export function textOf(bytes: Uint8Array, where: string): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new DecodeError(`${where}: the text is not valid UTF-8.`, { cause });
  }
}

/**
 * Writes UTF-8. Half of a surrogate pair, with which a text may end that somebody has cut, becomes U+FFFD: what it is a part of is
 * an answer, and all that Terraform will know of what was made.
 */
export function bytesOf(text: string): Uint8Array {
  return encoder.encode(text);
}

/** A position in bytes that are being read. */
export class Reader {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  at = 0;
  /** Reading stops here; a codec moves it while it reads something of a known length. */
  end: number;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.end = bytes.length;
  }

  /** Moves on by `length` bytes and returns where they begin. */
  skip(length: number, where: string): number {
    const from = this.at;
    if (length > this.end - from) {
      throw new DecodeError(`${where}: ${length} bytes are announced, but only ${this.end - from} are there.`);
    }
    this.at = from + length;
    return from;
  }

  /** The next `length` bytes, as a view on the same memory. */
  take(length: number, where: string): Uint8Array {
    const from = this.skip(length, where);
    return this.bytes.subarray(from, from + length);
  }
}

/** Sets a member of a record made from outside: `__proto__` is a key like any other. */
export function setOwn<T>(record: Record<string, T>, key: string, value: T): void {
  if (key !== '__proto__') record[key] = value;
  else Object.defineProperty(record, key, { value, enumerable: true, configurable: true, writable: true });
}

/** Bytes that are written from the end to the beginning. */
export class ReverseWriter {
  #bytes: Uint8Array;
  #view: DataView;
  #at: number;

  constructor(capacity = 1024) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
    this.#at = capacity;
  }

  /** How much has been written. */
  get length(): number {
    return this.#bytes.length - this.#at;
  }

  /** What has been written, as a view on the writer's own memory: the writer is finished after that. */
  finish(): Uint8Array {
    return this.#bytes.subarray(this.#at);
  }

  /** Puts bytes in front. */
  prepend(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#at);
  }

  /** Puts one byte in front. */
  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#at] = value;
  }

  /** Makes room in front and has it filled. */
  fill(length: number, write: (view: DataView, at: number) => void): void {
    this.#reserve(length);
    write(this.#view, this.#at);
  }

  #reserve(length: number): void {
    if (length > this.#at) this.#grow(length);
    this.#at -= length;
  }

  #grow(length: number): void {
    const written = this.length;
    const bytes = new Uint8Array(Math.max(this.#bytes.length * 2, written + length));
    bytes.set(this.finish(), bytes.length - written);
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
    this.#at = bytes.length - written;
  }
}
