/**
 * The work behind `vcluster_kubeconfig_secret`: inside the virtual cluster a service account, a binding and a token, on the host the
 * Secret. What was there before is never overwritten or removed. The token goes from one API server to the other and nowhere else.
 */
import { randomBytes } from 'node:crypto';
import { connect } from '../../operations/connect.ts';
import type { Connection } from '../../operations/connect.ts';
import { AbortedError, OperationError } from '../../operations/errors.ts';
import { kinds } from '../../operations/host.ts';
import type { Host } from '../../operations/host.ts';
import { parseKubeconfig } from '../../operations/parse-kubeconfig.ts';
import {
  accountDrift,
  ensureAccount,
  ensureGrant,
  grantDrift,
  removeAccount,
  removeGrant,
} from '../../operations/tenant-access.ts';
import type { Grant } from '../../operations/tenant-access.ts';
import { issueToken } from '../../operations/tokens.ts';
import type { ServiceAccountRef } from '../../operations/tokens.ts';
import type { HostObject, WaitOptions } from '../../operations/types.ts';
import { VirtualApi } from '../../operations/virtual-api.ts';
import type { Words } from '../words.ts';
import { repairAdvice, resumeAdvice } from './cluster-id.ts';
import { recordAnnotation, recordText, tryReadRecord } from './secret-record.ts';
import type { Made, Recorded } from './secret-record.ts';
import {
  contentDigest,
  decoded,
  encoded,
  grantOf,
  metadataDrift,
  secretContent,
  secretOfAnnotation,
  wantedAnnotations,
  wantedLabels,
} from './secret-wish.ts';
import type { SecretWish } from './secret-wish.ts';

export interface ApplyOptions extends WaitOptions {
  /** Is told how far it came, so that an interrupted creation can be removed; `issued` once the Secret is about to be written. */
  readonly progress: (made: Made, issued?: Date) => void;
  /** Is told what nobody may read in a message. */
  readonly hide: (...secrets: readonly string[]) => void;
}

/** The Secret exists and is not ours. */
export class ForeignSecretError extends OperationError {
  override readonly name = 'ForeignSecretError';
}

/** Makes everything as wished, with a new token; goes on where an earlier attempt has stopped. */
export async function applySecret(
  host: Host,
  wish: SecretWish,
  before: Made,
  { progress, hide, ...options }: ApplyOptions,
): Promise<Recorded> {
  const { signal } = options;
  const present = await findOurs(host, wish, before, signal);
  await using inside = await connect(host, wish.cluster, { ...options, resumeAdvice, repairAdvice });
  let made = before;
  const remember = (more: Made): void => progress((made = { ...made, ...more }));
  const who = { owner: ownerOf(wish), mayCreate: wish.createAccount };
  remember({ accountUid: await ensureAccount(inside.api, wish.account, who) });
  await unbind(inside.api, wish, before.role);
  // Before it is made: a request may succeed without an answer.
  remember({ role: wish.role });
  const grant = grantOf(wish);
  if (grant !== undefined) await ensureGrant(inside.api, grant);
  const issued = new Date();
  const { token, expires } = await issueToken(inside.api, wish.account, wish.expirationSeconds, signal);
  const content = secretContent(wish, { endpoint: inside.endpoint, ca: inside.access.ca, token });
  // Webhooks and policies of the host quote what they refuse.
  hide(token, ...Object.values(content).filter((text) => text.includes(token)));
  const salt = randomBytes(16).toString('hex');
  // By that time it is known again when its writing is not answered.
  progress(made, issued);
  const recorded = { wish, made: { ...made, salt, digest: contentDigest(content, salt) }, issued, expires };
  const record = recordText(recorded);
  const annotations = { ...wantedAnnotations(wish), [recordAnnotation]: record };
  const labels = wantedLabels(wish);
  const written = await write(host, { wish, content, before, labels, annotations, signal }, present);
  remember({
    ...recorded.made,
    secretUid: written.metadata.uid,
    labels: Object.keys(labels),
    annotations: Object.keys(annotations),
    record,
  });
  return { ...recorded, made };
}

/** What is written on a service account that is made for this Secret. */
function ownerOf({ place }: SecretWish): string {
  return `Secret ${place.namespace}/${place.name} of the host`;
}

