/**
 * The address of the server: a unix socket in a folder of its own that only this user may enter, or on Windows a port of
 * 127.0.0.1. The folder is removed by `release`, whatever happens in between; connections that are open then stay open.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GrpcServer } from './grpc-server.ts';
import { HandshakeError } from './handshake.ts';
import type { Address } from './handshake.ts';

export interface Listening {
  readonly address: Address;
  /** Removes what is on disk. Synchronous, so that it also works while the process exits; more than once does no harm. */
  readonly release: () => void;
}

/** Names of sockets end after 103 bytes on macOS, after 107 on Linux; beyond, listening fails with an unclear error. */
const pathBytesMax = 103;

/** Has the server listen; `folder` is where the parent wants the socket. Throws a HandshakeError when nothing can be made there. */
export async function listen(server: GrpcServer, folder: string | undefined): Promise<Listening> {
  if (process.platform === 'win32') {
    const port = await server.listen('tcp');
    return { address: { network: 'tcp', text: `127.0.0.1:${port}` }, release: () => undefined };
  }
  const own = privateFolder(folder ?? tmpdir());
  const release = (): void => rmSync(own, { recursive: true, force: true });
  try {
    const socket = join(own, 's');
    await server.listen({ socket });
    return { address: { network: 'unix', text: socket }, release };
  } catch (error) {
    release();
    throw error;
  }
}

/** mkdtemp makes folders that only their owner may enter. */
function privateFolder(parent: string): string {
  const isShort = Buffer.byteLength(join(parent, 'vcluster-XXXXXX', 's')) <= pathBytesMax;
  const within = isShort ? parent : '/tmp';
  try {
    return mkdtempSync(join(within, 'vcluster-'));
  } catch (cause) {
    throw new HandshakeError(
      `The provider cannot make a folder for its socket in ${within} (${(cause as Error).message}). ` +
        'Set TMPDIR to a folder that exists and that you may write to, and run the command again.',
      { cause },
    );
  }
}
