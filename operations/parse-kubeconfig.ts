/**
 * Takes the text of a kubeconfig apart: where its current context leads, and as whom. Reads no file and runs no program, so that
 * a text of unknown origin can do no harm. Pure. (kubeconfig.ts reads the user's own, with files and plugins.)
 */
import { parseDocument } from 'yaml';
import type { Document } from 'yaml';

/** What the current context says; undefined for what it does not say. PEM texts, not base64. */
export interface ParsedKubeconfig {
  readonly context: string;
  readonly server: string;
  readonly certificateAuthority: string | undefined;
  readonly serverName: string | undefined;
  readonly insecure: boolean;
  readonly certificate: string | undefined;
  readonly key: string | undefined;
  readonly token: string | undefined;
  /** Namespace of the context. */
  readonly namespace: string | undefined;
}

type Section = Readonly<Record<string, unknown>>;

/** @throws Error with what is wrong, to be read after "Invalid kubeconfig: "; never repeats any of its values but names */
export function parseKubeconfig(text: string): ParsedKubeconfig {
  const config = section(document(text));
  if (config === undefined || !('clusters' in config || 'contexts' in config)) {
    throw new Error('this is not a kubeconfig: it has neither "clusters" nor "contexts"');
  }
  const contextName = config['current-context'];
  if (typeof contextName !== 'string' || contextName === '') throw new Error('it has no "current-context"');
  const context = entry(config, 'contexts', 'context', contextName);
  const cluster = entry(config, 'clusters', 'cluster', context['cluster']);
  const user = entry(config, 'users', 'user', context['user']);
  const server = word(cluster, 'server');
  if (server === undefined) throw new Error(`cluster "${String(context['cluster'])}" has no "server"`);
  return {
    context: contextName,
    server,
    certificateAuthority: inline(cluster, 'certificate-authority'),
    serverName: word(cluster, 'tls-server-name'),
    insecure: cluster['insecure-skip-tls-verify'] === true,
    certificate: inline(user, 'client-certificate'),
    key: inline(user, 'client-key'),
    token: word(user, 'token'),
    namespace: word(context, 'namespace'),
  };
}

function document(text: string): unknown {
  // Silent: a warning would quote the text on standard error, which is logged.
  const parsed = parseDocument(text, { logLevel: 'error' });
  const [problem] = parsed.errors;
  if (problem === undefined) return plain(parsed);
  // Only the place: the rest of the message repeats the text, and so secrets.
  const line = problem.linePos?.[0].line;
  throw new Error(`it is neither YAML nor JSON${line === undefined ? '' : ` (line ${line})`}`);
}

function plain(parsed: Document): unknown {
  try {
    return parsed.toJS();
  } catch {
    // Without the message, which names the alias: a secret that begins with "*" is taken for one.
    throw new Error(
      'it has an alias ("*…") that leads nowhere or to too much; put texts that begin with "*" in quotes',
    );
  }
}

function entry(config: Section, list: 'contexts' | 'clusters' | 'users', key: string, name: unknown): Section {
  const entries = Array.isArray(config[list]) ? (config[list] as readonly unknown[]) : [];
  const found = entries.map(section).find((candidate) => candidate?.['name'] === name);
  if (found === undefined) {
    const known = entries.map((each) => String(section(each)?.['name']));
    throw new Error(`it has no "${String(name)}" among its ${list} (${known.join(', ') || 'none'})`);
  }
  return section(found[key]) ?? {};
}

/** Text given as base64 in `<key>-data`; a path cannot be followed. */
function inline(from: Section, key: string): string | undefined {
  const data = word(from, `${key}-data`);
  if (data !== undefined) return decoded(data, `${key}-data`);
  if (word(from, key) === undefined) return undefined;
  throw new Error(`"${key}" is the path of a file; embed the file with "kubectl config view --raw --flatten"`);
}

function decoded(data: string, key: string): string {
  const whole = data.replaceAll(/\s/g, '');
  if (whole.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(whole)) throw new Error(`"${key}" is not base64`);
  return Buffer.from(whole, 'base64').toString('utf8');
}

function section(value: unknown): Section | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Section) : undefined;
}

/** @throws Error when it is there and no text: a number would have lost its leading zeros, and an object is nonsense. */
function word(from: Section, key: string): string | undefined {
  const value = from[key] ?? undefined;
  if (value === undefined || value === '') return undefined;
  if (typeof value === 'string') return value;
  throw new Error(`"${key}" must be a text; put it in quotes`);
}
