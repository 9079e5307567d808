/**
 * What a server said when it refused a write, made readable for the tenant: his names instead of the host's, and nothing of the
 * host that is not his business (EV-07, I7). Pure.
 */
import type { Release } from '../model/view.ts';
import { hostName } from '../translate/names.ts';

export interface Refused {
  readonly name: string;
  readonly namespace: string;
}

/** The message without the request line, with the tenant's names for the host's (I7). */
export function inVirtualWords(message: string, { name, namespace }: Refused, release: Release): string {
  const [, verb, resource] = /is forbidden: User "[^"]*" cannot (\w+) resource "([^"]+)"/u.exec(message) ?? [];
  if (verb !== undefined && resource !== undefined) {
    return `the host cluster does not allow this virtual cluster to ${verb} ${resource}. Its operator can.`;
  }
  return (
    message
      .replace(/^[A-Z]+ \/\S+: /u, '')
      .replaceAll(hostName(name, namespace, release), name)
      // What it refers to, such as its config maps; in one namespace all names of the host end alike.
      .replaceAll(`-x-${namespace}-x-${release.name}`, '')
      .replaceAll(new RegExp(`(?<![a-z0-9-])${release.namespace}(?![a-z0-9-])`, 'gu'), namespace)
      .replaceAll(/https?:\/\/[^\s"]+/gu, 'the host')
  );
}
