/**
 * Who wrote what to an API server, from its audit log: the only count that tells the syncer's writes from everybody else's, as
 * metrics of an API server do not name clients. Failed writes count, too.
 */
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const writing: ReadonlySet<string> = new Set(['create', 'update', 'patch', 'delete']);

interface Entry {
  readonly verb: string;
  readonly user: { readonly username: string };
  readonly objectRef?: { readonly resource?: string; readonly subresource?: string };
}

export class Audit {
  /** For the API server. */
  readonly args: readonly string[];
  readonly #path: string;
  readonly #user: string;

  constructor(folder: string, user: string) {
    this.#path = join(folder, 'audit.log');
    this.#user = user;
    this.args = [
      `--audit-policy-file=${join(folder, 'policy.json')}`,
      `--audit-log-path=${this.#path}`,
      '--audit-log-mode=blocking',
      '--audit-log-batch-max-size=1',
      '--audit-log-maxsize=1000',
    ];
  }

  /** Watches one user's writes. */
  static async of(user: string): Promise<Audit> {
    const folder = await mkdtemp(join(tmpdir(), 'audit-'));
    const verbs = [...writing];
    const policy = {
      apiVersion: 'audit.k8s.io/v1',
      kind: 'Policy',
      omitStages: ['RequestReceived'],
      rules: [{ level: 'Metadata', users: [user], verbs }, { level: 'None' }],
    };
    await writeFile(join(folder, 'policy.json'), JSON.stringify(policy));
    return new Audit(folder, user);
  }

  /** How often the user has written so far, by `verb resource/subresource`. */
  async counts(): Promise<ReadonlyMap<string, number>> {
    const counts = new Map<string, number>();
    for (const line of (await readFile(this.#path, 'utf8')).split('\n').filter(Boolean)) {
      const { verb, user, objectRef = {} } = JSON.parse(line) as Entry;
      if (user.username !== this.#user || !writing.has(verb)) continue;
      const { resource = '', subresource } = objectRef;
      const what = `${verb} ${subresource === undefined ? resource : `${resource}/${subresource}`}`;
      counts.set(what, (counts.get(what) ?? 0) + 1);
    }
    return counts;
  }
}

/** What was written between two counts. */
export function between(
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
): ReadonlyMap<string, number> {
  const differences = [...after].map(([what, count]) => [what, count - (before.get(what) ?? 0)] as const);
  return new Map(differences.filter(([, count]) => count > 0));
}
