/**
 * What a Secret of ours tells about itself in an annotation: from what it was made, and what was made for it. By that Terraform takes
 * over one that its state does not know, and one that it has forgotten the details of is known again.
 *
 * Holds no secret. Whoever may change the Secret may have changed this too, so what is read is checked like a user's input. Pure.
 */
import type { RoleGrant } from '../../operations/tenant-access.ts';
import type { ServiceAccountRef } from '../../operations/tokens.ts';
import type { HostObject } from '../../operations/types.ts';
import type { Words } from '../words.ts';
import { clusterRef } from './cluster-id.ts';
import { secretOfAnnotation, wantedAnnotations, wantedLabels } from './secret-wish.ts';
import type { SecretWish } from './secret-wish.ts';

/** On a Secret of ours: the record. */
export const recordAnnotation = 'cdktf-vcluster/kubeconfig-record';

/** What is remembered of what was made; no secret. */
export interface Made {
  readonly secretUid?: string | undefined;
  /** Tells an edited Secret from an untouched one. */
  readonly salt?: string | undefined;
  readonly digest?: string | undefined;
  /** Of the service account, when it was made here. */
  readonly accountUid?: string | undefined;
  /** What was bound last. */
  readonly role?: RoleGrant | undefined;
  /** Keys of the labels and annotations that we have set. */
  readonly labels?: readonly string[] | undefined;
  readonly annotations?: readonly string[] | undefined;
  /** The record as it was written. */
  readonly record?: string | undefined;
}

export interface Recorded {
  readonly wish: SecretWish;
  readonly made: Made;
  readonly issued: Date;
  readonly expires: Date;
}

/** The record's text. */
export function recordText({ wish, made, issued, expires }: Recorded): string {
  const { cluster, format, key, account, createAccount, role, expirationSeconds, server, serverName } = wish;
  const { accountUid, salt, digest } = made;
  const form = { cluster: `${cluster.namespace}/${cluster.name}`, format, key, server, serverName };
  const inside = { account, createAccount, accountUid, role };
  const token = { expirationSeconds, issued, expires, salt, digest };
  const keys = { labels: Object.keys(wish.labels), annotations: Object.keys(wish.annotations) };
  return JSON.stringify({ ...form, ...inside, ...token, ...keys });
}

/** What the record of a Secret says; undefined when there is none, or none that we have written. */
export function tryReadRecord(secret: HostObject): Recorded | undefined {
  const { annotations = {} } = secret.metadata;
  const record = annotations[recordAnnotation];
  try {
    const parsed: unknown = record === undefined ? undefined : JSON.parse(record);
    if (!isFields(parsed) || parsed['cluster'] !== annotations[secretOfAnnotation]) return undefined;
    return recordedIn(secret, parsed, record);
  } catch {
    // Not one of ours, or edited: the caller says what to do about it.
    return undefined;
  }
}

function recordedIn({ metadata }: HostObject, fields: Fields, record: string | undefined): Recorded {
  const { namespace = '', name, uid, labels = {}, annotations = {} } = metadata;
  const role = isFields(fields['role']) ? roleIn(fields['role']) : undefined;
  const wish: SecretWish = {
    cluster: clusterRef(text(fields, 'cluster')),
    place: { namespace, name },
    format: text(fields, 'format') === 'argocd' ? 'argocd' : 'kubeconfig',
    key: text(fields, 'key'),
    labels: picked(labels, fields['labels']),
    annotations: picked(annotations, fields['annotations']),
    account: accountIn(fields['account']),
    createAccount: fields['createAccount'] === true,
    role,
    expirationSeconds: count(fields, 'expirationSeconds'),
    server: tryText(fields, 'server'),
    serverName: tryText(fields, 'serverName'),
  };
  const made: Made = {
    secretUid: uid,
    salt: text(fields, 'salt'),
    digest: text(fields, 'digest'),
    accountUid: tryText(fields, 'accountUid'),
    role,
    labels: Object.keys(wantedLabels(wish)),
    annotations: [...Object.keys(wantedAnnotations(wish)), recordAnnotation],
    record,
  };
  return { wish, made, issued: date(fields, 'issued'), expires: date(fields, 'expires') };
}

type Fields = Readonly<Record<string, unknown>>;

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function accountIn(value: unknown): ServiceAccountRef {
  const fields = isFields(value) ? value : {};
  return { namespace: text(fields, 'namespace'), name: text(fields, 'name') };
}

function roleIn(fields: Fields): RoleGrant {
  const kind = text(fields, 'kind') === 'Role' ? 'Role' : 'ClusterRole';
  return { kind, name: text(fields, 'name'), namespace: tryText(fields, 'namespace') };
}

/** Of what is there now, that which was set by us. */
function picked(live: Words, keys: unknown): Words {
  const ours = Array.isArray(keys) ? (keys as readonly unknown[]) : [];
  return Object.fromEntries(Object.entries(live).filter(([key]) => ours.includes(key)));
}

function tryText(fields: Fields, name: string): string | undefined {
  return fields[name] === undefined ? undefined : text(fields, name);
}

function text(fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value === 'string' && value !== '') return value;
  throw new TypeError(`${name} is no text`);
}

function count(fields: Fields, name: string): number {
  const value = fields[name];
  if (typeof value === 'number') return value;
  throw new TypeError(`${name} is no number`);
}

function date(fields: Fields, name: string): Date {
  const value = new Date(text(fields, name));
  if (Number.isNaN(value.getTime())) throw new TypeError(`${name} is no time`);
  return value;
}
