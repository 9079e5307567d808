/**
 * Whether an API server is where it is said to be: TCP, then TLS with the expected authority and name. Sends no request and no
 * credential, so that asking a stranger tells him nothing.
 */
import { checkServerIdentity, connect } from 'node:tls';
import type { PeerCertificate } from 'node:tls';

export interface Whereabouts {
  /** A URL that begins with https:// */
  readonly server: string;
  /** PEM. */
  readonly ca: string;
  /** The certificate must be valid for one of them; default: the host of the URL. */
  readonly names?: readonly string[];
}

export type Reach =
  /** `name`: the first of the names that its certificate is valid for. */
  | { readonly is: 'reached'; readonly name: string }
  /** Nobody there, or nobody in time. */
  | { readonly is: 'silent'; readonly why: string }
  /** Somebody else, or another incarnation with other keys. */
  | { readonly is: 'stranger'; readonly why: string };

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'this machine does not know its name',
  EAI_AGAIN: 'its name could not be looked up just now',
  EHOSTUNREACH: 'there is no way to it',
  ENETUNREACH: 'there is no way to it',
  ECONNRESET: 'it ended the connection',
};

/** Never rejects. Silent at once when `signal` aborts. */
export function reach({ server, ca, names }: Whereabouts, timeoutMs: number, signal?: AbortSignal): Promise<Reach> {
  const url = new URL(server);
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const accepted = names ?? [host];
  const nameOn = (certificate: PeerCertificate): string | undefined =>
    accepted.find((name) => checkServerIdentity(name, certificate) === undefined);
  const [asked = host] = accepted;
  return new Promise((resolve) => {
    const socket = connect({
      host,
      port: url.port === '' ? 443 : Number(url.port),
      ca,
      ...(isName(asked) && { servername: asked }),
      checkServerIdentity: (_, certificate) =>
        nameOn(certificate) === undefined ? checkServerIdentity(asked, certificate) : undefined,
      ALPNProtocols: ['http/1.1'],
    });
    const timer = setTimeout(() => end({ is: 'silent', why: `no answer within ${timeoutMs / 1000} s` }), timeoutMs);
    const end = (reached: Reach): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', stop);
      socket.destroy();
      resolve(reached);
    };
    const stop = (): void => end({ is: 'silent', why: 'it was told to stop' });
    if (signal?.aborted) stop();
    else signal?.addEventListener('abort', stop);
    socket.once('secureConnect', () => end({ is: 'reached', name: nameOn(socket.getPeerCertificate()) ?? asked }));
    socket.once('close', () => end({ is: 'silent', why: 'the connection was closed' }));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      const isStranger = /^(ERR_TLS_CERT|CERT_|UNABLE_TO|SELF_SIGNED|DEPTH_ZERO)/.test(error.code ?? '');
      end({ is: isStranger ? 'stranger' : 'silent', why: reasons[error.code ?? ''] ?? error.message });
    });
  });
}

/** An address cannot be asked for in TLS's greeting. */
function isName(text: string): boolean {
  return !/^[\d.]+$/.test(text) && !text.includes(':');
}