/** The Secret when it is there and ours. @throws ForeignSecretError */
async function findOurs(
  host: Host,
  { place, cluster }: SecretWish,
  made: Made,
  signal: AbortSignal | undefined,
): Promise<HostObject | undefined> {
  const found = await host.tryGet(kinds.secrets, place, { signal });
  if (found === undefined || found.metadata.uid === made.secretUid) return found;
  const id = `${place.namespace}/${place.name}`;
  const isOfAnother = found.metadata.annotations?.[secretOfAnnotation] === `${cluster.namespace}/${cluster.name}`;
  throw new ForeignSecretError(
    `Secret ${id} exists already on the host`,
    isOfAnother
      ? `It is a kubeconfig of this virtual cluster that another vcluster_kubeconfig_secret has made. Import it (id "${id}") if it is to be this ` +
          'one from now on; else choose another name.'
      : 'It was not made for this virtual cluster and is left as it is. Choose another name, or remove it first.',
  );
}

/** Removes the binding of before, when the one that is wanted now has another place. */
async function unbind(api: VirtualApi, wish: SecretWish, before: Made['role']): Promise<void> {
  const last = grantOf({ ...wish, role: before });
  const isElsewhere = wish.role === undefined || wish.role.namespace !== before?.namespace;
  if (last !== undefined && isElsewhere) await removeGrant(api, last);
}

interface Writing {
  readonly wish: SecretWish;
  readonly content: Words;
  readonly before: Made;
  readonly labels: Words;
  readonly annotations: Words;
  readonly signal: AbortSignal | undefined;
}

async function write(
  host: Host,
  { wish: { place }, content, before, labels, annotations, signal }: Writing,
  present: HostObject | undefined,
): Promise<HostObject> {
  const data = encoded(content);
  if (present === undefined) {
    const secret = { metadata: { name: place.name, labels, annotations }, type: 'Opaque', data };
    return host.create(kinds.secrets, place.namespace, secret, { signal });
  }
  const metadata = {
    uid: present.metadata.uid,
    labels: { ...removals(before.labels ?? [], labels), ...labels },
    annotations: { ...removals(before.annotations ?? [], annotations), ...annotations },
  };
  const patch = { metadata, data: { ...removals(Object.keys(present.data ?? {}), data), ...data } };
  return host.patch(kinds.secrets, place, patch, { signal });
}

/** As a merge patch says it: what was there and is not wanted. */
function removals(before: readonly string[], wanted: Words): Readonly<Record<string, null>> {
  return Object.fromEntries(before.filter((key) => !(key in wanted)).map((key) => [key, null]));
}

/** What a Secret of ours was made from. @throws ForeignSecretError when there is none, or it does not say */
export async function findRecorded(
  host: Host,
  place: SecretWish['place'],
  signal: AbortSignal | undefined,
): Promise<Recorded> {
  const id = `${place.namespace}/${place.name}`;
  const secret = await host.tryGet(kinds.secrets, place, { signal });
  if (secret === undefined) {
    throw new ForeignSecretError(
      `There is no Secret ${id}`,
      `The host cluster at ${host.server} has none of that name. Is it the right host?`,
    );
  }
  const recorded = tryReadRecord(secret);
  if (recorded !== undefined) return recorded;
  throw new ForeignSecretError(
    `Secret ${id} cannot be imported`,
    `Its annotation ${recordAnnotation} is missing or damaged, by which a Secret of vcluster_kubeconfig_secret tells what it was made ` +
      'from. It is left as it is; let the resource make one under another name.',
  );
}

export interface Found {
  /** Lines for people. */
  readonly drift: readonly string[];
  /** Why it could not be looked at inside; undefined when it was. */
  readonly unseen: string | undefined;
}

/** Looks at everything that was made. What cannot be looked at is no drift. @throws HostError */
export async function findSecretDrift(host: Host, wish: SecretWish, made: Made, options: WaitOptions): Promise<Found> {
  const secret = await host.tryGet(kinds.secrets, wish.place, { signal: options.signal });
  const onHost = hostDrift(secret, wish, made);
  try {
    await using inside = await connect(host, wish.cluster, options);
    const grant = grantOf(wish);
    const lines = [
      ...onHost,
      ...(await accountDrift(inside.api, wish.account, made.accountUid)),
      ...(grant === undefined ? [] : await grantDrift(inside.api, grant)),
    ];
    // Whatever was found brings a new token, and an edited Secret may not even hold one.
    const isRefused =
      secret !== undefined && lines.length === 0 && (await isRevoked(inside, wish, secret, options.signal));
    return { drift: isRefused ? ['the token is no longer accepted'] : lines, unseen: undefined };
  } catch (error) {
    return { drift: onHost, unseen: expected(error).summary };
  }
}

