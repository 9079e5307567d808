/** `provider::vcluster::host_name(name, namespace, cluster)`: where on the host an object of a virtual cluster is found. */
import { hostName } from '../../config/host-names.ts';
import { nameProblem } from '../../config/names.ts';
import { ArgumentError, defineFunction } from '../framework/function.ts';
import type { FunctionType } from '../framework/function.ts';
import { quoted } from './quoted.ts';

export const hostNameFunction: FunctionType = defineFunction({
  name: 'host_name',
  summary: 'Name on the host of an object in a virtual cluster',
  doc:
    'Returns the name under which a namespaced object of a virtual cluster (a pod, a service, a secret, …) is kept in the ' +
    "virtual cluster's host namespace: for dashboards, alerts and policies of the host. Names longer than 63 characters are " +
    'cut and end in a digest, so nothing but this function should make them. It does not ask whether there is such an object.',
  example: 'output "service_on_host" {\n  value = provider::vcluster::host_name("web", "default", "team-a")\n}',
  parameters: [
    { name: 'name', type: 'string', doc: 'Name of the object inside.' },
    { name: 'namespace', type: 'string', doc: 'Its namespace inside.' },
    { name: 'cluster', type: 'string', doc: 'Name of the virtual cluster.' },
  ],
  returns: 'string',
  run: (name, namespace, cluster) => {
    if (!isSubdomain(name)) throw new ArgumentError(0, mustBe('the name of an object, such as "web-0"', name));
    if (!isLabel(namespace))
      throw new ArgumentError(1, mustBe('the name of a namespace, such as "default"', namespace));
    if (nameProblem(cluster) !== undefined) {
      throw new ArgumentError(2, mustBe('the name of a virtual cluster, such as "team-a"', cluster));
    }
    return hostName(name, namespace, { name: cluster });
  },
});

function isSubdomain(text: string): boolean {
  return text.length <= 253 && text.split('.').every((label) => /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(label));
}

function isLabel(text: string): boolean {
  return text.length <= 63 && isSubdomain(text) && !text.includes('.');
}

function mustBe(what: string, got: string): string {
  return `it must be ${what}, got: ${quoted(got)}`;
}
