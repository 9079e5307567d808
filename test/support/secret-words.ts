/** The secrets of a virtual cluster as they could stand in a file by mistake. */
import type { Kubectl } from '../../scripts/lib/kubectl.ts';

/**
 * Everything in these Secrets of a namespace that is long enough to be key material, as it is and in base64; but not the
 * certificate authority, which is public and may stand anywhere.
 */
export async function secretWords(
  host: Kubectl,
  namespace: string,
  names: readonly string[],
): Promise<readonly string[]> {
  const secrets = await Promise.all(names.map((name) => host.tryGet('secret', name, namespace)));
  const missing = names.filter((_name, index) => secrets[index]?.data === undefined);
  if (missing.length > 0) throw new Error(`Namespace ${namespace} has no Secret ${missing.join(', ')} to look for.`);
  const values = secrets.flatMap((secret) => Object.values(secret?.data ?? {}));
  const texts = values.flatMap((value) => [value, Buffer.from(value, 'base64').toString('latin1')]);
  const authorities = secrets.flatMap((secret) => secret?.data?.['certificate-authority'] ?? []);
  const open = new Set(authorities.flatMap((value) => wordsOf(Buffer.from(value, 'base64').toString('latin1'))));
  return [...new Set(texts.flatMap(wordsOf))].filter((word) => !open.has(word));
}

function wordsOf(text: string): readonly string[] {
  return text.match(/[\w+/=-]{40,}/g) ?? [];
}
