/** TenantEnvironment: what stands around a virtual cluster, and that none of it harms the virtual cluster. */
import { KubernetesProvider } from '@cdktf/provider-kubernetes/lib/provider/index.js';
import { TerraformVariable, Token } from 'cdktf';
import { describe, expect, test } from 'vitest';
import { controlPlaneShare } from '../../constructs/control-plane-share.ts';
import { Provisioner, TenantEnvironment } from '../../constructs/index.ts';
import type { TenantEnvironmentProps } from '../../constructs/index.ts';
import { inFolder, newStack, resources, synthesised, theResource, valuesOf } from './program.ts';
import type { Block, Program } from './program.ts';

inFolder();

function synth(props: TenantEnvironmentProps = {}): Program {
  const stack = newStack();
  new TenantEnvironment(stack, 'team-a', props);
  return synthesised(stack);
}

function spec(program: Program, type: string): Block {
  return theResource(program, type)['spec'] as Block;
}

/** The network policies, by name. */
function traffic(program: Program): Readonly<Record<string, Block>> {
  const all = resources(program, 'kubernetes_network_policy_v1');
  return Object.fromEntries(
    all.map((policy) => [String((policy['metadata'] as Block)['name']), policy['spec'] as Block]),
  );
}

function labelsOf(resource: Block): unknown {
  return (resource['metadata'] as Block)['labels'];
}

describe('isolation', () => {
  test('none: nothing but a namespace and a virtual cluster', () => {
    const program = synth({ isolation: 'none' });
    expect(Object.keys(program.resource ?? {}).toSorted()).toEqual(['helm_release', 'kubernetes_namespace_v1']);
    expect(theResource(program, 'kubernetes_namespace_v1')['metadata']).toEqual({ name: 'team-a' });
    expect(valuesOf(theResource(program, 'helm_release'))).toEqual({ policies: { podSecurityStandard: 'privileged' } });
  });

  test.each(['baseline', 'restricted'] as const)('%s: Pod Security on the host, and said inside', (isolation) => {
    const program = synth({ isolation });
    expect(labelsOf(theResource(program, 'kubernetes_namespace_v1'))).toEqual({
      'pod-security.kubernetes.io/enforce': isolation,
      'pod-security.kubernetes.io/enforce-version': 'latest',
      'pod-security.kubernetes.io/warn': isolation,
    });
    expect(valuesOf(theResource(program, 'helm_release'))).toMatchObject({
      policies: { podSecurityStandard: isolation },
    });
  });

  test('baseline is the default', () => {
    expect(synth()).toEqual(synth({ isolation: 'baseline' }));
  });

  test('what the props say about Pod Security inside wins', () => {
    const program = synth({ policies: { podSecurityStandard: 'restricted' } });
    expect(valuesOf(theResource(program, 'helm_release'))).toMatchObject({
      policies: { podSecurityStandard: 'restricted' },
    });
  });

  test('baseline: into the namespace from itself and from where the props allow, out of it to anywhere', () => {
    const { tenant } = traffic(synth({ ingressFrom: ['ingress-nginx'] }));
    expect(tenant).toEqual({
      pod_selector: {},
      policy_types: ['Ingress'],
      ingress: [
        {
          from: [
            { pod_selector: {} },
            { namespace_selector: { match_labels: { 'kubernetes.io/metadata.name': 'ingress-nginx' } } },
          ],
        },
      ],
    });
  });

  test('restricted: out of the namespace to itself, name servers, the Internet and what the props allow', () => {
    const { tenant } = traffic(synth({ isolation: 'restricted', egressTo: ['10.20.0.0/16'] }));
    expect(tenant?.['policy_types']).toEqual(['Ingress', 'Egress']);
    const egress = tenant?.['egress'] as readonly { to?: { ip_block?: { cidr: string; except?: string[] } }[] }[];
    expect(egress[0]).toEqual({ to: [{ pod_selector: {} }] });
    expect(egress[1]).toEqual({
      ports: [
        { port: '53', protocol: 'UDP' },
        { port: '53', protocol: 'TCP' },
      ],
    });
    expect(egress[2]?.to?.map((to) => to.ip_block?.cidr)).toEqual(['0.0.0.0/0', '::/0', '10.20.0.0/16']);
    // Other tenants, nodes, and the metadata service of a cloud.
    const except = egress[2]?.to?.[0]?.ip_block?.except;
    for (const range of ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '169.254.0.0/16']) {
      expect(except).toContain(range);
    }
  });

  test.each(['baseline', 'restricted'] as const)(
    '%s: the virtual API server is reached, the host’s as well',
    (isolation) => {
      const policy = traffic(synth({ isolation }))['control-plane'];
      expect(policy?.['ingress']).toEqual([{ ports: [{ port: '6443', protocol: 'TCP' }] }]);
      expect(policy?.['egress']).toEqual(isolation === 'restricted' ? [{}] : undefined);
      // A pod of the tenant cannot take this right by labels of its own.
      expect(policy?.['pod_selector']).toEqual({
        match_labels: { app: 'vcluster', release: 'team-a' },
        match_expressions: [{ key: 'vcluster.loft.sh/managed-by', operator: 'DoesNotExist' }],
      });
    },
  );
});

