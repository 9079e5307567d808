/**
 * Admission webhooks of the host: real HTTPS on loopback, registered for what the syncer writes into the host namespace. The test
 * decides on each request what comes of it.
 */
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import type { Kind } from '../../syncer/model/kind.ts';
import type { KubeObject } from '../../syncer/model/object.ts';
import { createAuthority, issue } from '../../syncer/pki/certificates.ts';
import { hostNamespace, syncerUsers } from '../support/pair.ts';
import type { Pair } from '../support/pair.ts';

/** What the API server asks. */
export interface Review {
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';
  readonly resource: { readonly resource: string };
  readonly subResource?: string;
  readonly name?: string;
  readonly object: KubeObject | null;
  readonly oldObject: KubeObject | null;
}

/** Nothing: allowed. A text: denied with it. A list: allowed with these operations of a JSON patch. */
export type Verdict = undefined | string | readonly object[];

export interface WebhookOptions {
  readonly name: string;
  readonly mutating?: boolean;
  /** Plurals, `pods/status` for a subresource. */
  readonly resources: readonly string[];
  readonly operations?: readonly Review['operation'][];
  readonly timeoutSeconds?: number;
  /** Everybody's writes in the host namespace instead of the syncer's only. */
  readonly everybody?: boolean;
  readonly decide: (review: Review) => Verdict | Promise<Verdict>;
}

export interface Webhook {
  /** What was asked so far. */
  readonly reviews: readonly Review[];
  stop(): Promise<void>;
}

const group = { group: 'admissionregistration.k8s.io', version: 'v1', namespaced: false } as const;
const validating: Kind = {
  ...group,
  plural: 'validatingwebhookconfigurations',
  kind: 'ValidatingWebhookConfiguration',
};
const mutating: Kind = { ...group, plural: 'mutatingwebhookconfigurations', kind: 'MutatingWebhookConfiguration' };

/** Serves and registers a webhook, and waits until the API server asks it. */
export async function startWebhook({ host }: Pair, options: WebhookOptions): Promise<Webhook> {
  const authority = await createAuthority('webhooks of the host', new Date());
  const validUntil = new Date(Date.now() + 3_600_000);
  const request = { commonName: options.name, usage: 'server', addresses: ['127.0.0.1'], validUntil } as const;
  const { certificate, key } = await issue(authority, request, new Date());
  const reviews: Review[] = [];
  const answerTo = async (asked: IncomingMessage, answer: ServerResponse): Promise<void> => {
    const review = ((await json(asked)) as { request: Review & { uid: string } }).request;
    const isTrial = review.name === trialName;
    if (!isTrial) reviews.push(review);
    const response = isTrial ? denied('trial') : responseOf(await options.decide(review));
    const admission = { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview' };
    answer.setHeader('content-type', 'application/json');
    answer.end(JSON.stringify({ ...admission, response: { uid: review.uid, ...response } }));
  };
  const server = createServer({ cert: certificate, key }, (asked, answer) => {
    // An API server that has given up waiting takes no answer.
    answerTo(asked, answer).catch(() => answer.destroy());
  });
  const url = await listen(server);
  const kind = options.mutating === true ? mutating : validating;
  const object = configurationOf(options, url, authority.certificate);
  const { metadata } = await host.create(kind, object);
  await untilAsked(host, options);
  return {
    reviews,
    stop: async () => {
      await host.remove(kind, { namespace: '', name: metadata.name }, { uid: metadata.uid ?? '' });
      server.closeAllConnections();
      server.close();
      await untilSilent(host, options);
    },
  };
}

function responseOf(verdict: Verdict): object {
  if (verdict === undefined) return { allowed: true };
  if (typeof verdict === 'string') return denied(verdict);
  const patch = Buffer.from(JSON.stringify(verdict)).toString('base64');
  return { allowed: true, patchType: 'JSONPatch', patch };
}

function denied(message: string): object {
  return { allowed: false, status: { code: 403, message } };
}

async function listen(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

function configurationOf(options: WebhookOptions, url: string, ca: string): KubeObject {
  const { name, resources, operations = ['CREATE', 'UPDATE'], timeoutSeconds = 10, everybody = false } = options;
  const conditions = [
    {
      name: 'ours',
      expression: `request.name == "${trialName}" || request.userInfo.username == "${syncerUsers.host}"`,
    },
  ];
  const rules = [
    { apiGroups: [''], apiVersions: ['v1'], resources, operations, scope: 'Namespaced' },
    { apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'], operations: ['CREATE'], scope: 'Namespaced' },
  ];
  const webhook = {
    name: `${name}.example.com`,
    clientConfig: { url, caBundle: Buffer.from(ca).toString('base64') },
    rules,
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': hostNamespace } },
    sideEffects: 'None',
    admissionReviewVersions: ['v1'],
    failurePolicy: 'Fail',
    timeoutSeconds,
    ...(everybody ? {} : { matchConditions: conditions }),
  };
  return { metadata: { name }, webhooks: [webhook] } as unknown as KubeObject;
}

const trialName = 'is-the-webhook-there';
const configMaps: Kind = { group: '', version: 'v1', plural: 'configmaps', kind: 'ConfigMap', namespaced: true };

/** API servers learn of webhooks through a watch of their own. */
async function untilAsked(host: Pair['host'], options: WebhookOptions): Promise<void> {
  await untilTrial(host, options, true);
}

async function untilSilent(host: Pair['host'], options: WebhookOptions): Promise<void> {
  await untilTrial(host, options, false);
}

async function untilTrial(host: Pair['host'], { name }: WebhookOptions, denies: boolean): Promise<void> {
  const trial = { metadata: { name: trialName, namespace: hostNamespace } };
  for (const startedMs = Date.now(); ;) {
    const refused = await host.create(configMaps, trial).then(
      async ({ metadata: { uid = '' } }) => {
        await host.remove(configMaps, trial.metadata, { uid });
        return false;
      },
      () => true,
    );
    if (refused === denies) return;
    if (Date.now() - startedMs > 20_000) throw new Error(`Webhook ${name} is ${denies ? 'never' : 'still'} asked.`);
  }
}
