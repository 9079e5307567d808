/**
 * The agreement between Terraform and a provider process, before any RPC: environment variables one way, one line on standard
 * output the other way. Pure but for the environment that it is given.
 */

/** Not a secret: a sign that the program was started by Terraform and not by a person. */
const cookieName = 'TF_PLUGIN_MAGIC_COOKIE';
const cookieValue = 'd602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2';
const protocolVersion = 6;
/** Of the handshake itself. */
const coreVersion = 1;

export type Environment = Readonly<Record<string, string | undefined>>;

/** Where the server listens, in the words of the handshake. */
export interface Address {
  readonly network: 'unix' | 'tcp';
  readonly text: string;
}

/** The process was not started in a way that it can serve. The message is for the person who has started it or Terraform. */
export class HandshakeError extends Error {
  override readonly name = 'HandshakeError';
}

/** What Terraform wants, or a HandshakeError. */
export interface Terms {
  /** PEM of the only client that may connect; undefined when the connection is not to be encrypted. */
  readonly clientCertificate: string | undefined;
  /** Where unix sockets are to be made, if the parent cares. */
  readonly socketFolder: string | undefined;
}

/** Whether Terraform has started this process, and reads its standard output. */
export function isStartedByTerraform(env: Environment): boolean {
  return env[cookieName] === cookieValue;
}

/** Reads the environment that Terraform starts providers with. */
export function termsOf(env: Environment): Terms {
  if (!isStartedByTerraform(env)) throw new HandshakeError(startedByHand);
  const offered = (env['PLUGIN_PROTOCOL_VERSIONS'] ?? String(protocolVersion)).split(',').map((text) => text.trim());
  if (!offered.includes(String(protocolVersion))) {
    throw new HandshakeError(
      `This provider speaks version ${protocolVersion} of Terraform's plugin protocol, but ${offered.join(' and ')} ` +
        'was asked for. Use Terraform 1.11 or newer, or OpenTofu 1.11 or newer.',
    );
  }
  return {
    clientCertificate: env['PLUGIN_CLIENT_CERT'] || undefined,
    socketFolder: env['PLUGIN_UNIX_SOCKET_DIR'] || undefined,
  };
}

/** The line that ends the handshake, without its line break. */
export function handshakeLine({ network, text }: Address, serverDer: Uint8Array | undefined): string {
  const fields = [coreVersion, protocolVersion, network, text, 'grpc'];
  // Without padding: Go's decoder for this field takes none.
  if (serverDer !== undefined) fields.push(Buffer.from(serverDer).toString('base64').replaceAll('=', ''));
  return fields.join('|');
}

/** For a Terraform that is told to use a process which runs already: the value of `TF_REATTACH_PROVIDERS`. */
export function reattachValue(source: string, address: Address, pid: number): string {
  return JSON.stringify({
    [source]: {
      Protocol: 'grpc',
      ProtocolVersion: protocolVersion,
      Pid: pid,
      // Terraform must not end the process when it is done.
      Test: true,
      Addr: { Network: address.network, String: address.text },
    },
  });
}

const startedByHand = `This is a Terraform provider: Terraform starts it, a person does not.

To use it, write this and run \`terraform init\`:

  terraform {
    required_providers {
      vcluster = { source = "cdktf-vcluster/vcluster" }
    }
  }

To debug it, start it with --debug and give Terraform the variable that it prints.`;
