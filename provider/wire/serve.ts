/**
 * A provider's process from start to end: agree, listen, serve, end.
 *
 * Guarantees: the first line on standard output is the handshake, or why there is none; nothing is left behind, however the
 * process ends, once the only client is connected that a certificate lets in; what fails outside of an RPC is logged and does not
 * end the process, because a process that ends in the middle of an apply takes the state of what it was making with it.
 */
import { X509Certificate } from 'node:crypto';
import { makeServerCertificate } from './certificate.ts';
import type { ServerCertificate } from './certificate.ts';
import { GrpcServer } from './grpc-server.ts';
import type { ServerTls } from './grpc-server.ts';
import { handshakeLine, HandshakeError, isStartedByTerraform, reattachValue, termsOf } from './handshake.ts';
import type { Address, Environment } from './handshake.ts';
import { watchLifetime } from './lifetime.ts';
import { createLog, levelFrom } from './log.ts';
import { routesOf } from './routes.ts';
import { Secrets } from './secrets.ts';
import type { ProviderService, StartProvider, Surroundings } from './service.ts';
import { listen } from './socket.ts';

/** How long handlers may take to end, and after them the provider. Terraform kills two seconds after it has asked. */
const askedGrace: Grace = { handlersMs: 800, providerMs: 800 };
/** Nobody waits: what was begun may be left in order. */
const orphanGrace: Grace = { handlersMs: 10_000, providerMs: 5000 };

interface Grace {
  readonly handlersMs: number;
  readonly providerMs: number;
}

export interface ServeOptions {
  readonly start: StartProvider;
  /** The source address, for the variable that --debug prints. */
  readonly source: string;
  readonly args?: readonly string[];
  readonly env?: Environment;
}

/** Serves until the process should end. Resolves with the exit code; only the caller exits. */
export async function serveProcess({
  start,
  source,
  args = process.argv.slice(2),
  env = process.env,
}: ServeOptions): Promise<number> {
  const surroundings = surroundingsOf(env);
  surviveErrors(surroundings);
  try {
    if (args.includes('--debug')) await serveDebug(start, source, surroundings);
    else await serveTerraform(start, env, surroundings);
    return 0;
  } catch (error) {
    explain(error, surroundings, isStartedByTerraform(env));
    return 1;
  }
}

/** One that runs in this process: for tests, and for --debug. */
export interface Serving extends AsyncDisposable {
  readonly address: Address;
  /** The value of `TF_REATTACH_PROVIDERS` for a source address. */
  readonly reattach: (source: string) => string;
}

/** Serves without encryption, for a Terraform that is told the address. Ends when disposed of. */
export async function serveUnencrypted(start: StartProvider, surroundings: Surroundings): Promise<Serving> {
  const running = await run(start, surroundings, { tls: undefined, socketFolder: undefined });
  return {
    address: running.address,
    reattach: (source) => reattachValue(source, running.address, process.pid),
    [Symbol.asyncDispose]: () => running.end(askedGrace),
  };
}

async function serveTerraform(start: StartProvider, env: Environment, surroundings: Surroundings): Promise<void> {
  const { clientCertificate, socketFolder } = termsOf(env);
  using lifetime = watchLifetime({ interruptible: false });
  const own = clientCertificate === undefined ? undefined : makeServerCertificate();
  const running = await run(start, surroundings, {
    tls: own && tlsOf(own, clientCertificate ?? ''),
    socketFolder,
    onDeserted: lifetime.check,
  });
  const unread = announced(handshakeLine(running.address, own?.der));
  const [why, grace] = await Promise.race([
    Promise.race([lifetime.ended, unread]).then((reason) => [reason, orphanGrace] as const),
    running.shutdown.then((reason) => [reason, askedGrace] as const),
  ]);
  surroundings.log.debug('Ending', { why });
  await running.end(grace);
}

/**
 * Prints the handshake. Resolves, with the reason, only when nobody is there to read it: then Terraform has ended before its
 * process could be watched, and would never be missed.
 */
