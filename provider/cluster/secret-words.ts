/**
 * Finds text that looks like a key or a token among values: values stand in clear in the state, the plan and the release, so people
 * are warned. The text itself is never repeated. Pure.
 */
import { isRecord } from '../framework/values.ts';

/** Private keys (also in base64), tokens in the form of JSON web tokens, and tokens of services that say what they are. */
const looks: readonly { readonly what: string; readonly form: RegExp }[] = [
  { what: 'a private key', form: /-----BEGIN [A-Z ]*PRIVATE KEY-----/ },
  {
    what: 'a private key in base64',
    form: /LS0tLS1CRUdJTi[A-Za-z0-9+/]*(UFJJVkFURSBLRVk|BSSVZBVEUgS0VZ|QUklWQVRFIEtFW)/,
  },
  { what: 'a token', form: /\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}/ },
  { what: 'a token', form: /\b(ghp_|gho_|github_pat_|glpat-|xox[abp]-|AKIA)[\w-]{12,}/ },
  { what: 'a password in a URL', form: /\b[a-z][a-z0-9+.-]*:\/\/[^\s/:@]+:[^\s/@]+@/ },
];

/** Where something looks like a secret, key by key, and like what. */
export interface SecretLook {
  readonly keys: readonly string[];
  readonly what: string;
}

export function secretLooks(value: unknown, keys: readonly string[] = []): readonly SecretLook[] {
  if (typeof value === 'string') {
    const found = looks.find(({ form }) => form.test(value));
    return found === undefined ? [] : [{ keys, what: found.what }];
  }
  if (Array.isArray(value)) return value.flatMap((item, index) => secretLooks(item, [...keys, String(index)]));
  if (!isRecord(value)) return [];
  return Object.entries(value).flatMap(([key, member]) => secretLooks(member, [...keys, key]));
}
