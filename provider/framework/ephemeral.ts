/**
 * Ephemeral resources: opened in every plan, apply and destroy, closed at its end, never in plan or state. So `open` must
 * be cheap and change nothing the second time. Terraform defers it while anything in its configuration is unknown.
 */
import type { Attributes, ObjectOf, PlannedOf } from './attributes.ts';
import type { Call, Private } from './call.ts';
import type { Diagnostic } from './diagnostics.ts';

export interface OpenCall<A extends Attributes, C> extends Call<C> {
  /** Wholly known; defaults are set. */
  readonly config: ObjectOf<A>;
}

export interface Opened<A extends Attributes> {
  /** Computed attributes; the rest is taken from the configuration. */
  readonly result: Partial<ObjectOf<A>>;
  /** When Terraform is to call `renew`, if it is still open then. */
  readonly renewAt?: Date;
  /** For `renew` and `close`. Only in memory of Terraform, so it may point to secrets but should not hold any. */
  readonly private?: Private;
  readonly diagnostics?: readonly Diagnostic[];
}

export interface OpenedCall<C> extends Call<C> {
  readonly private: Private;
}

export interface Renewed {
  readonly renewAt?: Date;
  readonly private?: Private;
}

export interface EphemeralDefinition<A extends Attributes, C> {
  readonly name: string;
  readonly doc: string;
  readonly example?: string;
  readonly attributes: A;
  readonly validate?: (config: PlannedOf<A>) => readonly Diagnostic[];
  readonly open: (call: OpenCall<A, C>) => Promise<Opened<A>>;
  readonly renew?: (call: OpenedCall<C>) => Promise<Renewed>;
  readonly close?: (call: OpenedCall<C>) => Promise<void>;
}

export interface EphemeralType<C> {
  readonly is: 'ephemeral resource';
  readonly name: string;
  readonly definition: EphemeralDefinition<Attributes, C>;
}

/** Declares an ephemeral resource: `export const x: EphemeralType<Configured> = defineEphemeral({ … })`. */
export function defineEphemeral<const A extends Attributes, C>(
  definition: EphemeralDefinition<A, C>,
): EphemeralType<C> {
  return {
    is: 'ephemeral resource',
    name: definition.name,
    definition: definition as unknown as EphemeralDefinition<Attributes, C>,
  };
}
