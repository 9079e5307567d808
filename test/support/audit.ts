/**
 * What the syncer asked an API server for, from that server's audit log: the only witness that tells its requests from everybody
 * else's. With the bodies of what it wrote. Failed requests are in it, too.
 */
import { mkdtempSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const writing: ReadonlySet<string> = new Set(['create', 'update', 'patch', 'delete']);

export interface Call {
  readonly verb: string;
  /** `pods`, `pods/status`. */
  readonly what: string;
  readonly namespace: string;
  readonly name: string;
  /** Of writes. */
  readonly body: Readonly<Record<string, unknown>> | undefined;
  readonly status: number;
  /** When the server got it, in microseconds, as sortable text. */
  readonly at: string;
}

interface Entry {
  readonly verb: string;
  readonly user: { readonly username: string };
  readonly objectRef?: {
    readonly resource?: string;
    readonly subresource?: string;
    readonly namespace?: string;
    readonly name?: string;
  };
  readonly requestObject?: Readonly<Record<string, unknown>>;
  readonly responseStatus?: { readonly code?: number };
  readonly requestReceivedTimestamp: string;
}

export class Audit {
  /** For the API server. */
  readonly args: readonly string[];
  readonly #folder: string;
  readonly #path: string;
  readonly #user: string;

  private constructor(folder: string, user: string) {
    this.#folder = folder;
    this.#path = join(folder, 'audit.log');
    this.#user = user;
    this.args = [
      `--audit-policy-file=${join(folder, 'policy.json')}`,
      `--audit-log-path=${this.#path}`,
      '--audit-log-mode=blocking',
      '--audit-log-maxsize=1000',
    ];
  }

  /** Watches one user. */
  static async of(user: string): Promise<Audit> {
    const folder = mkdtempSync(join(tmpdir(), 'audit-'));
    const secret = [{ group: '', resources: ['secrets', 'serviceaccounts/token'] }];
    const policy = {
      apiVersion: 'audit.k8s.io/v1',
      kind: 'Policy',
      // A watch is logged when it starts; it may never be over.
      rules: [
        { level: 'Metadata', users: [user], resources: secret, omitStages: ['RequestReceived', 'ResponseStarted'] },
        { level: 'Metadata', users: [user], verbs: ['watch'], omitStages: ['RequestReceived', 'ResponseComplete'] },
        { level: 'Request', users: [user], omitStages: ['RequestReceived', 'ResponseStarted'] },
        { level: 'None' },
      ],
    };
    await writeFile(join(folder, 'policy.json'), JSON.stringify(policy));
    return new Audit(folder, user);
  }

  /** Removes the log; when the API server has ended. */
  async remove(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** Everything so far, in the order in which the server was done with it. */
  async calls(): Promise<readonly Call[]> {
    const text = await readFile(this.#path, 'utf8');
    // The last line may be only half there yet.
    const lines = text
      .slice(0, text.lastIndexOf('\n') + 1)
      .split('\n')
      .filter(Boolean);
    const entries = lines.map((line) => JSON.parse(line) as Entry);
    return entries.filter(({ user }) => user.username === this.#user).map(callOf);
  }

  /** How often the user has written so far, by `verb resource/subresource`. */
  async counts(): Promise<ReadonlyMap<string, number>> {
    const counts = new Map<string, number>();
    for (const { verb, what } of await this.calls())
      if (writing.has(verb)) counts.set(`${verb} ${what}`, (counts.get(`${verb} ${what}`) ?? 0) + 1);
    return counts;
  }
}

function callOf({ verb, objectRef = {}, requestObject, responseStatus, requestReceivedTimestamp: at }: Entry): Call {
  const { resource = '', subresource, namespace = '', name = '' } = objectRef;
  const what = subresource === undefined ? resource : `${resource}/${subresource}`;
  return { verb, what, namespace, name, body: requestObject, status: responseStatus?.code ?? 0, at };
}

/** What was written between two counts. */
export function between(
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
): ReadonlyMap<string, number> {
  const differences = [...after].map(([what, count]) => [what, count - (before.get(what) ?? 0)] as const);
  return new Map(differences.filter(([, count]) => count > 0));
}
