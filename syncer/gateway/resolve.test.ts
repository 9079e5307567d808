import { describe, expect, test } from 'vitest';
import type { GatewayView, HostPod } from './options.ts';
import { resolve } from './resolve.ts';
import { routeOf } from './routes.ts';
import type { PodRoute } from './routes.ts';

const place = { nodeAddress: '192.0.2.2', hostNamespace: 'tenant-a' };
const web: HostPod = {
  hostKey: { namespace: 'tenant-a', name: 'web-x-default-x-vc1' },
  uid: 'uid-1',
  containers: ['app', 'init', 'debugger'],
  nodeName: 'node1',
};

function view(pod: HostPod | undefined = web): GatewayView {
  return {
    hostPodOf: ({ namespace, name }) => (namespace === 'default' && name === 'web' ? pod : undefined),
    isNodeAddress: () => true,
    serviceTarget: () => false,
    podAddress: () => false,
    podsOnNode: () => [],
    nodeNameOfAddress: (ip) => ({ '192.0.2.2': 'node1', '192.0.2.3': 'node2' })[ip],
  };
}

function route(target: string): PodRoute {
  const found = routeOf({ method: 'GET', target });
  if (found.is !== 'pod') throw new Error(`not a pod route: ${target}`);
  return found;
}

describe('resolve() [KUB-07] [POD-170]', () => {
  test.each(['/containerLogs/default/web/app', '/exec/default/web/uid-1/init?command=ls', '/portForward/default/web'])(
    'finds the host pod of %s',
    (target) => {
      const found = resolve(route(target), view(), place);
      expect(found).toMatchObject({
        is: 'resolved',
        names: { virtual: { namespace: 'default', name: 'web' }, host: web.hostKey },
      });
      expect('path' in found && found.path).toContain('/api/v1/namespaces/tenant-a/pods/web-x-default-x-vc1/');
    },
  );

  test.each([
    ['/containerLogs/other/web/app', 'Pod other/web does not run'],
    ['/exec/default/web/uid-2/app', 'UID uid-2 is gone'],
    ['/portForward/default/web/uid-2', 'UID uid-2 is gone'],
    [
      '/containerLogs/default/web/sidecar-of-the-host',
      'has no container "sidecar-of-the-host". It has: app, init, debugger.',
    ],
  ])('refuses %s', (target, message) => {
    const found = resolve(route(target), view(), place);
    expect(found).toMatchObject({ is: 'refused', status: 404 });
    expect('message' in found && found.message).toContain(message);
  });

  test('a pod is reached through its own node only', () => {
    const elsewhere = { ...place, nodeAddress: '192.0.2.3' };
    expect(resolve(route('/containerLogs/default/web/app'), view(), elsewhere)).toMatchObject({
      is: 'refused',
      status: 404,
    });
    const unknown = { ...place, nodeAddress: '192.0.2.9' };
    expect(resolve(route('/containerLogs/default/web/app'), view(), unknown)).toMatchObject({ is: 'resolved' });
  });

  test('never leaves the host namespace, whatever the view says', () => {
    const foreign = view({ ...web, hostKey: { namespace: 'kube-system', name: 'web-x-default-x-vc1' } });
    expect(resolve(route('/containerLogs/default/web/app'), foreign, place)).toMatchObject({
      is: 'refused',
      status: 404,
    });
  });
});
