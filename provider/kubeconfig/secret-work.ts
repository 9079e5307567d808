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
import type { RoleGrant } from '../../operations/tenant-access.ts';
import { issueToken } from '../../operations/tokens.ts';
import type { HostObject, WaitOptions } from '../../operations/types.ts';
import { VirtualApi } from '../../operations/virtual-api.ts';
import { repairAdvice, resumeAdvice } from './cluster-id.ts';
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

type Words = Readonly<Record<string, string>>;

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
}

export interface Applied {
  readonly made: Made;
  readonly issued: Date;
  readonly expires: Date;
}

/** Is told how far it came, so that an interrupted creation can be removed. */
export type Progress = (made: Made) => void;

/** The Secret exists and is not ours. */
export class ForeignSecretError extends OperationError {
  override readonly name = 'ForeignSecretError';
}

/** Makes everything as wished, with a new token; goes on where an earlier attempt has stopped. */
export async function applySecret(
  host: Host,
  wish: SecretWish,
  before: Made,
  { progress, ...options }: WaitOptions & { readonly progress: Progress },
): Promise<Applied> {
  const { signal } = options;
  const present = await findOurs(host, wish, before, signal);
  await using inside = await connect(host, wish.cluster, { ...options, resumeAdvice, repairAdvice });
  let made = before;
  const remember = (more: Made): void => progress((made = { ...made, ...more }));
  const accountUid = await ensureAccount(inside.api, wish.account, wish.createAccount);
  if (accountUid !== undefined) remember({ accountUid });
  await bind(inside.api, wish, before.role);
  remember({ role: wish.role });
  const issued = new Date();
  const { token, expires } = await issueToken(inside.api, wish.account, wish.expirationSeconds, signal);
  const content = secretContent(wish, { ca: inside.access.ca, token });
  const salt = randomBytes(16).toString('hex');
  const written = await write(host, { wish, content, before }, present);
  remember({
    secretUid: written.metadata.uid,
    salt,
    digest: contentDigest(content, salt),
    labels: Object.keys(wantedLabels(wish)),
    annotations: Object.keys(wantedAnnotations(wish)),
  });
  return { made, issued, expires };
}

/** The Secret when it is there and ours. @throws ForeignSecretError */
async function findOurs(
  host: Host,
  { place, cluster }: SecretWish,
  { secretUid }: Made,
  signal: AbortSignal | undefined,
): Promise<HostObject | undefined> {
  const found = await host.tryGet(kinds.secrets, place, { signal });
  if (found === undefined || found.metadata.uid === secretUid) return found;
  if (found.metadata.annotations?.[secretOfAnnotation] === `${cluster.namespace}/${cluster.name}`) return found;
  throw new ForeignSecretError(
    `Secret ${place.namespace}/${place.name} exists already on the host`,
    'It was not made for this virtual cluster and is left as it is. Choose another name, or remove it first.',
  );
}

async function bind(api: VirtualApi, wish: SecretWish, before: RoleGrant | undefined): Promise<void> {
  const grant = grantOf(wish);
  const last = grantOf({ ...wish, role: before });
  if (last !== undefined && last.role.namespace !== grant?.role.namespace) await removeGrant(api, last);
  else if (last !== undefined && grant === undefined) await removeGrant(api, last);
  if (grant !== undefined) await ensureGrant(api, grant);
}

interface Writing {
  readonly wish: SecretWish;
  readonly content: Words;
  readonly before: Made;
}

async function write(
  host: Host,
  { wish, content, before }: Writing,
  present: HostObject | undefined,
): Promise<HostObject> {
  const { place } = wish;
  const labels = wantedLabels(wish);
  const annotations = wantedAnnotations(wish);
  const data = encoded(content);
  if (present === undefined) {
    const secret = { metadata: { name: place.name, labels, annotations }, type: 'Opaque', data };
    return host.create(kinds.secrets, place.namespace, secret);
  }
  const metadata = {
    uid: present.metadata.uid,
    labels: { ...removals(before.labels ?? [], labels), ...labels },
    annotations: { ...removals(before.annotations ?? [], annotations), ...annotations },
  };
  const patch = { metadata, data: { ...removals(Object.keys(present.data ?? {}), data), ...data } };
  return host.patch(kinds.secrets, place, patch);
}

/** As a merge patch says it: what was there and is not wanted. */
function removals(before: readonly string[], wanted: Words): Readonly<Record<string, null>> {
  return Object.fromEntries(before.filter((key) => !(key in wanted)).map((key) => [key, null]));
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
    const isRefused = secret !== undefined && lines.length === 0 && (await isRevoked(inside, wish, secret));
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
    ...metadataDrift(wish, secret).map((line) => `${what}: ${line}`),
  ];
}

/** The error when it has words for people and is no order to stop; throws all others on. */
function expected(error: unknown): OperationError {
  if (error instanceof OperationError && !(error instanceof AbortedError)) return error;
  throw error;
}

/** Whether the token in the Secret is refused. */
async function isRevoked({ access, ref }: Connection, wish: SecretWish, secret: HostObject): Promise<boolean> {
  const token = tokenIn(wish, decoded(secret));
  const { server, ca, serverName, insecure } = access;
  const api = new VirtualApi({ server, ca, serverName, insecure, token }, ref.name);
  return (await api.ask({ path: '/api' })).status === 401;
}

function tokenIn({ format, key }: SecretWish, content: Words): string | undefined {
  if (format === 'kubeconfig') return parseKubeconfig(content[key] ?? '').token;
  return (JSON.parse(content['config'] ?? '{}') as { readonly bearerToken?: string }).bearerToken;
}

/**
 * Removes the Secret, then what was made inside. @returns what is left inside, and why; undefined when nothing
 * @throws HostError when the Secret cannot be removed
 */
export async function removeSecret(
  host: Host,
  wish: SecretWish,
  made: Made,
  options: WaitOptions,
): Promise<string | undefined> {
  const { secretUid: uid, accountUid } = made;
  if (uid !== undefined) await host.delete(kinds.secrets, { ...wish.place, uid }, { signal: options.signal });
  const grant = grantOf({ ...wish, role: made.role });
  const nothingInside = grant === undefined && accountUid === undefined;
  if (nothingInside || (await isGone(host, wish, options))) return undefined;
  try {
    await using inside = await connect(host, wish.cluster, options);
    if (grant !== undefined) await removeGrant(inside.api, grant);
    if (accountUid !== undefined) await removeAccount(inside.api, wish.account, accountUid);
    return undefined;
  } catch (error) {
    const { summary } = expected(error);
    const { namespace, name } = wish.account;
    const left = accountUid === undefined ? `the binding ${grant?.name}` : `service account ${namespace}/${name}`;
    return `Inside virtual cluster "${wish.cluster.name}" ${left} is left: ${summary}.`;
  }
}

async function isGone(host: Host, { cluster }: SecretWish, { signal }: WaitOptions): Promise<boolean> {
  return (await host.tryGet(kinds.statefulSets, cluster, { signal })) === undefined;
}
