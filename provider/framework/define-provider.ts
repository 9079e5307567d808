/**
 * A provider: its own configuration, and the list of what it offers.
 */
import type { Log } from '../wire/log.ts';
import type { Attributes, PlannedOf } from './attributes.ts';
import type { DataSourceType } from './data-source.ts';
import type { Diagnostic } from './diagnostics.ts';
import type { EphemeralType } from './ephemeral.ts';
import type { FunctionType } from './function.ts';
import type { ResourceType } from './resource.ts';

export interface ProviderDefinition<A extends Attributes, C> {
  /** The first word of the names of all resources. */
  readonly name: string;
  readonly version: string;
  readonly doc: string;
  readonly example?: string;
  readonly attributes: A;
  readonly validate?: (config: PlannedOf<A>) => readonly Diagnostic[];
  /**
   * Called once, before anything that needs the outside world. Values may be unknown (they come from the same apply):
   * so this must contact nobody, and what it returns must complain only when it is really asked.
   */
  readonly configure: (config: PlannedOf<A>, log: Log) => C;
  /** Called when the process ends, after the last handler. */
  readonly close?: (configured: C) => Promise<void> | void;
  readonly resources: readonly ResourceType<C>[];
  readonly dataSources: readonly DataSourceType<C>[];
  readonly ephemerals: readonly EphemeralType<C>[];
  readonly functions: readonly FunctionType[];
}

/** A provider with the types of its attributes and of what `configure` returns forgotten; server.ts serves it. */
export type ProviderType = ProviderDefinition<Attributes, unknown>;

/** Declares a provider: `export const provider: ProviderType = defineProvider({ … })`. */
export function defineProvider<const A extends Attributes, C>(definition: ProviderDefinition<A, C>): ProviderType {
  return definition as unknown as ProviderType;
}
