/** The chart as `helm template` renders it: what it refuses, and what it promises about its pod. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { parsePodRules } from '../../syncer/pod-rules.ts';
import { resolveBinary, silent } from '../../testbed/index.ts';

const chart = join(import.meta.dirname, '../../chart');
let helm: string;

beforeAll(async () => {
  helm = await resolveBinary('helm', silent);
});

interface Container {
  readonly name: string;
  readonly image: string;
  readonly args: readonly string[];
  readonly restartPolicy?: string;
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string; readonly subPath?: string }[];
}

interface PodSpec {
  readonly automountServiceAccountToken: boolean;
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly initContainers: readonly Container[];
  readonly containers: readonly Container[];
  readonly volumes: readonly Readonly<Record<string, unknown>>[];
}

interface Rendered {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: { readonly template: { readonly spec: PodSpec } };
}

interface Wish {
  readonly name?: string;
  readonly set?: Readonly<Record<string, unknown>>;
  readonly host?: string;
}

function template({ name = 'team-a', set = {}, host = '1.34.0' }: Wish = {}): readonly Rendered[] {
  const values = Object.entries(set).flatMap(([path, value]) => ['--set-json', `${path}=${JSON.stringify(value)}`]);
  const args = ['template', name, chart, '--namespace', 'tenants', '--kube-version', host, ...values];
  const output = execFileSync(helm, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  return parseAllDocuments(output)
    .map((document) => document.toJS() as Rendered | null)
    .filter((object) => object !== null);
}

function find(objects: readonly Rendered[], kind: string): Rendered {
  const object = objects.find((candidate) => candidate.kind === kind);
  if (object === undefined) throw new Error(`The chart renders no ${kind}.`);
  return object;
}

const podOf = (wish?: Wish): PodSpec => find(template(wish), 'StatefulSet').spec.template.spec;
const claim = (policy: string): Rendered =>
  find(
    template({ set: { 'controlPlane.statefulSet.persistence.volumeClaim.retentionPolicy': policy } }),
    'PersistentVolumeClaim',
  );
const allContainers = (pod: PodSpec): readonly Container[] => [...pod.initContainers, ...pod.containers];

describe('chart', () => {
  test.each([
    ['an unknown key', { 'controlPlane.foo': 1 }, "at '/controlPlane': additional properties 'foo' not allowed"],
    ['an unknown key at the top', { sinc: {} }, "additional properties 'sinc' not allowed"],
    [
      'a wrong type',
      { 'controlPlane.statefulSet.persistence.volumeClaim.enabled': 'yes' },
      "at '/controlPlane/statefulSet/persistence/volumeClaim/enabled': got string, want boolean",
    ],
    [
      'a number as version',
      { 'controlPlane.distro.k8s.version': 1.36 },
      "at '/controlPlane/distro/k8s/version': got number, want string",
    ],
    [
      'a release that does not exist',
      { 'controlPlane.distro.k8s.version': '1.36.99' },
      'Kubernetes 1.36.99 does not exist. Write "1.36"',
    ],
    [
      'a minor that is not supported',
      { 'controlPlane.distro.k8s.version': '1.12' },
      'Kubernetes 1.12 is not supported. Supported are 1.34, 1.35, 1.36',
    ],
  ])('refuses %s, naming it', (_, set, message) => {
    expect(() => template({ set })).toThrow(message);
  });

  test.each([
    ['1team', 'begins with a letter'],
    ['team.a', 'lower-case letters, digits and "-"'],
    ['a'.repeat(53), 'has 53 characters'],
  ])('refuses the name %s', (name, message) => {
    expect(() => template({ name })).toThrow(message);
  });

  test('refuses a host without native sidecar containers', () => {
    expect(() => template({ host: '1.28.9' })).toThrow(
      'The host cluster runs Kubernetes v1.28.9; 1.29 or newer is needed',
    );
  });

  test('accepts `global`, which Helm adds to the values of a subchart', () => {
    expect(template({ set: { global: { anything: true } } }).length).toBeGreaterThan(5);
  });

  test('creates nothing that is cluster-scoped', () => {
    const kinds = new Set(template().map(({ kind }) => kind));
    const namespaced = ['PersistentVolumeClaim', 'Role', 'RoleBinding', 'Service', 'ServiceAccount', 'StatefulSet'];
    expect([...kinds].toSorted()).toEqual(namespaced);
  });

  test.each([
    ['1.36', 'v1.36.3'],
    ['v1.36.1', 'v1.36.1'],
  ])('runs the official images of version %s', (version, tag) => {
    const images = allContainers(podOf({ set: { 'controlPlane.distro.k8s.version': version } })).map(
      ({ image }) => image,
    );
    expect(images).toContain(`registry.k8s.io/kube-apiserver:${tag}`);
    expect(images).toContain(`registry.k8s.io/kube-controller-manager:${tag}`);
  });

  test('tells every part the same DNS domain [POD-134]', () => {
    const { initContainers } = podOf({ set: { 'networking.advanced.clusterDomain': 'team.internal' } });
    const args = (name: string): readonly string[] => initContainers.find((each) => each.name === name)?.args ?? [];
    const issuer = 'https://kubernetes.default.svc.team.internal';
    // From it come certificates; search domains, aliases, hosts files and the zone of the cluster DNS; and tokens.
    expect(args('pki')).toContain('--domain=team.internal');
    expect(args('syncer')).toContain('--domain=team.internal');
    expect(args('kube-apiserver')).toContain(`--service-account-issuer=${issuer}`);
    expect(args('kube-apiserver').find((arg) => arg.startsWith('--api-audiences='))).toContain(issuer);
    const others = initContainers.flatMap((container) => container.args).filter((arg) => arg.includes('cluster.local'));
    expect(others).toEqual([]);
  });

  test('hands the options about pods to the syncer, and the image that it runs itself', () => {
    const set = {
      'policies.podSecurityStandard': 'restricted',
      'sync.toHost.pods.translateImage': { 'a:1': 'b"\\:1' },
      'controlPlane.syncer.image': { repository: 'registry.example/syncer', tag: 'x', pullPolicy: 'Always' },
      'controlPlane.advanced.workloadServiceAccount.imagePullSecrets': [{ name: 'a' }, { name: 'b' }],
    };
    const { args } = podOf({ set }).initContainers.find(({ name }) => name === 'syncer') ?? { args: [] };
    const [flag = ''] = args.filter((arg) => arg.startsWith('--values='));
    const own = { image: 'registry.example/syncer:x', pullPolicy: 'Always', pullSecrets: ['a', 'b'] };
    expect(args).toContain(`--image=${own.image}`);
    expect(args).toContain('--image-pull-policy=Always');
    expect(args).toContain('--workload-pull-secrets=a,b');
    const rules = parsePodRules(flag.slice('--values='.length), own);
    expect(rules).toMatchObject({
      security: 'restricted',
      images: { 'a:1': 'b"\\:1' },
      schedulerNames: ['default-scheduler'],
    });
    expect(parsePodRules('{}', own)).toEqual({ ...rules, security: 'baseline', images: {} });
  });

  test('satisfies Pod Security `restricted` in every container', () => {
    const pod = podOf();
    expect(pod.securityContext).toMatchObject({
      runAsNonRoot: true,
      runAsUser: 65532,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    for (const { name, securityContext } of allContainers(pod)) {
      const add = name === 'kube-apiserver' ? { add: ['NET_BIND_SERVICE'] } : {};
      expect(securityContext, name).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'], ...add },
      });
    }
    const volumeKinds = pod.volumes.flatMap((volume) => Object.keys(volume)).filter((key) => key !== 'name');
    expect(new Set(volumeKinds)).toEqual(new Set(['emptyDir', 'projected']));
  });

  test('mounts the host token into pki and syncer only, and to each component only its own keys', () => {
    const pod = podOf();
    expect(pod.automountServiceAccountToken).toBe(false);
    const holders = allContainers(pod).filter(({ volumeMounts }) =>
      volumeMounts.some(({ name }) => name === 'host-token'),
    );
    expect(holders.map(({ name }) => name)).toEqual(['pki', 'syncer']);
    const folders = allContainers(pod).map(({ name, volumeMounts }) => [
      name,
      volumeMounts.find((mount) => mount.name === 'pki')?.subPath,
    ]);
    expect(Object.fromEntries(folders)).toEqual({
      pki: undefined,
      etcd: 'etcd',
      'kube-apiserver': 'apiserver',
      'kube-controller-manager': 'controller-manager',
      syncer: 'syncer',
    });
  });

  test('starts store and API server in order, as sidecars, before what needs them [OPS-01]', () => {
    const order = podOf().initContainers.map(({ name, restartPolicy }) => `${name} ${restartPolicy ?? 'once'}`);
    expect(order).toEqual(['pki once', 'syncer Always', 'etcd Always', 'kube-apiserver Always']);
  });

  test('uses one issuer for tokens, in the domain that is asked for [POD-112]', () => {
    const pod = podOf({ set: { 'networking.advanced.clusterDomain': 'team.internal' } });
    const server = pod.initContainers.find(({ name }) => name === 'kube-apiserver');
    expect(server?.args).toContain('--service-account-issuer=https://kubernetes.default.svc.team.internal');
    expect(server?.args).toContain(
      '--api-audiences=https://kubernetes.default.svc.team.internal,https://kubernetes.default.svc,https://kubernetes.default',
    );
  });

  test('keeps the volume of a deleted release only when asked', () => {
    expect(claim('Delete').metadata).toMatchObject({ name: 'data-team-a-0' });
    expect(claim('Delete').metadata.annotations).toBeUndefined();
    expect(claim('Retain').metadata.annotations).toEqual({ 'helm.sh/resource-policy': 'keep' });
  });

  test('runs without a volume when that is asked for', () => {
    const set = { 'controlPlane.statefulSet.persistence.volumeClaim.enabled': false };
    expect(template({ set }).map(({ kind }) => kind)).not.toContain('PersistentVolumeClaim');
    expect(podOf({ set }).volumes).toContainEqual({ name: 'data', emptyDir: {} });
  });
});
