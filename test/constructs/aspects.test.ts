/** Aspects reach what the constructs make, as they reach anything in a CDKTF program. */
import { Aspects } from 'cdktf';
import type { IAspect } from 'cdktf';
import type { IConstruct } from 'constructs';
import { describe, expect, test } from 'vitest';
import { Provisioner, TenantEnvironment } from '../../constructs/index.ts';
import { inFolder, newStack, resources, synthesised } from './program.ts';
import type { Block } from './program.ts';

inFolder();

describe('Aspects', () => {
  /** Adds a label to everything that has metadata or labels, as a platform team's aspect would. */
  class CostCentre implements IAspect {
    visit(node: IConstruct): void {
      const labelled = node as Partial<Record<'metadata', { labels: unknown; labelsInput?: object }>> & {
        labels?: object;
      };
      if (labelled.metadata !== undefined) {
        labelled.metadata.labels = { ...labelled.metadata.labelsInput, 'cost-centre': 'x7' };
      } else if ('labels' in node) {
        labelled.labels = { ...labelled.labels, 'cost-centre': 'x7' };
      }
    }
  }

  test.each(['helm', 'native'] as const)('reach everything that is made, with Provisioner.%s()', (kind) => {
    const stack = newStack();
    const props = { quota: { pods: 1 }, labels: { tenant: 'a' }, admins: ['a'] };
    new TenantEnvironment(stack, 'team-a', { ...props, provisioner: Provisioner[kind]() });
    Aspects.of(stack).add(new CostCentre());
    const program = synthesised(stack);
    const expected = expect.objectContaining({ tenant: 'a', 'cost-centre': 'x7' });
    const kubernetes = Object.keys(program.resource ?? {}).filter((type) => type.startsWith('kubernetes_'));
    expect(kubernetes).toHaveLength(5);
    for (const resource of kubernetes.flatMap((type) => resources(program, type))) {
      expect((resource['metadata'] as Block)['labels']).toEqual(expected);
    }
    const ours = resources(program, 'vcluster_cluster').map(({ labels }) => labels);
    expect(ours).toEqual(kind === 'native' ? [expected] : []);
  });
});
