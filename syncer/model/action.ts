/** What a plan may ask for. Plans are data: the only code that acts on them is loop/perform.ts. */
import type { Kind } from './kind.ts';
import type { KubeObject } from './object.ts';
import type { Key, Side } from './side.ts';

/**
 * An object read live, past the cache, before something irreversible: the action is dropped when it exists after all. Absence on
 * the virtual side counts only in the backing store that this virtual cluster has always had (OPS-08).
 */
export interface Absence {
  readonly side: Side;
  readonly kind: Kind;
  readonly key: Key;
  /** Only this incarnation counts as existing; any, when absent. */
  readonly uid?: string | undefined;
  /** UID of what owned everything on the host when this was planned: absence counts only while that is there (NAM-35). */
  readonly ownerUid?: string;
}

/**
 * An object as the plan saw it, read live before something irreversible: the action is dropped when it is no longer so. A cache may
 * be behind what another syncer of the same release has seen and acted upon already (OPS-26).
 */
export interface Sight {
  readonly side: Side;
  readonly kind: Kind;
  readonly key: Key;
  readonly resourceVersion: string | undefined;
}

/** What a Warning event says, and of which of the tenant's objects. */
export interface Warning {
  readonly kind: Kind;
  readonly object: KubeObject;
  readonly reason: string;
  readonly message: string;
}

interface Writes {
  /**
   * The answer is as good as known and asks for nothing more: it brings this plan's key no further look. Whatever else there is to
   * do comes with a later change.
   */
  readonly isLast?: boolean | undefined;
}

export type Action =
  | (Writes & {
      readonly do: 'create';
      readonly side: Side;
      readonly kind: Kind;
      readonly object: KubeObject;
      /** Another form to try when the server calls this one invalid (422); undefined gives up. Must give up in the end. */
      readonly otherwise?: (object: KubeObject, message: string) => KubeObject | undefined;
    })
  | (Writes & {
      /** A JSON merge patch; `resourceVersion` in its metadata makes it conditional. */
      readonly do: 'patch';
      readonly side: Side;
      readonly kind: Kind;
      readonly key: Key;
      readonly patch: object;
      readonly subresource?: string;
      /** Told when the server forbids it (403), and then the plan goes on without it; without a message it fails. */
      readonly ifForbidden?: Warning;
    })
  | { readonly do: 'replace'; readonly side: Side; readonly kind: Kind; readonly object: KubeObject }
  | (Writes & {
      readonly do: 'delete';
      readonly side: Side;
      readonly kind: Kind;
      readonly key: Key;
      /** Precondition: never another incarnation (spec CORE-36). */
      readonly uid: string;
      readonly graceSeconds?: number | undefined;
      readonly onlyIfAbsent?: Absence;
      readonly onlyIfStill?: Sight;
    })
  | {
      /** POST to a subresource whose answer is not needed, such as a binding. */
      readonly do: 'post';
      readonly side: Side;
      readonly kind: Kind;
      readonly key: Key;
      readonly subresource: string;
      readonly body: object;
    }
  | {
      /** Asks the virtual API server for tokens and stores all of them in one host Secret (D12). */
      readonly do: 'issueTokens';
      readonly secret: KubeObject;
      /** The stored Secret to be updated; created when absent. */
      readonly existing?: { readonly resourceVersion: string };
      readonly tokens: readonly TokenRequest[];
    }
  | {
      /** A Warning event on a tenant's object. Never names a host object. */
      readonly do: 'warn';
      readonly kind: Kind;
      readonly object: KubeObject;
      readonly reason: string;
      readonly message: string;
    };

export interface TokenRequest {
  /** Key inside the Secret's data. */
  readonly dataKey: string;
  readonly serviceAccount: Key<'virtual'>;
  readonly audiences: readonly string[];
  readonly expirationSeconds: number;
  readonly pod: { readonly name: string; readonly uid: string };
}

export interface Plan {
  readonly actions: readonly Action[];
  /** Look at the key again then although nothing may have changed. */
  readonly againInMs?: number | undefined;
  /** Handed to the next plan for this key: the incarnation that has a host object, as far as is known. */
  readonly remembers?: string | undefined;
  /** The same, once every action has been answered with success: then the object is there, although no cache shows it yet. */
  readonly remembersWhenDone?: string | undefined;
  /** Why nothing, or not everything, was done; for logs. */
  readonly why?: string | undefined;
}

export const nothingToDo: Plan = { actions: [] };
