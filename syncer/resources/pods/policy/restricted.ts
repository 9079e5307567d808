/** What the Pod Security Standard `restricted` asks for beyond `baseline`. */
import { unmasked } from './baseline.ts';
import type { Check } from './check.ts';
import { at, containersWhere, listAt, settersWhere, withoutGood } from './subject.ts';

const volumeKinds: readonly string[] = [
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'image',
  'persistentVolumeClaim',
  'projected',
  'secret',
];

export const restricted: readonly Check[] = [
  {
    id: 'restrictedVolumes',
    insteadOf: 'hostPathVolumes',
    find: ({ spec }) => {
      const isAllowed = (volume: unknown): boolean => volumeKinds.some((kind) => at(volume, kind) !== undefined);
      const names = (spec.volumes ?? []).filter((volume) => !isAllowed(volume)).map(({ name }) => JSON.stringify(name));
      return names.length === 0 ? undefined : `volume ${names.join(', ')} is of a restricted kind`;
    },
  },
  {
    id: 'allowPrivilegeEscalation',
    find: (subject) => {
      if (subject.windows) return undefined;
      const escalates = (container: unknown): boolean =>
        at(container, 'securityContext', 'allowPrivilegeEscalation') !== false;
      const who = containersWhere(subject, escalates);
      return who && `${who} must set securityContext.allowPrivilegeEscalation=false`;
    },
  },
  {
    id: 'runAsNonRoot',
    find: (subject) => {
      if (subject.ownUsers) return undefined;
      const who = withoutGood(subject, ['runAsNonRoot'], (value) => value === true);
      return who && `${who} must set securityContext.runAsNonRoot=true`;
    },
  },
  {
    id: 'runAsUser',
    find: (subject) => {
      if (subject.ownUsers) return undefined;
      const who = settersWhere(subject, (context) => at(context, 'runAsUser') === 0);
      return who && `${who} must not set runAsUser=0`;
    },
  },
  {
    id: 'restrictedSeccompProfile',
    insteadOf: 'seccompProfile',
    find: (subject) => {
      if (subject.windows) return undefined;
      const who = withoutGood(
        subject,
        ['seccompProfile', 'type'],
        (type) => type === 'RuntimeDefault' || type === 'Localhost',
      );
      return who && `${who} must set securityContext.seccompProfile.type to RuntimeDefault or Localhost`;
    },
  },
  {
    id: 'restrictedCapabilities',
    insteadOf: 'capabilities',
    find: (subject) => {
      if (subject.windows) return undefined;
      const who = containersWhere(subject, (container) => {
        const all = (list: string): readonly unknown[] => listAt(container, 'securityContext', 'capabilities', list);
        return !all('drop').includes('ALL') || all('add').some((each) => each !== 'NET_BIND_SERVICE');
      });
      return who && `${who} must drop the capabilities ["ALL"] and may add NET_BIND_SERVICE only`;
    },
  },
  { id: 'restrictedProcMount', insteadOf: 'procMount', find: unmasked },
];
