/** All orders in which six events can be shown, not some of them: test/simulation draws longer stories by seed. */
import { describe, expect, test, vi } from 'vitest';
import { configMaps, namespaces, pods, secrets, services } from '../syncer/model/kubernetes.ts';
import type { KubeObject } from '../syncer/model/object.ts';
import type { Resource } from '../syncer/model/resource.ts';
import { resources } from '../syncer/resources/index.ts';
import { incarnationOf } from '../syncer/translate/metadata.ts';
import { ordersOf, played } from './simulation/interleavings.ts';
import type { Gated, Happening, Watch } from './simulation/interleavings.ts';
import { hostKey, key, settingsOf, toy, widget } from './support/toy-loop.ts';
import { object, widgets } from './support/world.ts';
import type { Widget } from './support/world.ts';

const patienceMs = 5_000;

/** Everything but versions and stamps. */
function essence({ metadata, ...rest }: KubeObject): object {
  const { uid, resourceVersion: _, annotations = {}, ...more } = metadata;
  const { 'vcluster.loft.sh/object-version': __, ...kept } = annotations;
  return { ...rest, metadata: { ...more, annotations: kept, isThere: uid !== undefined } };
}

/** @returns what was made and deleted on the host, of each order; all orders end alike */
async function writesOf(
  happening: Happening,
  counts: Readonly<Record<Watch, number>>,
  endOf: (clusters: Gated) => readonly (KubeObject | undefined)[],
): Promise<readonly string[]> {
  const seen = (clusters: Gated): readonly unknown[] => endOf(clusters).map((each) => each && essence(each));
  const orders = ordersOf(counts);
  const [first = []] = orders;
  let expected: readonly unknown[] = [];
  await played(happening, first, async (clusters) => {
    await vi.waitFor(() => expect(endOf(clusters)).not.toContain(undefined), patienceMs);
    expected = seen(clusters);
  });
  const writes = new Set<string>();
  for (const order of orders) {
    const clusters = await played(happening, order, async (now) => {
      await vi.waitFor(() => expect(seen(now), order.join(', ')).toEqual(expected), {
        timeout: patienceMs,
        interval: 2,
      });
    });
    expect(seen(clusters), order.join(', ')).toEqual(expected);
    const made = clusters.host.writes.filter((write) => /^(?:create|delete)/u.test(write)).toSorted();
    writes.add(made.join('\n'));
  }
  return [...writes];
}

describe('every order in which the watches can show six events', () => {
  test('an object made again under its name, changes of what it reads, and a change on the host [F23] [F16] [CORE-10] [I1] [I4]', async () => {
    const before = ({ virtual }: Gated): void => {
      virtual.set(configMaps, settingsOf('3'));
      virtual.set(widgets, widget());
    };
    const happens = ({ host, virtual }: Gated): void => {
      virtual.set(configMaps, settingsOf('4'));
      virtual.vanish(widgets, key);
      const copy = host.peek(widgets, hostKey);
      host.set(widgets, { ...copy, state: 'turning' } as Widget);
      virtual.set(widgets, widget({ uid: 'second' }));
      virtual.set(configMaps, settingsOf('5'));
      virtual.set(widgets, widget({ uid: 'second', labels: { a: 'b' } }));
    };
    const written = await writesOf(
      { resources: [toy], before, happens },
      { 'virtual configmaps': 2, 'virtual widgets': 3, 'host widgets': 1 },
      ({ host, virtual }) => {
        const copy = host.peek(widgets, hostKey);
        const isNew = copy !== undefined && incarnationOf(copy) === 'second' && copy.size === 5;
        return [isNew ? copy : undefined, virtual.peek(widgets, key)];
      },
    );
    // Nothing is made twice, or deleted, in some orders only.
    expect(written).toHaveLength(1);
  }, 120_000);

  const shop = { namespace: 'shop', name: 'web' };
  const onHost = { namespace: 'tenant-a', name: 'web-x-shop-x-vc1' };
  const kubeDns = object(
    services,
    { namespace: 'kube-system', name: 'kube-dns' },
    { spec: { clusterIP: '10.96.0.10' } },
  );
  const spec = {
    containers: [{ name: 'app', image: 'app:1', envFrom: [{ configMapRef: { name: 'web' } }] }],
    volumes: [{ name: 'key', secret: { secretName: 'web' } }],
    dnsPolicy: 'Default',
    automountServiceAccountToken: false,
  };
  const ofPods: readonly Resource[] = resources.filter(({ name }) => name !== 'kubernetes-service');

  test('a pod, its namespace, and all that it refers to, each on a watch of its own [F23] [F22] [I1] [I4]', async () => {
    const happens = ({ virtual }: Gated): void => {
      virtual.set(namespaces, object(namespaces, { name: 'shop' }));
      virtual.set(configMaps, object(configMaps, shop, { data: { a: '1' } }));
      virtual.set(secrets, object(secrets, shop, { data: { a: 'MQ==' } }));
      virtual.set(services, object(services, shop, { spec: { clusterIP: 'None', ports: [] } }));
      virtual.set(pods, object(pods, shop, { spec }));
      virtual.set(pods, object(pods, { ...shop, labels: { a: 'b' } }, { spec }));
    };
    const before = ({ virtual }: Gated): void => void virtual.set(services, kubeDns);
    const written = await writesOf(
      { resources: ofPods, before, happens },
      {
        'virtual namespaces': 1,
        'virtual configmaps': 1,
        'virtual secrets': 1,
        'virtual services': 1,
        'virtual pods': 2,
      },
      ({ host }) => [pods, configMaps, secrets, services].map((kind) => host.peek<KubeObject>(kind, onHost)),
    );
    // Nothing is made twice, or deleted, in some orders only.
    expect(written).toHaveLength(1);
  }, 120_000);
});
