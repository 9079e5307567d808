/** The noun of resources/: what is synced, described as data and pure functions. The loop knows nothing else. */
import type { Action, Plan } from './action.ts';
import type { Kind } from './kind.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { KubeObject } from './object.ts';
import type { Host, Side, Virtual } from './side.ts';
import type { Index, View } from './view.ts';

/** One rule of the host Role. The chart's Role is the union of all resources' rules and nothing else. */
export interface PolicyRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

export interface Source {
  readonly side: Side;
  readonly kind: Kind;
  /** What is kept of an object in the cache; the whole object without managedFields when absent. */
  readonly keep?: (object: KubeObject) => KubeObject;
}

export interface Change {
  readonly side: Side;
  readonly kind: Kind;
  /** The object after the change, or the last known one when it was deleted. */
  readonly object: KubeObject;
  /** What it was before; absent when it is new, gone, or only looked at. */
  readonly before?: KubeObject | undefined;
}

/** What a resource has on the host, counted before anything is written (spec OPS-08). */
export interface Survey {
  /** Host objects of this virtual cluster that are not on their way out. */
  readonly objects: number;
  /** Those of them whose virtual object does not exist. */
  readonly orphans: number;
  /** The stamps of what they were written from (translate/metadata.ts). */
  readonly versions: readonly string[];
}

export interface Resource {
  /** Unique; the plural in most cases. Used in queue keys, logs and metrics. */
  readonly name: string;
  /** What this resource's keys are keys of. */
  readonly kind: Kind;
  readonly sources: readonly Source[];
  readonly indexes: readonly Index[];
  readonly hostRules: readonly PolicyRule[];
  /** Queue keys that a change concerns directly. Changes of what a plan has read are followed without being named here. */
  readonly keysOf: (change: Change, view: View) => readonly string[];
  /**
   * Decides what to do for one key. Pure and synchronous: same view, same plan. Never throws for cluster state.
   * `had` is what the last plan for this key remembered.
   */
  readonly decide: (key: string, view: View, had: string | undefined) => Plan;
  readonly survey?: (view: View) => Survey;
  /** What to tell the tenant when a server refused what was planned for a key, in words without host names. */
  readonly onRefusal?: (key: string, message: string, view: View) => readonly Action[];
}

/** What translation makes of a virtual object: its host object, or why there is none (yet). */
export type Translated<T> =
  | {
      readonly is: 'object';
      readonly object: Host<T>;
      /** What the tenant should know about an object that is created with less than was asked for. */
      readonly warnings?: readonly string[];
    }
  /** Something that will change by itself is missing; what was read in vain wakes the key. */
  | { readonly is: 'waiting'; readonly why: string }
  /** The tenant asked for something that is not allowed here: a Warning event, no retry before the next change. */
  | { readonly is: 'refused'; readonly why: string };

/** A kind that the virtual side owns and the host side runs. */
export interface ToHost<T extends KubeObject> {
  readonly kind: Kind<T>;
  /** Defaults to the plural. */
  readonly name?: string;
  /** Objects that are never synced, such as `default/kubernetes`. */
  readonly ignores?: (virtual: Virtual<T>) => boolean;
  /** Whether the host needs a copy; every live object, when absent. */
  readonly wanted?: (virtual: Virtual<T>, view: View) => boolean;
  /** The whole host object as it should be created. */
  readonly toHost: (virtual: Virtual<T>, view: View) => Translated<T>;
  /** The live host object with everything that the virtual side owns and that may change put right. */
  readonly merge: (host: Host<T>, desired: Host<T>) => Host<T>;
  /** Whether only a new host object can become what is desired; the old one is then deleted. For kinds that may be made again at any time. */
  readonly mustReplace?: (host: Host<T>, desired: Host<T>) => boolean;
  /** A live virtual object put right by what the host owns: writes to the virtual side, in order. */
  readonly pull?: (host: Host<T>, virtual: Virtual<T>, view: View) => readonly Action[];
  /** Whether the host always has more to say about a new object, so that the answer to its creation is not worth a look. */
  readonly isFollowed?: boolean;
  /** A second try when the host calls the new object invalid. */
  readonly otherwise?: (object: Host<T>, message: string) => Host<T> | undefined;
  /** What can be done about a write that a server refused, besides telling the tenant. */
  readonly afterRefusal?: (virtual: Virtual<T>, message: string, view: View) => readonly Action[];
  /** Whether a virtual object must have had a host object, although this process never saw it (POD-03). */
  readonly mustHaveHad?: (virtual: Virtual<T>) => boolean;
  readonly hostGraceSeconds?: (virtual: Virtual<T>) => number | undefined;
  /** For a host object whose virtual one has vanished under our eyes; the host's default, when absent. */
  readonly vanishedGraceSeconds?: number;
  /** Defaults to `virtualOwns`. */
  readonly lifecycle?: Lifecycle;
  readonly sources?: readonly Source[];
  readonly indexes?: readonly Index[];
  readonly hostRules?: readonly PolicyRule[];
}
