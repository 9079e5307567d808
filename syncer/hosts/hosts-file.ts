/**
 * The text of a pod's /etc/hosts with the pod's full name in it. Kubelets write `<ip>\t<fqdn>\t<hostname>` for a pod with a
 * subdomain; on the host the pod has none, so they write `<ip>\t<hostname>`. Everything else in the file stays as it is. Pure.
 */
export interface PodNames {
  /** Every address of the pod, of both families. */
  readonly addresses: readonly string[];
  readonly hostname: string;
  readonly fqdn: string;
}

/** @throws RangeError when an address or a name could break the form of the file */
export function withFullName(text: string, { addresses, hostname, fqdn }: PodNames): string {
  for (const word of [...addresses, hostname, fqdn]) {
    if (!/^[\w.:-]+$/u.test(word)) throw new RangeError(`${JSON.stringify(word)} is no address and no host name.`);
  }
  const own = new Set(addresses);
  const found = new Set<string>();
  const lines = text.split('\n').map((line) => {
    const [address = '', ...names] = line.trim().split(/\s+/u);
    if (!own.has(address) || !names.includes(hostname)) return line;
    found.add(address);
    return [address, fqdn, ...names.filter((name) => name !== fqdn)].join('\t');
  });
  const missing = addresses
    .filter((address) => !found.has(address))
    .map((address) => `${address}\t${fqdn}\t${hostname}`);
  if (missing.length === 0) return lines.join('\n');
  const end = lines.at(-1) === '' ? lines.slice(0, -1) : lines;
  return [...end, ...missing, ''].join('\n');
}
