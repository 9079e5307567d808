/**
 * What pods and Services of a hostile tenant become on a real host: nothing there may be reached, named or commanded that is not
 * the tenant's own. Either a host object that is harmless, or none and a warning that says why.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Client } from '../../syncer/cluster/client.ts';
import { pods, secrets, services } from '../../syncer/model/kubernetes.ts';
import type { Pod } from '../../syncer/model/kubernetes.ts';
import type { KubeObject } from '../../syncer/model/object.ts';
import { policyCases } from '../../syncer/resources/pods/policy/cases.ts';
import { eventually, until } from '../support/eventually.ts';
import { hostNamespace, releaseName } from '../support/pair.ts';
import { whoIs } from '../support/who-is.ts';
import { container, podOf, serviceOf, shop, Stage } from './hostile.ts';
import type { Spec } from './hostile.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open('hostile-pods', {
    values: {
      policies: { podSecurityStandard: 'baseline' },
      sync: { toHost: { pods: { denyTolerations: ['*'], schedulerNames: [], inlineCsiDrivers: ['*'] } } },
    },
  });
});

afterAll(() => stage.close());

/** The host pod, or the words of its refusal. */
async function becomes(pod: KubeObject): Promise<Pod | string> {
  return eventually(`${pod.metadata.name} on the host, or a warning`, async () => {
    const host = await stage.host(pods, pod.metadata.name);
    if (host?.metadata.annotations?.['vcluster.loft.sh/object-uid'] === pod.metadata.uid) return host;
    // What is told of a pod that is copied all the same is a SyncWarning.
    return (await stage.warnings(pod)).find(({ reason }) => reason === 'SyncError')?.message;
  });
}

async function become(name: string, spec: Spec): Promise<Pod | string> {
  return becomes(await stage.create(pods, podOf(name, spec)));
}

function ownNames(object: object): readonly string[] {
  const named = JSON.stringify(object).matchAll(/"(?:secretName|claimName|name)":"([^"]*)"/gu);
  return [...named].map(([, name = '']) => name);
}

describe('every field of the Pod Security Standards, with policy baseline', () => {
  test('what the level admits is on the host as it was written, what it does not is refused with a reason [F62] [POD-160, POD-161, ABU-01, ABU-02]', async () => {
    const valid = policyCases.filter(({ isInvalid }) => isInvalid !== true);
    const made = await Promise.all(
      valid.map(async ({ about, check, meets, spec }, index) => {
        const asked = stage.create(pods, podOf(`case-${index}`, spec));
        // An API server that is newer than the standards may refuse some by itself.
        const pod = await asked.catch((error: unknown) => String(error));
        return { about: `${about} ${check}`, meets, pod };
      }),
    );
    const outcomes = await Promise.all(
      made.map(async ({ about, meets, pod }) => {
        if (typeof pod === 'string') return [about, 'refused by the virtual API server'];
        const host = await becomes(pod);
        const is = typeof host === 'string' ? 'refused' : 'on the host';
        return [
          about,
          is === (meets === 'privileged' ? 'refused' : 'on the host') ? 'right' : `${is}: ${JSON.stringify(host)}`,
        ];
      }),
    );
    expect(outcomes.filter(([, is]) => is !== 'right')).toEqual([]);
    await stage.clear();
  });

  test('a privileged container that comes later is not taken to the host [F62] [POD-161, ABU-23]', async () => {
    const pod = await stage.run('later');
    const ephemeralContainers = [{ name: 'debug', image: 'x', securityContext: { privileged: true } }];
    await stage.pair.virtual.patch(
      pods,
      { namespace: shop, name: 'later' },
      { spec: { ephemeralContainers } },
      'ephemeralcontainers',
    );
    await stage.warning(pod, 'privileged');
    expect((await stage.host(pods, 'later'))?.spec.ephemeralContainers ?? []).toEqual([]);
    await stage.clear();
  });
});