function announced(line: string): Promise<string> {
  return new Promise((resolve) => {
    process.stdout.write(`${line}\n`, (error) => {
      if (error) resolve('nobody reads the handshake');
    });
  });
}

async function serveDebug(start: StartProvider, source: string, surroundings: Surroundings): Promise<void> {
  using lifetime = watchLifetime({ interruptible: true });
  await using serving = await serveUnencrypted(start, surroundings);
  process.stdout.write(`TF_REATTACH_PROVIDERS='${serving.reattach(source)}'\n`);
  await lifetime.ended;
}

interface Running {
  readonly address: Address;
  /** Resolves when Terraform asks the process to end. */
  readonly shutdown: Promise<string>;
  readonly end: (grace: Grace) => Promise<void>;
}

interface RunOptions {
  readonly tls: ServerTls | undefined;
  readonly socketFolder: string | undefined;
  readonly onDeserted?: () => void;
}

async function run(start: StartProvider, surroundings: Surroundings, options: RunOptions): Promise<Running> {
  const { promise: shutdown, resolve } = Promise.withResolvers<string>();
  const provider = started(start, surroundings);
  const routes = routesOf({ provider, onShutdown: () => resolve('Terraform has asked for it') });
  const server = new GrpcServer({ ...surroundings, routes, tls: options.tls, onDeserted: options.onDeserted });
  const { address, release } = await listen(server, options.socketFolder);
  process.once('exit', release);
  // Then there is one client, which connects once and keeps this connection to the end.
  if (options.tls !== undefined) void server.connected.then(release);
  return {
    address,
    shutdown,
    end: async ({ handlersMs, providerMs }) => {
      await server.close(handlersMs);
      await closed(provider, surroundings, providerMs);
      release();
      process.off('exit', release);
    },
  };
}

/** Begins to load the provider, after the handshake is out. */
function started(start: StartProvider, surroundings: Surroundings): Promise<ProviderService> {
  const provider = new Promise<void>((resolve) => setImmediate(resolve)).then(() => start(surroundings));
  // Each RPC tells Terraform about it.
  provider.catch(() => undefined);
  return provider;
}

async function closed(provider: Promise<ProviderService>, { log }: Surroundings, withinMs: number): Promise<void> {
  try {
    const { close } = await provider;
    const late = new Promise<void>((resolve) => setTimeout(resolve, withinMs));
    await Promise.race([close?.(), late]);
  } catch (error) {
    log.warn('The provider did not close well', { error });
  }
}

/** A person reads standard error; Terraform keeps that for its log and shows the first line of standard output. */
function explain(error: unknown, { secrets }: Surroundings, byTerraform: boolean): void {
  const { message, stack = message } = error instanceof Error ? error : new Error(String(error));
  const isForeseen = error instanceof HandshakeError;
  process.stderr.write(`${secrets.redact(isForeseen ? message : stack)}\n`);
  if (!byTerraform) return;
  const line = secrets.redact(isForeseen ? message : `This provider cannot start: ${message}`);
  // Four parts between bars would be taken for a handshake.
  process.stdout.write(`${line.replaceAll(/[\s|]+/g, ' ')}\n`);
}

function tlsOf(own: ServerCertificate, clientCertificate: string): ServerTls {
  const { certificate, key } = own;
  return { certificate, key, clientCertificate, clientDer: new X509Certificate(clientCertificate).raw };
}

function surroundingsOf(env: Environment): Surroundings {
  const secrets = new Secrets();
  const log = createLog({ level: levelFrom(env), secrets, write: (line) => process.stderr.write(line) });
  return { log, secrets };
}

function surviveErrors({ log }: Surroundings): void {
  process.on('uncaughtException', (error) => log.error('Something failed outside of any call', { error }));
  process.on('unhandledRejection', (error) => log.error('Something failed outside of any call', { error }));
  // The reader has gone: there is nobody to tell.
  process.stdout.on('error', () => undefined);
  process.stderr.on('error', () => undefined);
}
