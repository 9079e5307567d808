/**
 * The command `hosts`, run by an init container in tenants' pods (ADR 0010): copies /etc/hosts, with the pod's full name, to a
 * volume that the other containers mount in its place. It needs no rights, no network and no shell, and imports next to nothing,
 * because every pod with a subdomain waits for it.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { ConfigurationError } from '../model/errors.ts';
import { withFullName } from './hosts-file.ts';

/** @throws ConfigurationError naming what is missing */
export async function hosts(args: readonly string[], from = '/etc/hosts'): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      addresses: { type: 'string' },
      hostname: { type: 'string' },
      fqdn: { type: 'string' },
      out: { type: 'string' },
    },
  });
  const required = (flag: keyof typeof values): string => {
    const value = values[flag];
    if (value === undefined || value === '') throw new ConfigurationError(`hosts needs --${flag}.`);
    return value;
  };
  const names = {
    addresses: required('addresses').split(','),
    hostname: required('hostname'),
    fqdn: required('fqdn'),
  };
  const text = withFullName(await readFile(from, 'utf8'), names);
  // As a kubelet leaves it: everybody may read, the pod's containers run as whoever they like.
  await writeFile(required('out'), text, { mode: 0o644 });
}
