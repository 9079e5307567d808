/**
 * Resource `vcluster_kubeconfig_secret`: a kubeconfig for a service account of a virtual cluster, in a Secret of the host that is kept
 * fresh. Plan and state know everything about it but the token.
 */
import { isDeepStrictEqual } from 'node:util';
import { tokenLifetimeMinS } from '../../operations/tokens.ts';
import type { WaitOptions } from '../../operations/types.ts';
import { annotationWords, labelWords } from '../cluster/attributes.ts';
import type { ConfiguredProvider } from '../configured.ts';
import { list, map, nested } from '../framework/attributes.ts';
import type { Attributes, ObjectOf, PlannedOf } from '../framework/attributes.ts';
import type { Call, Private } from '../framework/call.ts';
import { matches, oneOf, text, wholeNumber } from '../framework/checks.ts';
import { failure, ProviderError, warning } from '../framework/diagnostics.ts';
import type { Diagnostic } from '../framework/diagnostics.ts';
import { defineResource } from '../framework/resource.ts';
import type { CreateCall, ImportCall, Imported, Outcome, PlanChange, ResourceType } from '../framework/resource.ts';
import { timeouts } from '../framework/timeouts.ts';
import { validate } from '../framework/validate.ts';
import { isUnknown, UNKNOWN } from '../framework/values.ts';
import { clusterId, namespaceName, objectName, roleName } from './cluster-id.ts';
import { recordAnnotation } from './secret-record.ts';
import type { Made } from './secret-record.ts';
import { valuesOf, wishOf } from './secret-values.ts';
import { ageDrift } from './secret-wish.ts';
import { applySecret, findRecorded, findSecretDrift, removeSecret } from './secret-work.ts';

const secretKey = matches(/^[-._a-zA-Z0-9]{1,253}$/, 'letters, digits, "-", "_" and "."');
const url = text((value) => (/^https:\/\/[^/\s]+/.test(value) ? undefined : 'a URL that begins with https://'));

const otherIdentity = 'another service account is another identity';

const attributes = {
  cluster_id: {
    type: 'string',
    required: true,
    check: clusterId,
    replace: 'the Secret and its service account belong to one virtual cluster',
    doc: 'The virtual cluster: `vcluster_cluster.example.id`.',
  },
  name: {
    type: 'string',
    required: true,
    check: objectName,
    replace: 'a Secret cannot be renamed',
    doc: 'Name of the Secret on the host.',
  },
  namespace: {
    type: 'string',
    required: true,
    check: namespaceName,
    replace: 'a Secret cannot be moved',
    doc: 'Namespace of the Secret on the host; any that exists.',
  },
  format: {
    type: 'string',
    optional: true,
    default: 'kubeconfig',
    check: oneOf('kubeconfig', 'argocd'),
    doc:
      '`kubeconfig`: the text of a kubeconfig under `key`. `argocd`: a cluster Secret of Argo CD, with `name`, `server` and ' +
      '`config` and the label that Argo CD looks for.',
  },
  key: {
    type: 'string',
    optional: true,
    default: 'config',
    check: secretKey,
    doc: 'Key of the kubeconfig in the Secret.',
  },
  labels: { type: map('string'), optional: true, check: labelWords, doc: 'Labels of the Secret.' },
  annotations: { type: map('string'), optional: true, check: annotationWords, doc: 'Annotations of the Secret.' },
  service_account: {
    required: true,
    doc: 'The service account inside that the kubeconfig is for.',
    type: nested('single', {
      namespace: {
        type: 'string',
        optional: true,
        default: 'kube-system',
        check: namespaceName,
        replace: otherIdentity,
        doc: 'Its namespace inside.',
      },
      name: { type: 'string', required: true, check: objectName, replace: otherIdentity, doc: 'Its name.' },
      create: {
        type: 'bool',
        optional: true,
        default: true,
        doc: 'Create it when it is not there. What was created is removed on destroy, and its tokens are void then.',
      },
    }),
  },
  role: {
    optional: true,
    doc: 'What the service account may do inside. Left out: nothing is bound.',
    type: nested('single', {
      kind: {
        type: 'string',
        optional: true,
        default: 'ClusterRole',
        check: oneOf('ClusterRole', 'Role'),
        doc: '`ClusterRole` or `Role`.',
      },
      name: {
        type: 'string',
        required: true,
        check: roleName,
        doc: 'Name of the role, such as `view`, `edit` or `cluster-admin`.',
      },
      namespace: {
        type: 'string',
        optional: true,
        check: namespaceName,
        doc: 'It holds in this namespace only. Required for a Role.',
      },
    }),
  },
  expiration_seconds: {
    type: 'number',
    optional: true,
    default: 2_592_000,
    check: wholeNumber(tokenLifetimeMinS),
    doc: 'Lifetime of the token. It is replaced by the first apply that finds less than a third of it left.',
  },
  rotate_when_changed: {
    type: map('string'),
    optional: true,
    doc: 'Any values; when one changes, the token is replaced. An import does not know them, so it is replaced then too.',
  },
  server: {
    type: 'string',
    optional: true,
    check: url,
    doc:
      'Address in the kubeconfig, under a name that the certificate of the virtual cluster has, or with `tls_server_name`. Default: ' +
      'the `endpoint` of the virtual cluster, which is its Service, as pods of the host reach it.',
  },
  tls_server_name: {
    type: 'string',
    optional: true,
    doc: 'Name in the kubeconfig to check the certificate against, where it is not the one in `server`.',
  },
  id: { type: 'string', computed: true, doc: '`namespace/name` of the Secret.' },
  issued_at: { type: 'string', computed: true, doc: 'When the token was issued (RFC 3339).' },
  expires_at: { type: 'string', computed: true, doc: 'When the token ends (RFC 3339).' },
  drift: {
    type: list('string'),
    computed: true,
    doc: 'What calls for a repair or a new token. Planned as empty, so that a plan shows why something is changed.',
  },
  timeouts: timeouts({ create: '5m', read: '1m', update: '5m', delete: '2m' }),
} as const satisfies Attributes;