describe('quota', () => {
  test('is what the tenant gets; what the control plane takes comes on top', () => {
    const quota = { cpu: '500m', memory: '4Gi', storage: '10Gi', pods: 5, volumes: 2 };
    expect(spec(synth({ quota }), 'kubernetes_resource_quota_v1')).toEqual({
      hard: {
        'requests.cpu': '570m',
        'requests.memory': '4576Mi',
        'limits.memory': '8Gi',
        'requests.storage': '15Gi',
        pods: '6',
        persistentvolumeclaims: '3',
      },
    });
  });

  test('knows a control plane of another size, and one without a volume', () => {
    const controlPlane = {
      distro: { k8s: { apiServer: { resources: { requests: { cpu: '1' }, limits: { memory: '3Gi' } } } } },
      statefulSet: { persistence: { volumeClaim: { enabled: false } } },
    };
    const { hard } = spec(
      synth({ quota: { cpu: 1, memory: '1Gi', storage: '1Gi', volumes: 1 }, controlPlane }),
      'kubernetes_resource_quota_v1',
    );
    expect(hard).toEqual({
      'requests.cpu': '2040m',
      'requests.memory': '1504Mi',
      'limits.memory': '6Gi',
      'requests.storage': '1Gi',
      persistentvolumeclaims: '1',
    });
  });

  test('passes on what has a name of its own in Kubernetes, as it is', () => {
    const hard = { 'services.loadbalancers': 0, 'requests.memory': '9000Mi' };
    expect(spec(synth({ quota: { memory: '1Gi', hard } }), 'kubernetes_resource_quota_v1')).toMatchObject({
      hard: { 'services.loadbalancers': '0', 'requests.memory': '9000Mi' },
    });
  });

  test('leaves alone what only Terraform knows', () => {
    const stack = newStack();
    const cpu = new TerraformVariable(stack, 'cpu', {}).stringValue;
    new TenantEnvironment(stack, 'team-a', { quota: { cpu } });
    const quota = theResource(synthesised(stack), 'kubernetes_resource_quota_v1');
    expect(quota['spec']).toEqual({ hard: { 'requests.cpu': '${var.cpu}' } });
  });
});

describe('limits', () => {
  test('have defaults, which the control plane does not get', () => {
    const program = synth();
    expect(spec(program, 'kubernetes_limit_range_v1')).toEqual({
      limit: [{ type: 'Container', default: { memory: '512Mi' }, default_request: { cpu: '50m', memory: '64Mi' } }],
    });
    const values = valuesOf(theResource(program, 'helm_release')) as Readonly<Record<string, unknown>>;
    expect(values).toMatchObject({
      controlPlane: {
        distro: { k8s: { apiServer: { resources: { limits: { memory: '2Gi' } } } } },
        backingStore: { etcd: { resources: { limits: { memory: '1Gi' } } } },
      },
    });
    expect(controlPlaneShare('here', values)).toEqual({
      cpuRequests: '70m',
      memoryRequests: '480Mi',
      memoryLimits: '4Gi',
      storage: '5Gi',
    });
  });

  test('of the control plane that the props give are kept', () => {
    const own = { limits: { memory: '8Gi' } };
    const program = synth({ values: { controlPlane: { distro: { k8s: { apiServer: { resources: own } } } } } });
    expect(valuesOf(theResource(program, 'helm_release'))).toMatchObject({
      controlPlane: { distro: { k8s: { apiServer: { resources: own } } } },
    });
  });

  test('take other defaults and a maximum', () => {
    const limits = { default: { cpu: 1 }, defaultRequest: { cpu: '1000m' }, max: { memory: '4096Mi' } };
    expect(spec(synth({ limits }), 'kubernetes_limit_range_v1')).toEqual({
      limit: [
        {
          type: 'Container',
          default: { memory: '512Mi', cpu: '1' },
          default_request: { cpu: '1', memory: '64Mi' },
          max: { memory: '4Gi' },
        },
      ],
    });
  });
});

