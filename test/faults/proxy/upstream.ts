/**
 * The proxy's way to the real API server, one for each connection of the syncer. Who the syncer is comes with the request when that
 * is a token, and else from the certificate in the syncer's own kubeconfig: the proxy has no rights of its own.
 */
import { connect as connectHttp2, constants } from 'node:http2';
import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http2';
import { connect as connectTls } from 'node:tls';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import type { Access } from '../../../syncer/cluster/session.ts';

const windowBytes = 8 * 1024 * 1024;
const passedOn = ['authorization', 'accept', 'accept-encoding', 'content-type', 'user-agent'];

export class Upstream {
  readonly #access: Access;
  readonly #lost: () => void;
  readonly #sessions = new Map<boolean, ClientHttp2Session>();

  /** `lost` is called when the real API server has closed a connection or cannot be reached. */
  constructor(access: Access, lost: () => void) {
    this.#access = access;
    this.#lost = lost;
  }

  send(headers: IncomingHttpHeaders, body: Buffer): ClientHttp2Stream {
    const session = this.#session(headers.authorization === undefined);
    const passed: OutgoingHttpHeaders = {
      [constants.HTTP2_HEADER_METHOD]: headers[constants.HTTP2_HEADER_METHOD],
      [constants.HTTP2_HEADER_PATH]: headers[constants.HTTP2_HEADER_PATH],
    };
    for (const name of passedOn) if (headers[name] !== undefined) passed[name] = headers[name];
    const stream = session.request(passed, { endStream: body.length === 0 });
    if (body.length > 0) stream.end(body);
    return stream;
  }

  /** What was forwarded is carried out, and its answer noted, although nobody waits for it any more. */
  close(): void {
    for (const session of this.#sessions.values()) session.close();
  }

  #session(withCertificate: boolean): ClientHttp2Session {
    const present = this.#sessions.get(withCertificate);
    if (present !== undefined && !present.closed && !present.destroyed) return present;
    const session = connectHttp2(this.#access.url.origin, {
      ...secretsOf(this.#access, withCertificate),
      settings: { initialWindowSize: windowBytes, enablePush: false },
    });
    session.once('connect', () => session.setLocalWindowSize(windowBytes));
    session.on('error', () => {});
    session.once('close', this.#lost);
    this.#sessions.set(withCertificate, session);
    return session;
  }
}

/** For HTTP/1.1 and whatever it is upgraded to: bytes, which the proxy does not look at. */
export function plainUpstream(access: Access): TLSSocket {
  const { hostname, port } = access.url;
  const options: ConnectionOptions & { allowHalfOpen: boolean } = {
    host: hostname,
    port: Number(port),
    ...secretsOf(access, true),
    ALPNProtocols: ['http/1.1'],
    allowHalfOpen: true,
  };
  return connectTls(options);
}

function secretsOf(access: Access, withCertificate: boolean): { ca: string; cert?: string; key?: string } {
  const { cert, key } = access.credentials();
  const ca = access.ca();
  return !withCertificate || cert === undefined || key === undefined ? { ca } : { ca, cert, key };
}