type A = typeof attributes;
type Values = ObjectOf<A>;

export const kubeconfigSecret: ResourceType<ConfiguredProvider> = defineResource({
  name: 'vcluster_kubeconfig_secret',
  doc:
    'A Secret on the host with a kubeconfig for a service account inside a virtual cluster: for tools and tenants that work from ' +
    'another namespace. The token is renewed by applies in time and is in no plan and no state. What was made for it inside goes with it.',
  example: [
    'resource "vcluster_kubeconfig_secret" "ci" {',
    '  cluster_id      = vcluster_cluster.team_a.id',
    '  namespace       = "ci"',
    '  name            = "team-a-kubeconfig"',
    '  service_account = { name = "ci" }',
    '  role            = { name = "edit", namespace = "default" }',
    '}',
  ].join('\n'),
  version: 0,
  attributes,
  validate: validateRole,
  plan: ({ prior, planned }) => (prior === undefined ? {} : planChange(prior, planned)),
  create: (call) => apply(call, {}),
  update: (call) => apply(call, madeOf(call.private)),
  read: async (call) => {
    const { state, log } = call;
    const found = await findSecretDrift(await call.provider.host(), wishOf(state), madeOf(call.private), waiting(call));
    const drift = [...found.drift, ...ageLines(state)];
    if (found.unseen === undefined) return { state: { ...state, drift } };
    log.warn('A virtual cluster could not be looked into', { cluster: state.cluster_id, why: found.unseen });
    const detail = `${found.unseen}. Its service account and binding are taken for unchanged.`;
    return {
      state: { ...state, drift },
      diagnostics: [warning(`Secret ${state.id} was checked on the host only`, detail)],
    };
  },
  delete: async (call) => {
    const { prior } = call;
    const issued = prior.issued_at === null ? undefined : new Date(prior.issued_at);
    const removal = { wish: wishOf(prior), made: madeOf(call.private), issued };
    const left = await removeSecret(await call.provider.host(), removal, waiting(call));
    return left === undefined ? [] : [warning('Something is left in a virtual cluster', left)];
  },
  importId: 'namespace/name',
  import: importSecret,
});

/** Takes over a Secret that Terraform does not know, by what it tells about itself. */
async function importSecret({ id, provider, signal }: ImportCall<ConfiguredProvider>): Promise<Imported<A>> {
  const [namespace = '', name = '', ...more] = id.split('/');
  if (namespace === '' || name === '' || more.length > 0) {
    throw new ProviderError(
      'The id cannot be imported',
      `It must be namespace and name of the Secret on the host, as in "ci/team-a-kubeconfig", got: ${JSON.stringify(id)}.`,
    );
  }
  const recorded = await findRecorded(await provider.host(), { namespace, name }, signal);
  const state = valuesOf(recorded);
  const [problem] = validate(attributes, { ...state }, validateRole);
  if (problem === undefined) return { state, private: keptOf(recorded.made) };
  throw new ProviderError(
    `Secret ${id} cannot be imported`,
    `Its annotation ${recordAnnotation} was edited. ${problem.detail} Let the resource make one under another name.`,
  );
}

