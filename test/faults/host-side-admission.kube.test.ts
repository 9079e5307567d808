/**
 * A host that does not simply take what it is given: webhooks that deny, change or hang, quotas, rights that are taken away. The
 * tenant reads why, in his own words; nobody writes in circles; and what has nothing to do with it goes on.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Kind } from '../../syncer/model/kind.ts';
import { configMaps, pods, secrets, services } from '../../syncer/model/kubernetes.ts';
import type { Container } from '../../syncer/model/kubernetes.ts';
import type { KubeObject } from '../../syncer/model/object.ts';
import { untilForbidden, untilRefused } from '../support/admission.ts';
import { hostNamespace, releaseName, syncerUsers } from '../support/pair.ts';
import { startWebhook } from './host-side-webhook.ts';
import type { Webhook } from './host-side-webhook.ts';
import { configMapOf, podOf, secretOf, serviceOf, shop, Stage } from './hostile.ts';

const quotas: Kind = { group: '', version: 'v1', plural: 'resourcequotas', kind: 'ResourceQuota', namespaced: true };
const roles: Kind = {
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  plural: 'roles',
  kind: 'Role',
  namespaced: true,
};

let stage: Stage;
let webhook: Webhook | undefined;

beforeAll(async () => {
  stage = await Stage.open('host-side-admission');
});

afterAll(() => stage.close());

afterEach(async () => {
  await stage.clear();
});

async function whileAsked(
  options: Parameters<typeof startWebhook>[1],
  doing: (asked: Webhook) => Promise<void>,
): Promise<void> {
  webhook = await startWebhook(stage.pair, options);
  try {
    await doing(webhook);
  } finally {
    await webhook.stop();
  }
}

describe('a webhook of the host', () => {
  test('denies: its words become an event without a host name, tried again without haste, and others are synced [F43] [CORE-07, POD-13] [I7]', async () => {
    let denies = true;
    const decide = ({ object }: { object: KubeObject | null }): string | undefined =>
      denies && object?.metadata.labels?.['forbidden'] === 'yes'
        ? `${object.metadata.namespace}/${object.metadata.name}: label "forbidden" is not allowed in tenant-a`
        : undefined;
    await whileAsked({ name: 'deny', resources: ['pods', 'services'], decide }, async ({ reviews }) => {
      const labels = { forbidden: 'yes' };
      const pod = await stage.create(pods, podOf({ name: 'denied', labels }));
      const service = await stage.create(services, serviceOf({ name: 'denied', labels }));
      await stage.warning(pod, 'shop/denied: label "forbidden" is not allowed');
      await stage.warning(service, 'shop/denied: label "forbidden" is not allowed');
      const startedMs = Date.now();
      const before = reviews.length;
      await stage.run('allowed');
      const tries = reviews.length - before;
      // From 5 ms on doubled each time, two objects: what fits into the time that has passed.
      expect(tries).toBeLessThan(12 + 2 * Math.log2(Date.now() - startedMs + 1));
      expect(await stage.warnings(pod)).toHaveLength(1);
      denies = false;
      await stage.running('denied');
      await stage.onHost(services, 'denied');
    });
  });

  test('denies a change: what runs goes on, the change is tried again, and the tenant told [F43] [CORE-07]', async () => {
    const object = await stage.create(configMaps, configMapOf('frozen', { a: '1' }));
    await stage.onHost(configMaps, 'frozen');
    let denies = true;
    const decide = (): string | undefined => (denies ? 'no changes on a Friday' : undefined);
    await whileAsked({ name: 'freeze', resources: ['configmaps'], operations: ['UPDATE'], decide }, async () => {
      await stage.pair.virtual.patch(configMaps, { namespace: shop, name: 'frozen' }, { data: { a: '2' } });
      await stage.warning(object, 'no changes on a Friday');
      expect((await stage.host(configMaps, 'frozen'))?.data).toEqual({ a: '1' });
      denies = false;
      await stage.onHost(configMaps, 'frozen', ({ data }) => data?.['a'] === '2');
    });
  });

  test('hangs until the API server gives up: others are synced meanwhile, the tenant is told in general words, and it goes on later [F43] [F48] [I7]', async () => {
    let hangs = true;
    let release = (): void => {};
    const held = new Promise<undefined>((resolve) => {
      release = (): void => resolve(undefined);
    });
    const decide = ({ object }: { object: KubeObject | null }): Promise<undefined> | undefined =>
      hangs && object?.metadata.labels?.['slow'] === 'yes' ? held : undefined;
    await whileAsked({ name: 'hang', resources: ['pods'], timeoutSeconds: 1, decide }, async () => {
      const slow = Array.from({ length: 80 }, (_, index) => podOf({ name: `slow-${index}`, labels: { slow: 'yes' } }));
      const made = await Promise.all(slow.map((pod) => stage.create(pods, pod)));
      const [first] = made;
      await stage.run('quick');
      await stage.alive('quick');
      if (first !== undefined) await stage.warning(first, 'The host cluster');
      hangs = false;
      release();
      const running = await Promise.all(made.map((pod) => stage.running(pod.metadata.name, 90_000)));
      expect(running).toHaveLength(slow.length);
    });
  }, 180_000);

  const add = (path: string, value: unknown): object => ({ op: 'add', path, value });

  test('adds sidecars, labels, annotations, tolerations and changes images: what it does stays, the tenant sees his own, and nobody writes in circles [F44] [POD-62, POD-80, POD-92] [I2]', async () => {
    const decide = ({ object, operation }: { object: KubeObject | null; operation: string }): readonly object[] => [
      add('/metadata/labels/injected', operation),
      add('/metadata/annotations/injected.example.com~1by', 'webhook'),
      add('/metadata/annotations/vcluster.loft.sh~1skip-backsync', 'true'),
      ...(operation === 'CREATE' && object !== null
        ? [
            add('/spec/containers/0', { name: 'sidecar', image: 'sidecar:1' }),
            add('/spec/initContainers', [{ name: 'setup', image: 'setup:1' }]),
            add('/spec/volumes/-', { name: 'injected', emptyDir: {} }),
            add('/spec/tolerations', [{ key: 'injected', operator: 'Exists' }]),
            { op: 'replace', path: '/spec/terminationGracePeriodSeconds', value: 7 },
          ]
        : []),
    ];
    await whileAsked({ name: 'inject', mutating: true, resources: ['pods'], decide }, async () => {
      const pod = await stage.run('injected');
      const host = await stage.onHost(pods, 'injected');
      const names = (containers: readonly Container[] | undefined): readonly string[] =>
        (containers ?? []).map(({ name }) => name);
      expect(names(host.spec.containers)).toEqual(['sidecar', 'c']);
      expect(names(pod.spec.containers)).toEqual(['c']);
      expect((pod.status?.containerStatuses ?? []).map(({ name }) => name)).toEqual(['c']);
      expect(pod.status?.initContainerStatuses ?? []).toEqual([]);
      const labels = { metadata: { labels: { tier: 'front' } } };
      await stage.pair.virtual.patch(pods, { namespace: shop, name: 'injected' }, labels);
      await stage.onHost(pods, 'injected', ({ metadata }) => metadata.labels?.['tier'] === 'front');
      expect(await stage.writtenAtRest()).toEqual([]);
      const after = await stage.onHost(pods, 'injected');
      expect(names(after.spec.containers)).toEqual(['sidecar', 'c']);
      expect(after.metadata.labels).toMatchObject({ tier: 'front' });
      expect(after.metadata.annotations).toMatchObject({ 'injected.example.com/by': 'webhook' });
    });
  });

  test("takes images from the host's own registry: they stay, until the tenant asks for another [F44] [POD-80] [I2]", async () => {
    const decide = ({ object }: { object: KubeObject | null }): readonly object[] => {
      const { containers } = (object as { spec?: { containers?: readonly Container[] } } | null)?.spec ?? {};
      return (containers ?? []).flatMap(({ image = '' }, index) =>
        image.startsWith('mirror/')
          ? []
          : [{ op: 'replace', path: `/spec/containers/${index}/image`, value: `mirror/${image}` }],
      );
    };
    const options = { name: 'mirror', mutating: true, resources: ['pods'], decide } as const;
    await whileAsked(options, async () => {
      const { spec } = await stage.run('mirrored');
      expect((await stage.onHost(pods, 'mirrored')).spec.containers[0]?.image).toBe('mirror/app:1');
      expect(await stage.writtenAtRest()).toEqual([]);
      const containers = spec.containers.map((each) => ({ ...each, image: 'app:2' }));
      await stage.pair.virtual.patch(pods, { namespace: shop, name: 'mirrored' }, { spec: { containers } });
      await stage.onHost(pods, 'mirrored', (host) => host.spec.containers[0]?.image === 'mirror/app:2');
      expect(await stage.writtenAtRest()).toEqual([]);
    });
    const created = { ...options, name: 'mirror-new', operations: ['CREATE'] } as const;
    await whileAsked(created, async () => {
      await stage.run('mirrored-once');
      expect(await stage.writtenAtRest()).toEqual([]);
      expect((await stage.onHost(pods, 'mirrored-once')).spec.containers[0]?.image).toBe('mirror/app:1');
    });
  });

  test('strips or defaults what services and config maps are given: no fight over it [F44] [I2]', async () => {
    const decide = ({
      object,
      resource,
    }: {
      object: KubeObject | null;
      resource: { resource: string };
    }): readonly object[] => [
      add('/metadata/labels/cost-center', 'x'),
      ...(resource.resource === 'services' ? [add('/spec/internalTrafficPolicy', 'Local')] : []),
      ...(resource.resource === 'services' && object?.metadata.annotations?.['lb'] !== undefined
        ? [{ op: 'remove', path: '/metadata/annotations/lb' }]
        : []),
    ];
    await whileAsked(
      { name: 'strip', mutating: true, resources: ['services', 'configmaps', 'secrets'], decide },
      async () => {
        const made: readonly (readonly [Kind, KubeObject])[] = [
          [services, serviceOf({ name: 'stripped', annotations: { lb: 'internal' } })],
          [configMaps, configMapOf('stripped')],
          [secrets, secretOf('stripped')],
        ];
        for (const [kind, object] of made) await stage.create(kind, object);
        for (const [kind] of made) await stage.onHost(kind, 'stripped');
        expect(await stage.writtenAtRest()).toEqual([]);
        for (const [kind] of made) {
          const patch = { metadata: { labels: { tier: 'front' } } };
          await stage.pair.virtual.patch(kind, { namespace: shop, name: 'stripped' }, patch);
          await stage.onHost(kind, 'stripped', ({ metadata }) => metadata.labels?.['tier'] === 'front');
        }
        expect(await stage.writtenAtRest()).toEqual([]);
      },
    );
  });

  test('lets somebody else change the object between our look and our write, ten times in a row: converges, says nothing to the tenant, and loses nothing of theirs [F31] [CORE-06, CORE-22]', async () => {
    const object = await stage.create(configMaps, configMapOf('contended', { a: '1' }));
    await stage.onHost(configMaps, 'contended');
    const key = stage.hostKey('contended');
    let tries = 0;
    const decide = async (): Promise<undefined> => {
      const index = ++tries;
      if (index > 10) return;
      const patch = { metadata: { labels: { [`theirs-${index}`]: 'x' } }, data: {} };
      await stage.pair.host.patch(configMaps, key, patch);
    };
    await whileAsked({ name: 'contend', resources: ['configmaps'], operations: ['UPDATE'], decide }, async () => {
      await stage.pair.virtual.patch(configMaps, { namespace: shop, name: 'contended' }, { data: { a: '2' } });
      const host = await stage.onHost(configMaps, 'contended', ({ data }) => data?.['a'] === '2');
      const theirs = Array.from({ length: 10 }, (_, index) => [`theirs-${index + 1}`, 'x']);
      expect(host.metadata.labels).toMatchObject(Object.fromEntries(theirs));
      expect(tries).toBeGreaterThan(10);
      expect(await stage.warnings(object)).toEqual([]);
      expect(await stage.writtenAtRest()).toEqual([]);
    });
  });
});

describe('a quota of the host', () => {
  test('that is used up: the pod is Pending and its tenant knows why; raised, it runs [F46] [POD-13, POD-177] [I7]', async () => {
    await stage.run('within-quota');
    const used = (await stage.list('host', pods)).length;
    const quota = { metadata: { name: 'tight', namespace: hostNamespace }, spec: { hard: { pods: String(used) } } };
    const { metadata } = await stage.pair.host.create(quotas, quota);
    await untilRefused(stage.pair.host, hostNamespace, 'exceeded quota');
    const pod = await stage.create(pods, podOf('beyond-quota'));
    await stage.warning(pod, 'exceeded quota');
    await stage.alive('beside-quota');
    expect((await stage.virtual(pods, 'beyond-quota'))?.status?.phase).toBe('Pending');
    const key = { namespace: hostNamespace, name: 'tight' };
    await stage.pair.host.patch(quotas, key, { spec: { hard: { pods: '1000' } } });
    await stage.running('beyond-quota');
    await stage.pair.host.remove(quotas, key, { uid: metadata.uid ?? '' });
  });
});

describe('rights on the host', () => {
  test('taken away for one kind: that kind waits and is reported, the others go on; given back, it goes on by itself [F45] [I7] [I9]', async () => {
    const key = { namespace: hostNamespace, name: `vc-${releaseName}` };
    const role = (await stage.pair.host.get(roles, key)) as { rules?: readonly { resources: readonly string[] }[] };
    const rules = (role.rules ?? []).map((rule) => ({
      ...rule,
      resources: rule.resources.filter((resource) => resource !== 'services'),
    }));
    await stage.pair.host.patch(roles, key, { rules: rules.filter((rule) => rule.resources.length > 0) });
    const attempt = { namespace: hostNamespace, verb: 'create', resource: 'services' };
    await untilForbidden(stage.pair.host, syncerUsers.host, attempt);
    const service = await stage.create(services, serviceOf('without-rights'));
    await stage.warning(service, 'does not allow');
    await stage.run('with-rights');
    await stage.alive('with-rights');
    const metrics = await stage.pair.syncer.metrics();
    expect(metrics).toMatch(/resource="services"[^\n]*outcome="failed"|outcome="failed"[^\n]*resource="services"/u);
    await stage.pair.host.patch(roles, key, { rules: role.rules ?? [] });
    await stage.onHost(services, 'without-rights');
  });
});
