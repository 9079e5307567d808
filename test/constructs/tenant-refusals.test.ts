/** What is refused about a tenant's environment at synthesis, and the words of it. */
import { TerraformVariable } from 'cdktf';
import { expect, test } from 'vitest';
import { Provisioner, TenantEnvironment } from '../../constructs/index.ts';
import type { TenantEnvironmentProps } from '../../constructs/index.ts';
import { inFolder, newStack } from './program.ts';

inFolder();

test.each([
  ['a list of groups that only Terraform knows', 'admins', /admins must be a list whose length is known at synthesis/],
  ['resources of the control plane under a quota', 'size', /team-a: a quota needs resources .* known at synthesis/],
])('refuses %s, which it cannot work with', (_what, kind, message) => {
  const stack = newStack();
  const { listValue, stringValue: size } = new TerraformVariable(stack, 'it', {});
  const controlPlane = { statefulSet: { persistence: { volumeClaim: { size } } } };
  const props = kind === 'admins' ? { admins: listValue } : { controlPlane, quota: { storage: '1Gi' } };
  expect(() => new TenantEnvironment(stack, 'team-a', props)).toThrow(message);
});

test.each<[string, TenantEnvironmentProps, RegExp]>([
  [
    'an isolation nobody knows',
    JSON.parse('{"isolation":"total"}'),
    /isolation must be one of none, baseline.*"total"/,
  ],
  ['a quota that is no quantity', { quota: { cpu: 'lots' } }, /quota\.cpu must be a quantity .*, got: "lots"/],
  ['an unknown quota', JSON.parse('{"quota":{"gpus":1}}'), /a key must be one of cpu, memory.*got: "gpus"/],
  ['half a pod', { quota: { pods: 1.5 } }, /quota\.pods must be a whole number, 0 or more, got: 1\.5/],
  [
    'a part of limits that nobody knows',
    JSON.parse('{"limits":{"defaults":{}}}'),
    /limits: a key must be one of default, defaultRequest, max, got: "defaults"/,
  ],
  [
    'an amount that nobody knows',
    JSON.parse('{"limits":{"max":{"cpus":1}}}'),
    /limits\.max: a key must be one of cpu, memory, got: "cpus"/,
  ],
  [
    'a maximum that the control plane does not fit in',
    { limits: { max: { memory: '1Gi' } } },
    /limits\.max\.memory must be at least 2Gi, which controlPlane\.distro\.k8s\.apiServer\.resources .*got: "1Gi"/,
  ],
  [
    'an address for a range',
    { egressTo: ['10.0.0.1'] },
    /egressTo must be a list of address ranges .*got: "10\.0\.0\.1"/,
  ],
  ['a range that is too narrow', { egressTo: ['10.0.0.0/33'] }, /egressTo must be .*, got: "10\.0\.0\.0\/33"/],
  ['a limit that is no quantity', { limits: { max: { memory: 'x' } } }, /limits\.max\.memory must be .*, got: "x"/],
  ['groups that are no list', JSON.parse('{"admins":"a"}'), /admins must be a list, got: "a"/],
  ['an empty group', { admins: [' '] }, /admins must be a list of names/],
  ['a namespace taken over', { namespaceLifecycle: 'adopt', provisioner: Provisioner.native() }, /must be "create" or/],
  ['an option of the virtual cluster', { kubernetesVersion: '9.9' }, /Kubernetes 9\.9/],
])('refuses %s', (_what, props, message) => {
  expect(() => new TenantEnvironment(newStack(), 'team-a', props)).toThrow(message);
});
