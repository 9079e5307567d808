/** The checks of the Pod Security Standard `baseline`: no known way from a pod to its node. */
import { isJson } from '../rewriting.ts';
import type { Check } from './check.ts';
import { at, containersWhere, listAt, settersWhere } from './subject.ts';

const capabilities: ReadonlySet<unknown> = new Set([
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_BIND_SERVICE',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
]);

const sysctls: ReadonlySet<unknown> = new Set([
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.ping_group_range',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.tcp_wmem',
]);

const seLinuxTypes: ReadonlySet<unknown> = new Set([
  undefined,
  '',
  'container_t',
  'container_init_t',
  'container_kvm_t',
  'container_engine_t',
]);

const profiles: ReadonlySet<unknown> = new Set(['RuntimeDefault', 'Localhost']);
const appArmorAnnotation = 'container.apparmor.security.beta.kubernetes.io/';
const probes = ['livenessProbe', 'readinessProbe', 'startupProbe'] as const;
const hooks = ['postStart', 'preStop'] as const;

export const baseline: readonly Check[] = [
  {
    id: 'hostNamespaces',
    find: ({ spec }) => {
      const shared = ['hostNetwork', 'hostPID', 'hostIPC'].filter((field) => spec[field] === true);
      return shared.length === 0 ? undefined : shared.map((field) => `${field}=true`).join(', ');
    },
  },
  {
    id: 'privileged',
    find: (subject) => {
      const who = containersWhere(subject, (container) => at(container, 'securityContext', 'privileged') === true);
      return who && `${who} must not set securityContext.privileged=true`;
    },
  },
  {
    id: 'capabilities',
    find: (subject) => {
      const added = (container: unknown): readonly unknown[] =>
        listAt(container, 'securityContext', 'capabilities', 'add');
      const who = containersWhere(subject, (container) => !added(container).every((each) => capabilities.has(each)));
      return who && `${who} must not add capabilities beyond the default ones`;
    },
  },
  {
    id: 'hostPathVolumes',
    find: ({ spec }) => {
      const names = (spec.volumes ?? [])
        .filter((volume) => at(volume, 'hostPath') !== undefined)
        .map(({ name }) => name);
      return names.length === 0 ? undefined : `volume ${names.map((name) => JSON.stringify(name)).join(', ')}`;
    },
  },
  {
    id: 'hostPorts',
    find: (subject) => {
      const isHostPort = (port: unknown): boolean =>
        ![undefined, 0].includes(at(port, 'hostPort') as number | undefined);
      const who = containersWhere(subject, (container) => listAt(container, 'ports').some(isHostPort));
      return who && `${who} must not set hostPort`;
    },
  },
  {
    id: 'hostProbesAndHostLifecycle',
    find: (subject) => {
      const handlers = (container: unknown): readonly unknown[] => [
        ...probes.map((probe) => at(container, probe)),
        ...hooks.map((hook) => at(container, 'lifecycle', hook)),
      ];
      const namesHost = (handler: unknown): boolean =>
        ['httpGet', 'tcpSocket'].some(
          (kind) => ![undefined, ''].includes(at(handler, kind, 'host') as string | undefined),
        );
      const who = containersWhere(subject, (container) => handlers(container).some(namesHost));
      return who && `${who} must not set the host of a probe or of a lifecycle hook`;
    },
  },
  {
    id: 'appArmorProfile',
    find: (subject) => {
      const annotated = Object.entries(subject.annotations).some(
        ([key, value]) => key.startsWith(appArmorAnnotation) && !/^(runtime\/default|localhost\/.*)?$/su.test(value),
      );
      const who = settersWhere(subject, (context) => {
        const profile = at(context, 'appArmorProfile');
        return isJson(profile) && !profiles.has(profile['type']);
      });
      const all = [...(annotated ? ['annotations'] : []), ...(who === undefined ? [] : [who])].join(' and ');
      return all === '' ? undefined : `${all} must not set another AppArmor profile than RuntimeDefault or Localhost`;
    },
  },
  {
    id: 'seLinuxOptions',
    find: (subject) => {
      const who = settersWhere(subject, (context) => {
        const [type, user, role] = ['type', 'user', 'role'].map((field) => at(context, 'seLinuxOptions', field));
        return !seLinuxTypes.has(type) || [user, role].some((value) => value !== undefined && value !== '');
      });
      return (
        who && `${who} must not set securityContext.seLinuxOptions of another type than a container's, nor user or role`
      );
    },
  },
  {
    id: 'procMount',
    find: (subject) => {
      if (subject.ownUsers) return undefined;
      return unmasked(subject);
    },
  },
  {
    id: 'seccompProfile',
    find: (subject) => {
      const who = settersWhere(subject, (context) => {
        const profile = at(context, 'seccompProfile');
        return isJson(profile) && !profiles.has(profile['type']);
      });
      return who && `${who} must not set another securityContext.seccompProfile.type than RuntimeDefault or Localhost`;
    },
  },
  {
    id: 'sysctls',
    find: ({ spec }) => {
      const bad = listAt(spec, 'securityContext', 'sysctls').filter((each) => !sysctls.has(at(each, 'name')));
      return bad.length === 0 ? undefined : bad.map((each) => String(at(each, 'name'))).join(', ');
    },
  },
  {
    id: 'windowsHostProcess',
    find: (subject) => {
      const who = settersWhere(subject, (context) => at(context, 'windowsOptions', 'hostProcess') === true);
      return who && `${who} must not set securityContext.windowsOptions.hostProcess=true`;
    },
  },
];

/** `restricted` asks the same of pods with users of their own. */
export function unmasked(subject: Parameters<Check['find']>[0]): string | undefined {
  const who = containersWhere(
    subject,
    (container) =>
      ![undefined, 'Default'].includes(at(container, 'securityContext', 'procMount') as string | undefined),
  );
  return who && `${who} must not set another securityContext.procMount than Default`;
}
