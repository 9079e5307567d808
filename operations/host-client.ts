/**
 * The requests to a host's API server, over a handful of kept connections.
 *
 * Invariants: a write is sent once, unless the host said that it did not take it (429); a read is sent again when its connection
 * was reset. "Not found" is the host's own 404 and nothing else.
 */
import { request as httpRequest } from 'node:http';
import type { Agent, IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { abortedError } from './errors.ts';
import type { AbortedError } from './errors.ts';
import { openAgent } from './host-agent.ts';
import { answerError, silenceError } from './host-answers.ts';
import type { Asked } from './host-answers.ts';
import { HostNotFoundError } from './host-errors.ts';
import type { Host, HostKind, HostVersion, ListOptions, ObjectRef, PatchOptions, RequestOptions } from './host.ts';
import type { AccessSource, HostAccess } from './kubeconfig.ts';

const defaultTimeoutMs = 15_000;
const triesMax = 4;
/** A busy host says how long to wait, mostly a second. */
const throttledTriesMax = 20;
const retryDelayMs = 200;
const retryAfterMaxMs = 30_000;
const retrySpread = 0.5;
const pageLength = 500;
const resets = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED']);
const metadataList = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';

type Method = Parameters<Host['request']>[0];

interface Sent extends RequestOptions {
  readonly method: Method;
  readonly path: string;
  readonly body?: object | undefined;
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly retryAfterMs: number | undefined;
}

/** As whom, and over which connections. */
interface Way {
  readonly access: HostAccess;
  readonly agent: Agent;
}

interface Page<T> {
  readonly metadata?: { readonly continue?: string };
  readonly items?: readonly T[] | null;
}

/** See {@link Host}. */
export class HostClient implements Host {
  readonly #source: AccessSource;
  #agent: { readonly of: HostAccess; readonly agent: Agent } | undefined;

  constructor(source: AccessSource) {
    this.#source = source;
  }

  get server(): string {
    return this.#source.endpoint.server.href.replace(/\/$/, '');
  }

  async access(again = false): Promise<HostAccess> {
    const credentials = await this.#source.credentials(again);
    // One from a file may bring the end of its line, which no header takes.
    return { ...this.#source.endpoint, ...credentials, token: credentials.token?.trim() };
  }

  async version(options: RequestOptions = {}): Promise<HostVersion> {
    return (await this.request('GET', '/version', undefined, options)) as HostVersion;
  }

  async get<T>(kind: HostKind, ref: ObjectRef, options: RequestOptions = {}): Promise<T> {
    return (await this.request('GET', pathOf(kind, ref.namespace, ref.name), undefined, options)) as T;
  }

  async tryGet<T>(kind: HostKind, ref: ObjectRef, options: RequestOptions = {}): Promise<T | undefined> {
    try {
      return await this.get<T>(kind, ref, options);
    } catch (error) {
      if (error instanceof HostNotFoundError) return undefined;
      throw error;
    }
  }

  async list<T>(kind: HostKind, namespace: string | undefined, options: ListOptions = {}): Promise<readonly T[]> {
    const { labelSelector, fieldSelector, metadataOnly, ...rest } = options;
    const found: T[] = [];
    let next = '';
    do {
      const query = new URLSearchParams({ limit: String(pageLength) });
      if (labelSelector) query.set('labelSelector', labelSelector);
      if (fieldSelector) query.set('fieldSelector', fieldSelector);
      if (next !== '') query.set('continue', next);
      const path = `${pathOf(kind, namespace)}?${query.toString()}`;
      const accept = metadataOnly === true ? metadataList : options.accept;
      const page = (await this.#send({ ...rest, method: 'GET', path, accept })) as Page<T>;
      found.push(...(page.items ?? []));
      next = page.metadata?.continue ?? '';
    } while (next !== '');
    return found;
  }

  async create<T>(kind: HostKind, namespace: string | undefined, object: object, options?: RequestOptions): Promise<T> {
    return (await this.request('POST', pathOf(kind, namespace), object, options)) as T;
  }

  async patch<T>(kind: HostKind, ref: ObjectRef, patch: object, options: PatchOptions = {}): Promise<T> {
    const { subresource, ...rest } = options;
    const path = `${pathOf(kind, ref.namespace, ref.name)}${subresource === undefined ? '' : `/${subresource}`}`;
    return (await this.request('PATCH', path, patch, rest)) as T;
  }

  async delete(kind: HostKind, ref: ObjectRef & { uid?: string | undefined }, options?: RequestOptions): Promise<void> {
    const { uid } = ref;
    const body = { propagationPolicy: 'Background', ...(uid !== undefined && { preconditions: { uid } }) };
    try {
      await this.request('DELETE', pathOf(kind, ref.namespace, ref.name), body, options);
    } catch (error) {
      if (!(error instanceof HostNotFoundError)) throw error;
    }
  }

  request(method: Method, path: string, body?: object, options: RequestOptions = {}): Promise<unknown> {
    return this.#send({ ...options, method, path, body });
  }

  close(): void {
    this.#agent?.agent.destroy();
    this.#agent = undefined;
  }

  #asked(sent: Sent): Asked {
    return { server: this.server, what: words(sent), proxy: this.#source.endpoint.proxy };
  }

  /** Sends until there is an answer that counts. */
  async #send(sent: Sent): Promise<unknown> {
    for (let attempt = 1; ; attempt += 1) {
      const answer = await this.#try(sent, attempt);
      if (answer === undefined) {
        await patience(retryDelayMs * attempt, sent);
        continue;
      }
      const { status, body, retryAfterMs } = answer;
      if (status >= 200 && status < 300) return body;
      if (mayAskAgain(sent.method, answer, attempt)) {
        await patience(Math.min((retryAfterMs ?? retryDelayMs * attempt) * spread(), retryAfterMaxMs), sent);
      } else if (status === 401 && attempt === 1) {
        await this.access(true);
      } else {
        throw answerError(this.#asked(sent), status, body);
      }
    }
  }

  /** One try; undefined when it may and should be tried again. */
  async #try(sent: Sent, attempt: number): Promise<Answer | undefined> {
    const timeoutMs = sent.timeoutMs ?? defaultTimeoutMs;
    const timeout = AbortSignal.timeout(timeoutMs);
    // Credentials first: their errors are in words already.
    const access = await this.access();
    const way = { access, agent: this.#agentFor(access) };
    try {
      return await this.#exchange(sent, way, sent.signal ? AbortSignal.any([sent.signal, timeout]) : timeout);
    } catch (error) {
      if (sent.signal?.aborted) throw aborted(sent);
      if (timeout.aborted) throw silenceError(this.#asked(sent), error, timeoutMs);
      const wasReset = resets.has(String((error as { code?: unknown }).code));
      if (wasReset && sent.method === 'GET' && attempt < triesMax) return undefined;
      throw silenceError(this.#asked(sent), error);
    }
  }

  #exchange({ method, path, body, accept }: Sent, { access, agent }: Way, signal: AbortSignal): Promise<Answer> {
    const { server, token } = access;
    const url = new URL(`${server.pathname.replace(/\/$/, '')}${path}`, server);
    const text = body === undefined ? undefined : JSON.stringify(body);
    const options = {
      method,
      agent,
      signal,
      headers: {
        accept: accept ?? 'application/json',
        'user-agent': 'cdktf-vcluster',
        ...(text !== undefined && {
          'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json',
          'content-length': Buffer.byteLength(text),
        }),
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
    };
    return new Promise((resolve, reject) => {
      const send = server.protocol === 'http:' ? httpRequest : httpsRequest;
      const outgoing = send(url, options, (incoming) => readAnswer(incoming).then(resolve, reject));
      outgoing.on('error', reject);
      outgoing.end(text);
    });
  }

  /** Connections are made with a client certificate: another one needs other connections. */
  #agentFor(access: HostAccess): Agent {
    const { certificate, key } = access;
    const known = this.#agent;
    if (known !== undefined && known.of.certificate === certificate && known.of.key === key) return known.agent;
    const agent = openAgent(access);
    this.#agent = { of: access, agent };
    return agent;
  }
}

async function readAnswer(incoming: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk);
  const retryAfter = Number(incoming.headers['retry-after']);
  return {
    status: incoming.statusCode ?? 0,
    body: parsed(Buffer.concat(chunks).toString('utf8')),
    retryAfterMs: Number.isFinite(retryAfter) ? retryAfter * 1000 : undefined,
  };
}

/** Those whom a server has sent away should not come back all at once. */
function spread(): number {
  return 1 + Math.random() * retrySpread;
}

/** 429 says that nothing was done; other signs of trouble only let a read be asked again. */
function mayAskAgain(method: Method, { status, retryAfterMs }: Answer, attempt: number): boolean {
  if (status === 429) return attempt < throttledTriesMax;
  if (method !== 'GET' || attempt >= triesMax) return false;
  return status === 503 || status === 504 || (status === 500 && retryAfterMs !== undefined);
}

async function patience(delayMs: number, sent: Sent): Promise<void> {
  try {
    await sleep(delayMs, undefined, sent.signal ? { signal: sent.signal } : {});
  } catch {
    throw aborted(sent);
  }
}

function aborted(sent: Sent): AbortedError {
  return abortedError(sent.signal, `wanted to ${words(sent)}`);
}

const verbs: Readonly<Record<Method, string>> = {
  GET: 'read',
  POST: 'create',
  PUT: 'replace',
  PATCH: 'change',
  DELETE: 'delete',
};

/** `read secrets/vc-a in namespace "a"`, from method and path. */
function words({ method, path }: Sent): string {
  const [place = ''] = path.split('?');
  const found = /^\/apis?\/(?:[^/]+\/)?v[^/]+\/(?:namespaces\/([^/]+)\/)?(.+)$/.exec(place);
  if (found === null) return `${verbs[method]} ${place}`;
  const [, namespace, rest = ''] = found;
  return `${verbs[method]} ${rest}${namespace === undefined ? '' : ` in namespace "${namespace}"`}`;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** The path of a kind's collection, or of one object. */
export function pathOf({ group, version, plural }: HostKind, namespace: string | undefined, name?: string): string {
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  const place = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${root}${place}/${plural}${name === undefined ? '' : `/${encodeURIComponent(name)}`}`;
}
