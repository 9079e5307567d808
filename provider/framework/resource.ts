/**
 * Managed resources: what one declares and what its handlers receive and return.
 *
 * A handler deals with one object and knows nothing of Terraform's rules. Defaults, unknown values, what is kept on an
 * update, replacement, write-only values, private data, state upgrades and the checks that Terraform's core makes are the
 * framework's work (plan.ts, conformance.ts).
 */
import type { Attributes, ObjectOf, PlannedOf } from './attributes.ts';
import type { Call, Private } from './call.ts';
import type { Diagnostic, Path } from './diagnostics.ts';
import type { JsonRecord } from './values.ts';

/** What came out. Attributes still `UNKNOWN` in a state are a bug, except beside an error: then they become null. */
export interface Outcome<A extends Attributes> {
  readonly state: PlannedOf<A>;
  /** Replaces what was kept before; left out, that stays. */
  readonly private?: Private;
  /** With an error among them, the state is partial: Terraform keeps it, and marks a new object as tainted. */
  readonly diagnostics?: readonly Diagnostic[];
}

/** Remembers how far a handler came: when it then throws, this state is kept (as partial) together with the error. */
export type Checkpoint<A extends Attributes> = (state: PlannedOf<A>, kept?: Private) => void;

export interface CreateCall<A extends Attributes, C> extends Call<C> {
  /** As written by the user; the only place with write-only values. Wholly known. */
  readonly config: ObjectOf<A>;
  /** As planned: configuration, defaults, and `UNKNOWN` where the provider is to decide. */
  readonly planned: PlannedOf<A>;
  readonly private: Private;
  readonly checkpoint: Checkpoint<A>;
}

export interface UpdateCall<A extends Attributes, C> extends CreateCall<A, C> {
  readonly prior: ObjectOf<A>;
}

export interface ReadCall<A extends Attributes, C> extends Call<C> {
  readonly state: ObjectOf<A>;
  readonly private: Private;
}

export interface DeleteCall<A extends Attributes, C> extends Call<C> {
  readonly prior: ObjectOf<A>;
  readonly private: Private;
  readonly checkpoint: Checkpoint<A>;
}

export interface PlanCall<A extends Attributes, C> extends Call<C> {
  readonly config: PlannedOf<A>;
  /** `undefined` when the object is to be created, also when it replaces another one. */
  readonly prior: ObjectOf<A> | undefined;
  /** What would be planned without this handler. */
  readonly planned: PlannedOf<A>;
  readonly private: Private;
}

/** A reason to replace the object: the attribute that changed, and why. */
export interface Replacement {
  readonly path: Path;
  /** Continues "… must be replaced: ". */
  readonly why: string;
}

export interface PlanChange<A extends Attributes> {
  /** Computed attributes that will be otherwise than planned. What the user has set cannot be changed here. */
  readonly values?: Partial<PlannedOf<A>>;
  /** Besides the attributes that are declared with `replace` and have changed. Nothing happens when creating. */
  readonly replace?: readonly Replacement[];
  readonly diagnostics?: readonly Diagnostic[];
  readonly private?: Private;
}

export interface ImportCall<C> extends Call<C> {
  /** What the user gave to `terraform import`. */
  readonly id: string;
}

export interface Imported<A extends Attributes> {
  /** Enough for `read` to find the object; attributes left out are null. `read` follows at once. */
  readonly state: Partial<ObjectOf<A>>;
  readonly private?: Private;
}

export interface ResourceDefinition<A extends Attributes, C> {
  /** With the provider's name: `vcluster_cluster`. */
  readonly name: string;
  /** Markdown for the reference page. */
  readonly doc: string;
  /** HCL for the reference page. */
  readonly example?: string;
  /** Of the state's layout, from 0 up. Every rise needs an entry of `upgrades`. */
  readonly version: number;
  readonly attributes: A;
  /** What no single attribute's `check` can see. Values may be unknown; also called at apply, where none is. */
  readonly validate?: (config: PlannedOf<A>) => readonly Diagnostic[];
  /** Called for every create and update that is planned, also when nothing has changed. */
  readonly plan?: (call: PlanCall<A, C>) => PlanChange<A> | Promise<PlanChange<A>>;
  /** Called when a destruction is planned (not when a replacement is): the place to refuse it early. */
  readonly planDelete?: (
    call: Omit<DeleteCall<A, C>, 'checkpoint'>,
  ) => readonly Diagnostic[] | Promise<readonly Diagnostic[]>;
  readonly create: (call: CreateCall<A, C>) => Promise<Outcome<A>>;
  /** `undefined` when the object is gone. */
  readonly read: (call: ReadCall<A, C>) => Promise<Outcome<A> | undefined>;
  readonly update: (call: UpdateCall<A, C>) => Promise<Outcome<A>>;
  /** Returns when the object is gone; throws when it is not, and the state stays. */
  readonly delete: (call: DeleteCall<A, C>) => Promise<readonly Diagnostic[] | void>;
  readonly import?: (call: ImportCall<C>) => Promise<Imported<A>>;
  /** How people say the id for `import`, such as `namespace/name`. */
  readonly importId?: string;
  /** By the version that is left: makes of a state of version n one of version n + 1. Pure. */
  readonly upgrades?: Readonly<Record<number, (state: JsonRecord) => JsonRecord>>;
}

/** A resource of a provider whose `configure` returns `C`; its attributes' types are forgotten. */
export interface ResourceType<C> {
  readonly is: 'resource';
  readonly name: string;
  readonly definition: ResourceDefinition<Attributes, C>;
}

/**
 * Declares a resource. Write `export const x: ResourceType<Configured> = defineResource({ … })`: the annotation tells the
 * handlers what `provider` is, the attributes what the values are.
 */
export function defineResource<const A extends Attributes, C>(definition: ResourceDefinition<A, C>): ResourceType<C> {
  return {
    is: 'resource',
    name: definition.name,
    // The server hands to every handler only values that were decoded by the same attributes.
    definition: definition as unknown as ResourceDefinition<Attributes, C>,
  };
}
