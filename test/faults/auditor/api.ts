/**
 * Reading from an API server with nothing but Node's own HTTPS: lists and watches over HTTP/1.1, so that a fault of the product's
 * client cannot hide itself from the auditor. Never writes.
 */
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { StringDecoder } from 'node:string_decoder';
import { parse } from 'yaml';
import type { Thing } from './words.ts';

interface Kubeconfig {
  readonly clusters: readonly { readonly cluster: { readonly server: string; readonly [key: string]: string } }[];
  readonly users: readonly { readonly user: Readonly<Record<string, string>> }[];
}

export interface Listed {
  readonly items: readonly Thing[];
  readonly version: string;
}

export interface Line {
  readonly type: string;
  readonly object: Thing & { readonly code?: number; readonly message?: string };
}

/** An answer that is not a success. */
export class Refused extends Error {
  readonly status: number;

  constructor(path: string, status: number, body: string) {
    super(`GET ${path}: ${status} ${body.slice(0, 200)}`);
    this.status = status;
  }
}

const answerTimeoutMs = 10_000;
/** Bookmarks come every minute; who says nothing for longer is not there. */
const silenceMs = 90_000;

export class Api {
  readonly #server: URL;
  readonly #agent: Agent;

  /** Of a kubeconfig with one cluster and one user, certificates inside or in files. */
  constructor(kubeconfigPath: string) {
    const { clusters, users } = parse(readFileSync(kubeconfigPath, 'utf8')) as Kubeconfig;
    const cluster = clusters[0]?.cluster;
    const user = users[0]?.user ?? {};
    if (cluster === undefined) throw new Error(`${kubeconfigPath} names no cluster.`);
    this.#server = new URL(cluster.server);
    const ca = partOf(cluster, 'certificate-authority');
    const cert = partOf(user, 'client-certificate');
    const key = partOf(user, 'client-key');
    this.#agent = new Agent({ maxSockets: Infinity, ...definedOnly({ ca, cert, key }) });
  }

  close(): void {
    this.#agent.destroy();
  }

  async list(path: string): Promise<Listed> {
    const { items, metadata } = (await this.get(path)) as {
      readonly items: readonly Thing[] | null;
      readonly metadata: { readonly resourceVersion: string };
    };
    return { items: items ?? [], version: metadata.resourceVersion };
  }

  /** @throws Refused for any other status than success, and what Node throws when there is no answer */
  async get(path: string): Promise<unknown> {
    const response = await this.#send(path, AbortSignal.timeout(answerTimeoutMs));
    const body = await text(response);
    if (response.statusCode !== 200) throw new Refused(path, response.statusCode ?? 0, body);
    return JSON.parse(body);
  }

  /** Lines of a watch until the server ends it. @throws as `get` */
  async *watch(path: string, signal: AbortSignal): AsyncGenerator<Line> {
    const response = await this.#send(path, signal);
    if (response.statusCode !== 200) throw new Refused(path, response.statusCode ?? 0, await text(response));
    response.socket.setTimeout(silenceMs, () => response.destroy(new Error('silent for too long')));
    const decoder = new StringDecoder('utf8');
    let rest = '';
    for await (const chunk of response as AsyncIterable<Buffer>) {
      const lines = (rest + decoder.write(chunk)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) yield JSON.parse(line) as Line;
    }
  }

  #send(path: string, signal: AbortSignal): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const options = { agent: this.#agent, signal, headers: { accept: 'application/json', 'user-agent': 'auditor' } };
      request(new URL(path, this.#server), options, resolve).once('error', reject).end();
    });
  }
}

function partOf(section: Readonly<Record<string, string>>, key: string): string | undefined {
  const inline = section[`${key}-data`];
  if (inline !== undefined) return Buffer.from(inline, 'base64').toString('utf8');
  const file = section[key];
  return file === undefined ? undefined : readFileSync(file, 'utf8');
}

function definedOnly(fields: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(fields).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