function hostDrift(secret: HostObject | undefined, wish: SecretWish, made: Made): readonly string[] {
  const what = `Secret ${wish.place.namespace}/${wish.place.name}`;
  if (secret === undefined) return [`${what} is gone`];
  const isEdited = contentDigest(decoded(secret), made.salt ?? '') !== made.digest;
  return [
    ...(isEdited ? [`${what} was edited`] : []),
    ...(isRecordEdited(secret, made) ? [`${what}: annotation ${recordAnnotation} was edited`] : []),
    ...metadataDrift(wish, secret).map((line) => `${what}: ${line}`),
  ];
}

function isRecordEdited({ metadata }: HostObject, { record }: Made): boolean {
  return record !== undefined && metadata.annotations?.[recordAnnotation] !== record;
}

/** The error when it has words for people and is no order to stop; throws all others on. */
function expected(error: unknown): OperationError {
  if (error instanceof OperationError && !(error instanceof AbortedError)) return error;
  throw error;
}

/** Whether the token in the Secret is refused. */
async function isRevoked(
  { access, ref }: Connection,
  wish: SecretWish,
  secret: HostObject,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const token = tokenIn(wish, decoded(secret));
  const { server, ca, serverName, insecure } = access;
  const api = new VirtualApi({ server, ca, serverName, insecure, token }, ref.name, signal);
  return (await api.ask({ path: '/api' })).status === 401;
}

function tokenIn({ format, key }: SecretWish, content: Words): string | undefined {
  if (format === 'kubeconfig') return parseKubeconfig(content[key] ?? '').token;
  return (JSON.parse(content['config'] ?? '{}') as { readonly bearerToken?: string }).bearerToken;
}

/** What is removed. `made` is empty when Terraform has forgotten it, as it does with a tainted object that it replaces. */
export interface Removal {
  readonly wish: SecretWish;
  readonly made: Made;
  /** When the token in the Secret was issued. */
  readonly issued: Date | undefined;
}

/**
 * Removes the Secret, then what was made inside. @returns what is left inside, and why; undefined when nothing
 * @throws HostError when the Secret cannot be removed
 */
export async function removeSecret(host: Host, removal: Removal, options: WaitOptions): Promise<string | undefined> {
  const { wish } = removal;
  await removeFromHost(host, removal, options);
  const { grant, account } = madeInside(removal);
  const nothingInside = grant === undefined && account === undefined;
  if (nothingInside || (await isGone(host, wish, options))) return undefined;
  try {
    await using inside = await connect(host, wish.cluster, options);
    if (grant !== undefined) await removeGrant(inside.api, grant);
    if (account !== undefined) await removeAccount(inside.api, account, ownerOf(wish));
    return undefined;
  } catch (error) {
    const { summary } = expected(error);
    const left = account ? `service account ${account.namespace}/${account.name}` : `the binding ${grant?.name}`;
    return `Inside virtual cluster "${wish.cluster.name}" ${left} is left: ${summary}.`;
  }
}

interface MadeInside {
  readonly grant: Grant | undefined;
  /** May be somebody else's, when nothing is known. */
  readonly account: ServiceAccountRef | undefined;
}

function madeInside({ wish, made }: Removal): MadeInside {
  const isForgotten = Object.keys(made).length === 0;
  if (isForgotten) return { grant: grantOf(wish), account: wish.createAccount ? wish.account : undefined };
  const account = made.accountUid === undefined ? undefined : wish.account;
  return { grant: grantOf({ ...wish, role: made.role }), account };
}

/** Of a Secret whose UID is not known, the time in its record tells whether it is the one. */
async function removeFromHost(host: Host, { wish, made, issued }: Removal, { signal }: WaitOptions): Promise<void> {
  const secret = await host.tryGet(kinds.secrets, wish.place, { signal });
  if (secret === undefined) return;
  const { uid } = secret.metadata;
  const isOurs =
    made.secretUid === undefined
      ? issued !== undefined && tryReadRecord(secret)?.issued.getTime() === issued.getTime()
      : made.secretUid === uid;
  if (isOurs) await host.delete(kinds.secrets, { ...wish.place, uid }, { signal });
}

async function isGone(host: Host, { cluster }: SecretWish, { signal }: WaitOptions): Promise<boolean> {
  return (await host.tryGet(kinds.statefulSets, cluster, { signal })) === undefined;
}
