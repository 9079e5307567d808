/**
 * Data sources: they read something and keep nothing. What they return is in the state: never a secret.
 */
import type { Attributes, ObjectOf, PlannedOf } from './attributes.ts';
import type { Call } from './call.ts';
import type { Diagnostic } from './diagnostics.ts';

export interface DataSourceCall<A extends Attributes, C> extends Call<C> {
  /** Wholly known: Terraform defers the reading until it is. Defaults are set. */
  readonly config: ObjectOf<A>;
}

export interface DataSourceResult<A extends Attributes> {
  /** Computed attributes; the rest is taken from the configuration. */
  readonly state: Partial<ObjectOf<A>>;
  readonly diagnostics?: readonly Diagnostic[];
}

export interface DataSourceDefinition<A extends Attributes, C> {
  readonly name: string;
  readonly doc: string;
  readonly example?: string;
  readonly attributes: A;
  readonly validate?: (config: PlannedOf<A>) => readonly Diagnostic[];
  /** How long a reading may take; `remainingMs` counts it down. Default: 60 000. */
  readonly timeoutMs?: number;
  readonly read: (call: DataSourceCall<A, C>) => Promise<DataSourceResult<A>>;
}

export interface DataSourceType<C> {
  readonly is: 'data source';
  readonly name: string;
  readonly definition: DataSourceDefinition<Attributes, C>;
}

/** Declares a data source: `export const x: DataSourceType<Configured> = defineDataSource({ … })`. */
export function defineDataSource<const A extends Attributes, C>(
  definition: DataSourceDefinition<A, C>,
): DataSourceType<C> {
  return {
    is: 'data source',
    name: definition.name,
    definition: definition as unknown as DataSourceDefinition<Attributes, C>,
  };
}