describe('volumes', () => {
  const foreign = `thing-x-${shop}-x-${releaseName}`;
  const mount = (volumeMounts: readonly object[]): Spec => ({ containers: [{ ...container, volumeMounts }] });
  test('a path of the node: refused [F63] [POD-107]', async () => {
    expect(await become('path', { volumes: [{ name: 'v', hostPath: { path: '/etc' } }] })).toContain('hostPath');
    expect(await stage.host(pods, 'path')).toBeUndefined();
    await stage.clear();
  });

  test('credentials of every kind of storage are Secrets of the own namespace [F63] [POD-109, ABU-10]', async () => {
    const secretRef = { name: foreign };
    const sources = [
      { azureFile: { shareName: 's', secretName: foreign, secretNamespace: 'kube-system' } },
      { cephfs: { monitors: ['m'], secretRef } },
      { rbd: { monitors: ['m'], image: 'i', secretRef } },
      { iscsi: { targetPortal: '192.0.2.1', iqn: 'iqn.2001-04.com.example:x', lun: 0, secretRef } },
      { flexVolume: { driver: 'example.com/x', secretRef } },
      { csi: { driver: 'csi.example', nodePublishSecretRef: secretRef } },
      { scaleIO: { gateway: 'https://192.0.2.1', system: 's', volumeName: 'v', secretRef } },
      { storageos: { volumeName: 'v', secretRef } },
    ];
    const outcomes = await Promise.all(
      sources.map((source, index) => become(`store-${index}`, { volumes: [{ name: 'v', ...source }] })),
    );
    const found = outcomes.map((outcome) => (typeof outcome === 'string' ? [] : ownNames(outcome.spec)));
    expect(found.filter((names) => names.includes(foreign))).toEqual([]);
    expect(JSON.stringify(outcomes)).not.toContain('secretNamespace');
    expect(found[0]).toContain(stage.hostKey(foreign).name);
    await stage.clear();
  });

  test('whatever a pod names is a name in its own namespace, also when it is the name of another thing on the host [F63] [POD-101, POD-103, POD-109, ABU-10, ABU-22]', async () => {
    const names = [`${releaseName}-certs`, `vc-${releaseName}`, foreign, 'kube-root-ca.crt'];
    const volumes = names.flatMap((name, index) => [
      { name: `s${index}`, secret: { secretName: name, optional: true } },
      { name: `c${index}`, configMap: { name, optional: true } },
      {
        name: `p${index}`,
        projected: { sources: [{ secret: { name, optional: true } }, { configMap: { name, optional: true } }] },
      },
    ]);
    const env = names.map((name, index) => ({
      name: `E${index}`,
      valueFrom: { secretKeyRef: { name, key: 'k', optional: true } },
    }));
    const envFrom = names.map((name) => ({ configMapRef: { name, optional: true } }));
    const imagePullSecrets = names.map((name) => ({ name }));
    const host = await become('names', { volumes, imagePullSecrets, containers: [{ ...container, env, envFrom }] });
    const found = typeof host === 'string' ? [host] : ownNames(host.spec);
    expect(found.filter((name) => names.includes(name))).toEqual([]);
    expect(found).toContain(stage.hostKey(`vc-${releaseName}`).name);
    await stage.clear();
  });

  test('sub-paths that lead out of a volume get no further than the API server [F63]', async () => {
    const volumes = [{ name: 'v', emptyDir: {} }];
    const paths = ['..', '../etc', 'a/../../etc', '/etc', 'a/..'];
    const outcomes = await Promise.all(
      paths.map((subPath, index) =>
        become(`sub-${index}`, { volumes, ...mount([{ name: 'v', mountPath: '/m', subPath }]) }).catch(() => 'refused'),
      ),
    );
    expect(outcomes).toEqual(paths.map(() => 'refused'));
  });
});

describe('tokens', () => {
  interface Claims {
    readonly aud: readonly string[];
    readonly iss: string;
    readonly exp: number;
    readonly iat: number;
  }
  const sources = [
    { serviceAccountToken: { audience: 'vault', expirationSeconds: 600, path: 'vault' } },
    { serviceAccountToken: { audience: 'https://kubernetes.default.svc', expirationSeconds: 7200, path: 'api' } },
    ...Array.from({ length: 20 }, (_, index) => ({
      serviceAccountToken: { audience: `a${index}`, path: `t${index}` },
    })),
  ];

  test("of every audience and lifetime that a pod asks for are the virtual issuer's, are kept in a Secret alone, and the host believes none [F63, F66] [POD-112, POD-114, POD-115, POD-117, ABU-09, ABU-26]", async () => {
    const pod = await stage.run('tokens', { volumes: [{ name: 'many', projected: { sources } }] });
    const key = { namespace: hostNamespace, name: `vc-token-${pod.metadata.uid}` };
    const secret = (await eventually('the Secret', () => stage.pair.host.get(secrets, key))) as KubeObject & {
      readonly data: Readonly<Record<string, string>>;
    };
    const tokens = Object.entries(secret.data).map(
      ([name, text]) => [name, Buffer.from(text, 'base64').toString()] as const,
    );
    expect(tokens).toHaveLength(sources.length + 1);
    const claims = new Map(tokens.map(([name, token]) => [name, claimsOf(token)]));
    expect(claims.get('many.0')).toMatchObject({ aud: ['vault'] });
    expect(lifetimeOf(claims.get('many.0'))).toBe(600);
    expect(lifetimeOf(claims.get('many.1'))).toBe(7200);
    const host = JSON.stringify([await stage.host(pods, 'tokens'), secret.metadata]);
    expect(tokens.filter(([, token]) => host.includes(token))).toEqual([]);
    expect(host).not.toContain('serviceAccountToken"');
    const believed = await Promise.all(tokens.map(([, token]) => isBelieved(token)));
    expect(believed.filter(Boolean)).toEqual([]);
    await stage.clear();
  });

  function claimsOf(token: string): Claims {
    return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Claims;
  }

  function lifetimeOf(claims: Claims | undefined): number {
    return claims === undefined ? 0 : claims.exp - claims.iat;
  }

  async function isBelieved(token: string): Promise<boolean> {
    const { url, pki } = stage.pair.hostPlane;
    const access = { url: new URL(url), ca: () => readFileSync(pki.caCert, 'utf8'), credentials: () => ({ token }) };
    return whoIs(new Client('host', access)).then(
      () => true,
      () => false,
    );
  }
});

