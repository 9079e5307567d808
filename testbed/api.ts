/**
 * The few requests that the testbed itself has to send to an API server: readiness, reading, applying objects.
 * Not a client for anybody else: no watch, no retries, no kubeconfig features beyond embedded certificates.
 */
import { readFile } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { text } from 'node:stream/consumers';
import { parse } from 'yaml';

const timeoutMs = 10_000;

/** An answer of an API server. */
export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** What is sent: method, path with query, and a JSON body. */
export interface Sent {
  readonly method: 'GET' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
  readonly contentType?: string;
}

/** A Kubernetes object of the testbed, as JSON. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly [key: string]: unknown };
  readonly [key: string]: unknown;
}

interface Credentials {
  readonly server: string;
  readonly agent: Agent;
}

interface KubeconfigFile {
  readonly clusters: readonly { cluster: { server: string; 'certificate-authority-data'?: string } }[];
  readonly users: readonly { user: { 'client-certificate-data'?: string; 'client-key-data'?: string } }[];
}

/** Requests to one API server with the embedded certificates of a kubeconfig file. */
export class Api {
  readonly #credentials: Credentials;

  private constructor(credentials: Credentials) {
    this.#credentials = credentials;
  }

  /** Reads a kubeconfig that the testbed wrote. */
  static async fromKubeconfig(path: string): Promise<Api> {
    const file: KubeconfigFile = parse(await readFile(path, 'utf8'));
    const cluster = file.clusters[0]?.cluster;
    const user = file.users[0]?.user;
    if (cluster === undefined || user === undefined) throw new Error(`${path} names no cluster or no user`);
    const agent = new Agent({
      ca: decoded(cluster['certificate-authority-data']),
      cert: decoded(user['client-certificate-data']),
      key: decoded(user['client-key-data']),
      keepAlive: true,
    });
    return new Api({ server: cluster.server, agent });
  }

  /** Sends one request; an answer of any status is returned, only a broken connection throws. */
  send({ method, path, body, contentType = 'application/json' }: Sent): Promise<Answer> {
    const { server, agent } = this.#credentials;
    const payload = body === undefined ? undefined : JSON.stringify(body);
    return new Promise((resolve, reject) => {
      const headers = payload === undefined ? {} : { 'content-type': contentType };
      const sent = request(new URL(path, server), { method, agent, headers, timeout: timeoutMs }, (response) => {
        text(response).then((received) => resolve({ status: response.statusCode ?? 0, body: received }), reject);
      });
      sent.on('timeout', () =>
        sent.destroy(new Error(`${method} ${path} at ${server} took longer than ${timeoutMs / 1000} s`)),
      );
      sent.on('error', reject);
      sent.end(payload);
    });
  }

  /** Whether a GET answers 200; false while the server cannot be reached. */
  async answers(path: string): Promise<boolean> {
    try {
      return (await this.send({ method: 'GET', path })).status === 200;
    } catch {
      return false;
    }
  }

  /** Reads JSON; undefined when there is no such object. */
  async get<T>(path: string): Promise<T | undefined> {
    const answer = await this.send({ method: 'GET', path });
    if (answer.status === 404) return undefined;
    if (answer.status !== 200) throw new Error(`GET ${path} answered ${answer.status}: ${answer.body}`);
    const found: T = JSON.parse(answer.body);
    return found;
  }

  /** Makes objects so, whether they exist or not (server-side apply); namespaces first, in the order given. */
  async apply(manifests: readonly Manifest[]): Promise<void> {
    for (const manifest of manifests) {
      const path = `${pathOf(manifest)}?fieldManager=testbed&force=true`;
      const answer = await this.send({
        method: 'PATCH',
        path,
        body: manifest,
        contentType: 'application/apply-patch+yaml',
      });
      if (answer.status >= 300) {
        throw new Error(
          `Applying ${manifest.kind} ${manifest.metadata.name} answered ${answer.status}: ${answer.body}`,
        );
      }
    }
  }

  /** Lets go of idle connections, so that the process can end. */
  close(): void {
    this.#credentials.agent.destroy();
  }
}

/** The path of one object; the plural is regular for every kind that the testbed uses. */
export function pathOf({ apiVersion, kind, metadata }: Manifest): string {
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const scope = metadata.namespace === undefined ? '' : `/namespaces/${metadata.namespace}`;
  const lower = kind.toLowerCase();
  const plural = lower.endsWith('s') ? `${lower}es` : `${lower}s`;
  return `${root}${scope}/${plural}/${metadata.name}`;
}

function decoded(data: string | undefined): Buffer | undefined {
  return data === undefined ? undefined : Buffer.from(data, 'base64');
}
