/**
 * Lists that an API server refuses for want of rights. A right that is missing is not waited for: after a short patience, for the
 * server may not know a new role yet, the process ends and says which rule to add (spec OPS-17).
 */
import { ConfigurationError } from '../model/errors.ts';

/** Longer than an API server needs to learn of a role that was made at the same time. */
const patienceMs = 5_000;

export interface Denial {
  readonly side: string;
  readonly kind: string;
}

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

export class Denials {
  readonly #sinceMs = new Map<string, number>();
  readonly #now: () => number;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Takes in how a list ended. */
  note({ side, kind, status }: Denial & { readonly status: number }): void {
    const id = `${side} ${kind}`;
    if (status !== 403) this.#sinceMs.delete(id);
    else if (!this.#sinceMs.has(id)) this.#sinceMs.set(id, this.#now());
  }

  /** What may not be listed at present. */
  get current(): readonly Denial[] {
    return [...this.#sinceMs.keys()].map(parse);
  }

  /** @throws ConfigurationError when the host has refused a list for so long that it means it, naming the rules that are missing */
  check(where: { readonly release: string; readonly namespace: string }, rules: readonly Rule[]): void {
    const lasting = [...this.#sinceMs]
      .filter(([, sinceMs]) => this.#now() - sinceMs > patienceMs)
      .map(([id]) => parse(id))
      .filter(({ side }) => side === 'host');
    if (lasting.length === 0) return;
    const missing = lasting.map(({ kind }) => JSON.stringify(ruleFor(kind, rules)));
    throw new ConfigurationError(
      `The host API server refuses to list ${lasting.map(({ kind }) => kind).join(', ')} in namespace ${where.namespace} (403). ` +
        `Role vc-${where.release} of that namespace, or its RoleBinding, lacks: ${missing.join(' ')}. ` +
        'Upgrade the release with its chart (helm upgrade), which brings them, or add them by hand.',
    );
  }
}

function parse(id: string): Denial {
  const [side = '', kind = ''] = id.split(' ');
  return { side, kind };
}

/** The whole rule that some resource declares for a kind: without the rest of it the next refusal would come at once. */
function ruleFor(kind: string, rules: readonly Rule[]): Rule {
  const found = rules.filter(({ resources }) => resources.includes(kind));
  const verbs = [...new Set(['list', 'watch', ...found.flatMap((rule) => rule.verbs)])].toSorted();
  return { apiGroups: [...new Set(found.flatMap(({ apiGroups }) => apiGroups))], resources: [kind], verbs };
}
