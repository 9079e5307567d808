import { describe, expect, test } from 'vitest';
import { release } from '../../test/support/release.ts';
import { settle } from '../../test/support/settle.ts';
import type { Both } from '../../test/support/settle.ts';
import { object } from '../../test/support/world.ts';
import type { Action } from '../model/action.ts';
import type { KubeObject, Metadata } from '../model/object.ts';
import { persistentVolumeClaims as resource } from './persistentvolumeclaims.ts';

type Loose = Readonly<Record<string, unknown>>;
type Claim = KubeObject & { readonly spec: Loose; readonly status?: Loose };

const asked = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };

function claim(spec: object = {}, metadata: Partial<Metadata> = {}, status: object = { phase: 'Pending' }): Claim {
  const whole = { namespace: 'shop', name: 'data', uid: 'v1', resourceVersion: '7', ...metadata };
  return object(resource.kind, whole, { spec: { ...asked, ...spec }, status }) as Claim;
}

function both({ virtual, host }: Both): { readonly virtual: Claim; readonly host: Claim } {
  return { virtual: virtual as Claim, host: host as Claim };
}

function warnings(actions: readonly Action[]): readonly string[] {
  return actions.flatMap((action) => (action.do === 'warn' ? [action.message] : []));
}

/** A claim and its host claim, after the host has had its say. */
function after(virtual: Claim, change: (host: Claim) => Claim): ReturnType<typeof both> {
  const { host } = both(settle(resource, { virtual, host: undefined }, {}));
  return both(settle(resource, { virtual, host: change(host) }, {}));
}

describe('persistentvolumeclaims', () => {
  test('go to the host with all of their spec and the class as it is called there [PVC-01, PVC-02]', () => {
    const { host } = both(
      settle(resource, { virtual: claim({ storageClassName: 'fast', xNew: 1 }), host: undefined }, {}),
    );
    expect(host.spec).toEqual({ ...asked, storageClassName: 'fast', xNew: 1 });
    expect(host.metadata.name).toBe('data-x-shop-x-vc1');
  });

  test('copies of other claims are found under the names of the host [PVC-02]', () => {
    const source = { apiGroup: null, kind: 'PersistentVolumeClaim', name: 'old' };
    const virtual = claim({ dataSource: source, dataSourceRef: source });
    const { host } = both(settle(resource, { virtual, host: undefined }, {}));
    const onHost = { ...source, name: `old-x-shop-x-${release.name}` };
    expect(host.spec).toMatchObject({ dataSource: onHost, dataSourceRef: onHost });
  });

  test.each([
    ['spec.volumeName', { volumeName: 'pv-of-somebody' }],
    ['spec.selector', { selector: { matchLabels: { team: 'other' } } }],
    ['spec.dataSource', { dataSource: { apiGroup: 'snapshot.storage.k8s.io', kind: 'VolumeSnapshot', name: 's' } }],
    ['spec.dataSourceRef', { dataSourceRef: { kind: 'PersistentVolumeClaim', name: 'a', namespace: 'kube-system' } }],
  ])('%s of a tenant never reaches the host [PVC-16, ABU-15]', (field, spec) => {
    const { host, actions } = settle(resource, { virtual: claim(spec), host: undefined }, {});
    expect(host).toBeUndefined();
    expect(warnings(actions)).toEqual([expect.stringContaining(field)]);
  });

  test('bound on the host: the volume, the class and the state come back, and nothing is refused for it [PVC-04, PVC-07, PVC-08]', () => {
    const status = { phase: 'Bound', capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'] };
    const { virtual, host } = after(claim(), (found) => ({
      ...found,
      metadata: {
        ...found.metadata,
        resourceVersion: '9',
        annotations: { ...found.metadata.annotations, 'pv.kubernetes.io/bind-completed': 'yes' },
      },
      spec: { ...found.spec, volumeName: 'pvc-1', storageClassName: 'standard' },
      status,
    }));
    expect(virtual.spec).toMatchObject({ volumeName: 'pvc-1', storageClassName: 'standard' });
    expect(virtual.status).toEqual(status);
    expect(virtual.metadata.annotations).toEqual({ 'pv.kubernetes.io/bind-completed': 'yes' });
    expect(settle(resource, { virtual, host }, {}).actions).toEqual([]);
  });

  test('what only volume controllers write is never taken from a tenant [PVC-07]', () => {
    const annotations = {
      'pv.kubernetes.io/bind-completed': 'yes',
      'volume.kubernetes.io/selected-node': 'n1',
      note: 'one',
    };
    const { host } = both(settle(resource, { virtual: claim({}, { annotations }), host: undefined }, {}));
    expect(host.metadata.annotations).toMatchObject({ note: 'one' });
    expect(JSON.stringify(host.metadata)).not.toMatch(/bind-completed|selected-node/);
  });

  test('a larger request reaches the host, nothing else of the spec does [PVC-06, PVC-15]', () => {
    const grown = claim({ resources: { requests: { storage: '2Gi' } }, accessModes: ['ReadWriteMany'] });
    const { host: before } = both(settle(resource, { virtual: claim(), host: undefined }, {}));
    const { host } = both(settle(resource, { virtual: grown, host: before }, {}));
    expect(host.spec).toEqual({ ...asked, resources: { requests: { storage: '2Gi' } } });
  });

  test('a bound claim whose host claim is gone is not asked for again: its data is [CORE-26]', () => {
    const bound = claim({ volumeName: 'pvc-1' }, {}, { phase: 'Bound' });
    expect(settle(resource, { virtual: bound, host: undefined }, {}).virtual).toBeUndefined();
    expect(settle(resource, { virtual: claim(), host: undefined }, {}).virtual).toBeDefined();
  });

  test('a claim made again waits for the one before it, which a pod still uses [PVC-10]', () => {
    const { host } = both(settle(resource, { virtual: claim(), host: undefined }, {}));
    const leaving = { ...host, metadata: { ...host.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } };
    const again = claim({}, { uid: 'v2' });
    expect(settle(resource, { virtual: again, host: leaving }, {}).actions).toEqual([]);
  });
});
