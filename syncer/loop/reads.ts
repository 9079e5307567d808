/**
 * Who has read what. The whole mechanism behind "reading is subscribing" (style.md §2.4): no hand-written cross-watches. There are
 * a few of these for every pod, nearly all with one reader, which is why a single one is kept without a Set around it.
 */
export class Reads {
  readonly #readByReader = new Map<string, readonly string[]>();
  readonly #readersByRead = new Map<string, string | Set<string>>();

  /** Replaces everything that a reader is known to depend on. */
  replace(reader: string, read: ReadonlySet<string>): void {
    for (const id of this.#readByReader.get(reader) ?? []) if (!read.has(id)) this.#leave(id, reader);
    if (read.size === 0) {
      this.#readByReader.delete(reader);
      return;
    }
    this.#readByReader.set(reader, [...read]);
    for (const id of read) this.#join(id, reader);
  }

  /** How many readers and how many things read are known; neither may grow with what has come and gone. */
  get size(): number {
    return this.#readByReader.size + this.#readersByRead.size;
  }

  readersOf(id: string): Iterable<string> {
    const readers = this.#readersByRead.get(id);
    if (readers === undefined) return none;
    return typeof readers === 'string' ? [readers] : readers;
  }

  #join(id: string, reader: string): void {
    const readers = this.#readersByRead.get(id);
    if (readers === undefined) this.#readersByRead.set(id, reader);
    else if (typeof readers !== 'string') readers.add(reader);
    else if (readers !== reader) this.#readersByRead.set(id, new Set([readers, reader]));
  }

  #leave(id: string, reader: string): void {
    const readers = this.#readersByRead.get(id);
    if (typeof readers === 'object') readers.delete(reader);
    if (readers === reader || (typeof readers === 'object' && readers.size === 0)) this.#readersByRead.delete(id);
  }
}

const none: readonly string[] = [];

/** The names under which reads are noted. */
export const readIds = {
  object: (side: string, plural: string, key: string): string => `${side} ${plural} ${key}`,
  list: (side: string, plural: string, namespace: string): string => `${side} ${plural} in ${namespace}`,
  /** The objects under a value of an index, and everything in them. */
  index: (side: string, name: string, value: string): string => `${side} index ${name} ${value}`,
  /** Which objects are under a value of an index. */
  members: (side: string, name: string, value: string): string => `${side} members ${name} ${value}`,
};
