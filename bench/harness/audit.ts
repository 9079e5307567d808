/**
 * Who asked an API server for what, from its audit log: the only count that tells a contender's requests from everybody else's, as
 * `apiserver_request_total` does not name clients. Failed requests count, too: they have been work for the server.
 */
import { mkdir, open, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const writingVerbs: ReadonlySet<string> = new Set(['create', 'update', 'patch', 'delete', 'deletecollection']);
/** Leader election is the price of a second replica, not of a pod. */
const uncounted: ReadonlySet<string> = new Set(['leases']);

interface Line {
  readonly verb: string;
  readonly user: { readonly username: string };
  readonly objectRef?: { readonly resource?: string; readonly subresource?: string; readonly name?: string };
  readonly responseStatus?: { readonly code?: number };
}

export interface Call {
  readonly user: string;
  readonly verb: string;
  /** `pods`, `pods/status`. */
  readonly resource: string;
  readonly name: string;
  readonly code: number;
  readonly writes: boolean;
}

export class AuditLog {
  /** Flags for the API server. */
  readonly args: readonly string[];
  readonly #path: string;
  readonly #calls: Call[] = [];
  #readBytes = 0;
  #rest = '';

  private constructor(folder: string) {
    this.#path = join(folder, 'audit.log');
    this.args = [
      `--audit-policy-file=${join(folder, 'policy.json')}`,
      `--audit-log-path=${this.#path}`,
      '--audit-log-mode=blocking',
      '--audit-log-maxsize=4000',
    ];
  }

  /** A log of some users' requests, in a folder of its own. */
  static async in(folder: string, users: readonly string[]): Promise<AuditLog> {
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    const policy = {
      apiVersion: 'audit.k8s.io/v1',
      kind: 'Policy',
      omitStages: ['RequestReceived', 'ResponseStarted'],
      rules: [{ level: 'Metadata', users }, { level: 'None' }],
    };
    await writeFile(join(folder, 'policy.json'), JSON.stringify(policy));
    return new AuditLog(folder);
  }

  /** How many calls have been logged so far: a moment, for `since`. */
  async mark(): Promise<number> {
    await this.#read();
    return this.#calls.length;
  }

  /** One user's calls since a moment. */
  async since(mark: number, user: string): Promise<readonly Call[]> {
    await this.#read();
    return this.#calls.slice(mark).filter((call) => call.user === user);
  }

  /** Takes in what was appended; a line that is not whole yet waits for its rest. */
  async #read(): Promise<void> {
    const file = await open(this.#path).catch(() => undefined);
    if (file === undefined) return;
    try {
      const { size } = await file.stat();
      const buffer = Buffer.alloc(size - this.#readBytes);
      await file.read(buffer, 0, buffer.length, this.#readBytes);
      this.#readBytes = size;
      const lines = (this.#rest + buffer.toString('utf8')).split('\n');
      this.#rest = lines.pop() ?? '';
      for (const line of lines) this.#calls.push(callOf(JSON.parse(line) as Line));
    } finally {
      await file.close();
    }
  }
}

/** Calls that write, events and leases apart. */
export function writesOf(calls: readonly Call[]): readonly Call[] {
  return calls.filter(({ writes, resource }) => writes && resource !== 'events' && !uncounted.has(resource));
}

export function eventsOf(calls: readonly Call[]): readonly Call[] {
  return calls.filter(({ writes, resource }) => writes && resource === 'events');
}

/** Single objects fetched: what a cache saves. Lists and watches are few and have their own reasons. */
export function getsOf(calls: readonly Call[]): readonly Call[] {
  return calls.filter(({ verb }) => verb === 'get');
}

/** `create pods 200, patch pods/status 200`, most frequent first. */
export function told(calls: readonly Call[]): string {
  const counts = Object.entries(Object.groupBy(calls, ({ verb, resource }) => `${verb} ${resource}`))
    .map(([what, of]) => [what, of?.length ?? 0] as const)
    .toSorted(([, a], [, b]) => b - a);
  return counts.map(([what, count]) => `${what} ${count}`).join(', ') || 'nothing';
}

function callOf({ verb, user, objectRef = {}, responseStatus }: Line): Call {
  const { resource = '', subresource, name = '' } = objectRef;
  return {
    user: user.username,
    verb,
    resource: subresource === undefined ? resource : `${resource}/${subresource}`,
    name,
    code: responseStatus?.code ?? 0,
    writes: writingVerbs.has(verb),
  };
}