describe('scheduling', () => {
  const cases: readonly (readonly [string, Spec, object])[] = [
    ['a toleration of everything', { tolerations: [{ operator: 'Exists' }] }, {}],
    ['a class of the system', { priorityClassName: 'system-node-critical' }, { priority: 0 }],
    ['a scheduler of its own', { schedulerName: 'mine' }, { schedulerName: 'default-scheduler' }],
    [
      'spread over nodes, as if the host had no other pods',
      {
        topologySpreadConstraints: [
          { maxSkew: 1, topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'ScheduleAnyway', labelSelector: {} },
        ],
      },
      {
        topologySpreadConstraints: [
          {
            labelSelector: {
              matchLabels: { 'vcluster.loft.sh/managed-by': releaseName, 'vcluster.loft.sh/namespace': shop },
            },
          },
        ],
      },
    ],
    [
      'a service account of the host',
      { serviceAccountName: 'default' },
      { serviceAccountName: `vc-workload-${releaseName}`, automountServiceAccountToken: false },
    ],
  ];

  test.each(cases)(
    '%s: the host decides [F64] [POD-44, POD-52, POD-60, POD-147, ABU-04, ABU-05, ABU-09]',
    async (_about, spec, expected) => {
      const host = await become('placed', spec);
      expect(host).toMatchObject({ spec: expected });
      expect(JSON.stringify(host)).not.toMatch(/system-node-critical|\{"operator":"Exists"\}/u);
      await stage.clear();
    },
  );

  test.each([
    ['a node', { nodeName: 'kwok-1' }, 'nodeName'],
    ['a runtime class', { runtimeClassName: 'kata' }, ''],
  ] as const)('%s of its choice: not without the host [F64] [POD-11, POD-56, ABU-03]', async (_about, spec, part) => {
    const outcome = await become('chosen', spec).catch((error: unknown) => String(error));
    expect(outcome).toBeTypeOf('string');
    expect(outcome).toContain(part);
    expect(await stage.host(pods, 'chosen')).toBeUndefined();
    await stage.clear();
  });
});

describe('Services', () => {
  test('external addresses: refused when new, and the rest of a Service keeps working without them when added [F65] [SVC-58, ABU-12]', async () => {
    const externalIPs = ['10.96.0.1'];
    const made = await stage.create(services, serviceOf('external', { externalIPs }));
    await stage.warning(made, 'externalIPs');
    expect(await stage.host(services, 'external')).toBeUndefined();
    const plain = await stage.create(services, serviceOf('plain'));
    await stage.onHost(services, 'plain');
    await stage.pair.virtual.patch(services, { namespace: shop, name: 'plain' }, { spec: { externalIPs } });
    await stage.warning(plain, 'externalIPs');
    expect((await stage.host(services, 'plain'))?.spec).not.toHaveProperty('externalIPs');
    await stage.clear();
  });

  test('addresses of load balancers that a tenant wishes for or claims to have: not on the host, and not for long in its status [F65] [SVC-08, SVC-58, ABU-12]', async () => {
    const spec = { type: 'LoadBalancer', loadBalancerIP: '10.96.0.1' };
    await stage.create(services, serviceOf('balanced', spec));
    const host = await stage.onHost(services, 'balanced');
    expect(host.spec).not.toHaveProperty('loadBalancerIP');
    const status = { loadBalancer: { ingress: [{ ip: '10.96.0.1' }] } };
    await stage.pair.virtual.patch(services, { namespace: shop, name: 'balanced' }, { status }, 'status');
    await until('the claim to be taken back', async () => {
      const virtual = await stage.virtual(services, 'balanced');
      return JSON.stringify(virtual?.status?.loadBalancer ?? {}) === '{}';
    });
    expect((await stage.host(services, 'balanced'))?.status?.loadBalancer ?? {}).toEqual({});
    await stage.clear();
  });

  test("no selector selects nobody else's pods, nor all of the tenant's [F65] [SVC-01, SVC-02, LAB-11]", async () => {
    await stage.create(services, serviceOf('nobody', { selector: {} }));
    await stage.create(services, serviceOf('everybody', { selector: { app: 'vcluster', release: releaseName } }));
    expect((await stage.onHost(services, 'nobody')).spec.selector).toBeUndefined();
    expect((await stage.onHost(services, 'everybody')).spec.selector).toMatchObject({
      'vcluster.loft.sh/managed-by': releaseName,
      'vcluster.loft.sh/namespace': shop,
    });
    expect((await stage.onHost(services, 'everybody')).spec.selector).not.toHaveProperty('release');
    await stage.clear();
  });
});