describe('TenantEnvironment', () => {
  test('puts the fences up before the virtual cluster', () => {
    const { depends_on: after } = theResource(synth({ quota: { pods: 1 } }), 'helm_release') as {
      depends_on: string[];
    };
    expect(after.map((address) => address.replace(/\..*/, '')).toSorted()).toEqual([
      'kubernetes_limit_range_v1',
      'kubernetes_network_policy_v1',
      'kubernetes_network_policy_v1',
      'kubernetes_resource_quota_v1',
    ]);
  });

  test('does so with our own provider as well, which keeps the namespace', () => {
    const program = synth({ provisioner: Provisioner.native() });
    const cluster = theResource(program, 'vcluster_cluster');
    expect(cluster['namespace_lifecycle']).toBe('keep');
    expect(cluster['namespace']).toMatch(/^\$\{kubernetes_namespace_v1\./);
    expect(cluster['depends_on']).toHaveLength(3);
  });

  test('binds groups to roles inside, and goes in only for that', () => {
    const program = synth({ admins: ['a', 'b'], editors: ['c'], viewers: [] });
    const bindings = resources(program, 'kubernetes_cluster_role_binding_v1');
    expect(bindings.map(({ role_ref: role }) => String((role as Block)['name'])).toSorted()).toEqual([
      'cluster-admin',
      'edit',
    ]);
    const admins = bindings.find(({ role_ref: role }) => (role as Block)['name'] === 'cluster-admin');
    expect(admins?.['subject']).toEqual([
      { api_group: 'rbac.authorization.k8s.io', kind: 'Group', name: 'a' },
      { api_group: 'rbac.authorization.k8s.io', kind: 'Group', name: 'b' },
    ]);
    expect(admins?.['provider']).toMatch(/^kubernetes\.team-a_cluster_inside_/);
    expect(synth()).not.toHaveProperty('ephemeral');
  });

  test('brings first workloads', () => {
    const manifests = { app: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'app' } } };
    const names = resources(synth({ manifests }), 'helm_release').map(({ name }) => String(name));
    expect(names.toSorted()).toEqual(['app', 'team-a']);
  });

  test('uses a namespace that is there', () => {
    const program = synth({ namespace: 'shared', namespaceLifecycle: 'keep' });
    expect(resources(program, 'kubernetes_namespace_v1')).toEqual([]);
    expect(theResource(program, 'kubernetes_limit_range_v1')['metadata']).toEqual({
      name: 'tenant',
      namespace: 'shared',
    });
  });

  test('puts labels on everything it makes on the host, and works on the host of hostProvider', () => {
    const stack = newStack();
    const hostProvider = new KubernetesProvider(stack, 'east', { alias: 'east', configPath: '/east' });
    new TenantEnvironment(stack, 'team-a', { hostProvider, labels: { tenant: 'a' }, quota: { pods: 1 } });
    const program = synthesised(stack);
    const types = ['namespace', 'limit_range', 'resource_quota', 'network_policy'].map(
      (type) => `kubernetes_${type}_v1`,
    );
    for (const resource of types.flatMap((type) => resources(program, type))) {
      expect(resource['provider']).toBe('kubernetes.east');
      expect(labelsOf(resource)).toMatchObject({ tenant: 'a' });
    }
  });

  test('can be changed in one part by a class made from it', () => {
    class Quiet extends TenantEnvironment {
      protected override createNetworkPolicies(): [] {
        return [];
      }
    }
    const stack = newStack();
    new Quiet(stack, 'team-a');
    const program = synthesised(stack);
    expect(resources(program, 'kubernetes_network_policy_v1')).toEqual([]);
    expect(resources(program, 'kubernetes_limit_range_v1')).toHaveLength(1);
  });

  test('leaves alone what only Terraform knows', () => {
    const stack = newStack();
    const map = Token.asStringMap(new TerraformVariable(stack, 'labels', {}).value);
    const text = new TerraformVariable(stack, 'text', {}).stringValue;
    const quota = { cpu: text, pods: 3 };
    const limits = { max: { memory: text } };
    new TenantEnvironment(stack, 'team-a', { labels: map, admins: [text], egressTo: [text], quota, limits });
    const program = synthesised(stack);
    const enforced = '"pod-security.kubernetes.io/enforce" = "baseline"';
    const labels = labelsOf(theResource(program, 'kubernetes_namespace_v1'));
    expect(labels).toMatch(/^\$\{merge\(\{.*\}, var\.labels\)\}$/);
    expect(labels).toContain(enforced);
    expect(labelsOf(theResource(program, 'kubernetes_resource_quota_v1'))).toBe('${var.labels}');
    expect(spec(program, 'kubernetes_resource_quota_v1')).toEqual({
      hard: { 'requests.cpu': '${var.text}', pods: '4' },
    });
  });
});
