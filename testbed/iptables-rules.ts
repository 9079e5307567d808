/**
 * Which iptables rules are the testbed's: a pure look at what `iptables-save` prints.
 * kube-proxy, the kubelet and the CNI plugins make chains named KUBE-… and CNI-…; those that were not there before the
 * testbed came up are its own, and so is every rule that leads into one of them or carries the testbed's comment.
 */

/** The comment on rules that the testbed adds by itself. */
export const ruleComment = 'cdktf-vcluster-testbed';

/** The chains of a saved rule set, as `table/chain`. */
export function chainsOf(saved: string): readonly string[] {
  return lines(saved).flatMap(({ table, line }) => (line.startsWith(':') ? [`${table}/${chainName(line)}`] : []));
}

/** The same rule set without what the testbed brought; undefined when there is nothing of it. */
export function withoutTestbed(saved: string, chainsBefore: readonly string[]): string | undefined {
  const before = new Set(chainsBefore);
  const own = new Set(chainsOf(saved).filter((chain) => /\/(KUBE|CNI)-/.test(chain) && !before.has(chain)));
  const kept = lines(saved).filter(({ table, line }) => !isOwn(table, line, own));
  const text = `${kept.map(({ line }) => line).join('\n')}\n`;
  return text.trim() === saved.trim() ? undefined : text;
}

function isOwn(table: string, line: string, own: ReadonlySet<string>): boolean {
  if (line.startsWith(':')) return own.has(`${table}/${chainName(line)}`);
  const rule = /^(?:\[\d+:\d+\] )?-A (\S+)(.*)$/.exec(line);
  if (rule === null) return false;
  const [, chain = '', rest = ''] = rule;
  const target = / -[jg] (\S+)/.exec(rest)?.[1] ?? '';
  return own.has(`${table}/${chain}`) || own.has(`${table}/${target}`) || rest.includes(`--comment ${ruleComment}`);
}

function lines(saved: string): readonly { readonly table: string; readonly line: string }[] {
  let table = '';
  return saved
    .trim()
    .split('\n')
    .map((line) => {
      if (line.startsWith('*')) table = line.slice(1);
      return { table, line };
    });
}

function chainName(declaration: string): string {
  return declaration.slice(1).split(' ')[0] ?? '';
}
