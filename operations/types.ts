/** Words that every operation shares. Types only. */

/** One virtual cluster on one host: its Helm release, Service and StatefulSet have this name. */
export interface ClusterRef {
  readonly namespace: string;
  readonly name: string;
}

/** Is told what is going on, a line at a time, for people. Never a secret. */
export type Log = (line: string) => void;

/** What a long operation is given. */
export interface OperationOptions {
  /** Aborting ends the operation with AbortedError as soon as nothing is left half-written. */
  readonly signal?: AbortSignal | undefined;
  readonly log?: Log | undefined;
  /** Path of the helm binary to use; default: one is found or fetched (helm.ts). */
  readonly helm?: string | undefined;
}

/** The same for an operation that waits. */
export interface WaitOptions extends OperationOptions {
  /** Default: the operation's own. */
  readonly timeoutMs?: number | undefined;
}

/** Of any object of the host, the little that is read here. */
export interface HostObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly generation?: number;
    readonly creationTimestamp?: string;
    readonly deletionTimestamp?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly { readonly kind: string; readonly name: string; readonly uid: string }[];
    readonly finalizers?: readonly string[];
  };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly status?: Readonly<Record<string, unknown>>;
  readonly type?: string;
}
