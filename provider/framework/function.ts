/**
 * Functions: pure, without the provider's configuration, called by Terraform as often as it likes with known arguments.
 */
import type { Type, ValueOf } from './attributes.ts';

export interface Parameter {
  /** A word people can use in messages. */
  readonly name: string;
  readonly type: Type;
  /** Markdown. */
  readonly doc: string;
  /** The argument may be null; without it Terraform refuses null before anything is called. */
  readonly nullable?: boolean;
}

type ArgumentOf<P extends Parameter> = ValueOf<P['type']> | (P extends { readonly nullable: true } ? null : never);

/** The arguments of a list of parameters, as a tuple. */
export type ArgumentsOf<P extends readonly Parameter[]> = { readonly [I in keyof P]: ArgumentOf<P[I]> };

/** What a function throws to blame one argument (counted from 0): Terraform underlines it. */
export class ArgumentError extends Error {
  override readonly name: string = 'ArgumentError';
  readonly argument: number;

  /** `message` reads after `Invalid value for "x" parameter: ` and says what it must be and what to do. */
  constructor(argument: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.argument = argument;
  }
}

export interface FunctionDefinition<P extends readonly Parameter[], R extends Type> {
  /** Without the provider's name: it is called as `provider::vcluster::name(…)`. */
  readonly name: string;
  /** One line. */
  readonly summary: string;
  /** Markdown. */
  readonly doc: string;
  readonly example?: string;
  readonly parameters: P;
  readonly returns: R;
  /** Throws `ArgumentError`. */
  readonly run: (...args: ArgumentsOf<P>) => ValueOf<R>;
}

export interface FunctionType {
  readonly is: 'function';
  readonly name: string;
  readonly definition: FunctionDefinition<readonly Parameter[], Type>;
}

/** Declares a function: `export const x: FunctionType = defineFunction({ … })`. */
export function defineFunction<const P extends readonly Parameter[], const R extends Type>(
  definition: FunctionDefinition<P, R>,
): FunctionType {
  return {
    is: 'function',
    name: definition.name,
    definition: definition as unknown as FunctionDefinition<readonly Parameter[], Type>,
  };
}
