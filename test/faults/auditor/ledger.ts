/**
 * Who wrote what, from the audit log of an API server: the only witness of writes that change nothing, and of deletions with the
 * precondition they carried. Optional; without it I5 is not judged and I2 from versions only.
 */
import { createReadStream, existsSync, statSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { at, wordAt } from './words.ts';
import type { Where } from './words.ts';

export interface Entry {
  readonly where: Where;
  readonly verb: string;
  readonly user: string;
  readonly plural: string;
  readonly namespace: string;
  readonly name: string;
  readonly subresource: string;
  readonly status: number;
  /** The precondition of a deletion. */
  readonly uid: string | undefined;
}

const writes: ReadonlySet<string> = new Set(['create', 'update', 'patch', 'delete', 'deletecollection']);

export class Ledger {
  readonly entries: Entry[] = [];
  readonly #where: Where;
  readonly #path: string;
  #offset = 0;

  constructor(where: Where, path: string) {
    this.#where = where;
    this.#path = path;
  }

  /** Reads what was written since the last time. */
  async read(): Promise<void> {
    if (!existsSync(this.#path)) return;
    const end = statSync(this.#path).size;
    if (end <= this.#offset) return;
    const lines = createInterface({ input: createReadStream(this.#path, { start: this.#offset, end: end - 1 }) });
    for await (const line of lines) {
      const entry = this.#parse(line);
      // The last line may still be on its way: it is read again, whole, the next time.
      if (entry === 'cut') break;
      this.#offset += Buffer.byteLength(line) + 1;
      if (entry !== undefined) this.entries.push(entry);
    }
  }

  #parse(line: string): Entry | undefined | 'cut' {
    let event: unknown;
    try {
      event = JSON.parse(line);
    } catch {
      return 'cut';
    }
    const verb = wordAt(event, 'verb');
    if (!writes.has(verb) || at(event, 'stage') !== 'ResponseComplete') return undefined;
    const uid = at(event, 'requestObject', 'preconditions', 'uid');
    return {
      where: this.#where,
      verb,
      user: wordAt(event, 'user', 'username'),
      plural: wordAt(event, 'objectRef', 'resource'),
      namespace: wordAt(event, 'objectRef', 'namespace'),
      name: wordAt(event, 'objectRef', 'name'),
      subresource: wordAt(event, 'objectRef', 'subresource'),
      status: Number(at(event, 'responseStatus', 'code')),
      uid: typeof uid === 'string' ? uid : undefined,
    };
  }
}

export function succeeded({ status }: Entry): boolean {
  return status >= 200 && status < 300;
}

/** Whether a request wants an object gone. */
export function isDeletion({ verb, subresource }: Entry): boolean {
  return verb.startsWith('delete') || (verb === 'create' && subresource === 'eviction');
}
