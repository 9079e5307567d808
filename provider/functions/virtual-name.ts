/** `provider::vcluster::virtual_name(host_name)`: which object of which virtual cluster a name on the host stands for. */
import { readHostName } from '../../config/host-names.ts';
import type { VirtualName } from '../../config/host-names.ts';
import { object } from '../framework/attributes.ts';
import { ArgumentError, defineFunction } from '../framework/function.ts';
import type { FunctionType } from '../framework/function.ts';
import { quoted } from './quoted.ts';

const lookInstead =
  'look at the annotations vcluster.loft.sh/object-name and vcluster.loft.sh/object-namespace of the host object instead';

export const virtualName: FunctionType = defineFunction({
  name: 'virtual_name',
  summary: 'Object in a virtual cluster that a name on the host stands for',
  doc:
    'The reverse of `host_name`: returns an object with `name`, `namespace` and `cluster`. Not every name can be undone: one that ' +
    'was longer than 63 characters ends in a digest, and one whose parts contain "-x-" can be read in several ways. For those the ' +
    'function fails and says so; the host object itself tells, in its annotations `vcluster.loft.sh/object-name` and ' +
    '`vcluster.loft.sh/object-namespace` and its label `vcluster.loft.sh/managed-by`.',
  example:
    'output "inside" {\n  value = provider::vcluster::virtual_name("web-0-x-default-x-team-a").name # "web-0"\n}',
  parameters: [{ name: 'host_name', type: 'string', doc: 'Name of the object on the host.' }],
  returns: object({ name: 'string', namespace: 'string', cluster: 'string' }),
  run: (text) => {
    const reading = readHostName(text);
    switch (reading.is) {
      case 'object':
        return { ...reading.object };
      case 'shortened':
        throw new ArgumentError(
          0,
          `${JSON.stringify(text)} was shortened, and a digest cannot be undone; ${lookInstead}`,
        );
      case 'ambiguous':
        throw new ArgumentError(
          0,
          `${JSON.stringify(text)} can mean ${reading.objects.map(words).join(', or ')}; ${lookInstead}`,
        );
      case 'foreign':
        throw new ArgumentError(
          0,
          `it must be a name of the form "<name>-x-<namespace>-x-<virtual cluster>", got: ${quoted(text)}`,
        );
      default:
        return reading satisfies never;
    }
  },
});

function words({ name, namespace, cluster }: VirtualName): string {
  return `"${name}" in namespace "${namespace}" of "${cluster}"`;
}