/** Why it is time for another token, or for the first one that is whole. */
function ageLines({ issued_at: issued, expires_at: expires }: Values): readonly string[] {
  // Whatever has failed after that: the next apply does it all.
  if (issued === null || expires === null) return [unfinished];
  const line = ageDrift(new Date(issued), new Date(expires), new Date());
  return line === undefined ? [] : [line];
}

function validateRole({ role }: PlannedOf<A>): readonly Diagnostic[] {
  if (role === null || isUnknown(role) || role.kind !== 'Role' || role.namespace !== null) return [];
  return [
    failure('Missing namespace', 'A Role is in a namespace: say in which. Or use a ClusterRole.', [
      'role',
      'namespace',
    ]),
  ];
}

const unfinished = 'it was not finished';
const ours = ['issued_at', 'expires_at', 'drift', 'timeouts'];

/** Whatever the reason for an update is, it brings a new token. */
function planChange(prior: Values, planned: PlannedOf<A>): PlanChange<A> {
  const [before, after] = [prior, planned].map((values) =>
    Object.fromEntries(Object.entries(values).filter(([name]) => !ours.includes(name))),
  );
  if (isDeepStrictEqual(before, after) && (prior.drift ?? []).length === 0) return {};
  return { values: { drift: [], issued_at: UNKNOWN, expires_at: UNKNOWN } };
}

/** An update has a prior state. */
type ApplyCall = CreateCall<A, ConfiguredProvider> & { readonly prior?: Values };

async function apply(call: ApplyCall, before: Made): Promise<Outcome<A>> {
  const { planned, config, checkpoint } = call;
  const values = { ...(planned as Values), id: `${config.namespace}/${config.name}` };
  const partial = { ...values, drift: [unfinished], issued_at: call.prior?.issued_at ?? null, expires_at: null };
  try {
    const applied = await applySecret(await call.provider.host(), wishOf(values), before, {
      ...waiting(call),
      progress: (made, issued) => {
        const issuedAt = partial.issued_at ?? issued?.toISOString() ?? null;
        checkpoint({ ...partial, issued_at: issuedAt }, keptOf(made));
      },
      hide: call.hide,
    });
    const { made, issued, expires } = applied;
    const times = { issued_at: issued.toISOString(), expires_at: expires.toISOString() };
    return {
      state: { ...values, ...times, drift: [] },
      private: keptOf(made),
      diagnostics: shortLife(values, applied),
    };
  } catch (error) {
    throw placed(error);
  }
}

/** An API server may cap lifetimes. */
function shortLife(
  { expiration_seconds: wanted }: Values,
  given: { issued: Date; expires: Date },
): readonly Diagnostic[] {
  const givenS = Math.round((given.expires.getTime() - given.issued.getTime()) / 1000);
  if (givenS >= wanted - 60) return [];
  const detail = `The virtual cluster issues tokens for ${givenS} s at most. Apply often enough, or raise its limit.`;
  return [warning('The token lives shorter than asked for', detail, ['expiration_seconds'])];
}

const places: Readonly<Record<string, readonly string[]>> = {
  namespace: ['service_account', 'namespace'],
  'service account': ['service_account', 'name'],
  role: ['role', 'name'],
};

/** Points at the attribute that names what is missing inside. */
function placed(error: unknown): unknown {
  if (!(error instanceof Error) || !('missing' in error && 'summary' in error && 'detail' in error)) return error;
  const path = places[String(error.missing)];
  return new ProviderError(String(error.summary), String(error.detail), { ...(path && { path }), cause: error });
}

function waiting({ signal, log, remainingMs }: Call<ConfiguredProvider>): WaitOptions {
  return { signal, log: (line) => log.info(line), timeoutMs: Math.min(remainingMs(), 0x7fffffff) };
}

function keptOf(made: Made): Private {
  return { made: JSON.stringify(made) };
}

function madeOf({ made }: Private): Made {
  return typeof made === 'string' ? (JSON.parse(made) as Made) : {};
}
