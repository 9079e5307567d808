/**
 * What the wire needs from a provider: one handler per RPC, and what each handler is told about its call. Handlers get
 * decoded messages and return drafts; framing, encoding, deadlines and process life are the wire's.
 */
import type { Log } from './log.ts';
import type { Secrets } from './secrets.ts';
import type { ProviderHandlers } from './tfplugin6.ts';

/** About one RPC that is being answered. */
export interface Call {
  /**
   * Aborted when nobody waits for the answer any more: Terraform cancelled the RPC, its deadline passed, the connection or
   * the process ends. StopProvider is an RPC of its own and does not abort others: that is the provider's to do.
   */
  readonly signal: AbortSignal;
  /** By which connection it came: each command of Terraform has one of its own, also where several share this process. */
  readonly connection: object;
}

/** A provider as main.ts serves it. */
export interface ProviderService {
  readonly handlers: ProviderHandlers<Call>;
  /** Called once when the process is about to end, after the last answer; what is still open is closed here. */
  readonly close?: () => Promise<void>;
}

/** What a provider is started with. */
export interface Surroundings {
  /** Lines for Terraform's log; what `secrets` knows never appears in them. */
  readonly log: Log;
  readonly secrets: Secrets;
}

/**
 * Makes the provider. Called once; the handshake does not wait for it, so whatever it loads is loaded while
 * Terraform connects.
 */
export type StartProvider = (surroundings: Surroundings) => ProviderService | Promise<ProviderService>;
