/**
 * The attributes of `vcluster_cluster`: its own, one for every option of config/, and what is read from the host.
 */
import { nameProblem } from '../../config/names.ts';
import { resolveKubernetesVersion } from '../../config/kubernetes-versions.ts';
import { commonLabels } from '../../operations/cluster.ts';
import { ownPrefix } from '../../operations/namespace.ts';
import type { NamespaceLifecycle } from '../../operations/namespace.ts';
import { list, map } from '../framework/attributes.ts';
import type { Attributes, Check } from '../framework/attributes.ts';
import { all, each, oneOf, text } from '../framework/checks.ts';
import { failure } from '../framework/diagnostics.ts';
import { timeouts } from '../framework/timeouts.ts';
import { isRecord } from '../framework/values.ts';
import type { ValueRecord } from '../framework/values.ts';
import { optionAttributes } from '../options.ts';
import type { Words } from '../words.ts';
import { viewAttributes } from './view-attributes.ts';

/** A check in whole sentences, from a function that says what is wrong. */
const sentences =
  (problem: (value: string) => string | undefined): Check =>
  (value, path) => {
    const wrong = typeof value === 'string' ? problem(value) : undefined;
    return wrong === undefined ? [] : [failure('Invalid value', wrong, path)];
  };

const namespaceName = text((value) =>
  value.length <= 63 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(value)
    ? undefined
    : 'the name of a namespace: at most 63 lower-case letters, digits and "-", neither first nor last a "-"',
);

const labelForm = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;
const prefixForm = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;

function isLabelKey(key: string): boolean {
  const [name = '', prefix, ...more] = key.split('/').toReversed();
  return name !== '' && labelForm.test(name) && (prefix === undefined || prefixForm.test(prefix)) && more.length === 0;
}

const nameForm = 'at most 63 letters, digits, "-", "_" and ".", neither first nor last one of these three';

/** What Kubernetes would refuse halfway. */
const keyCheck =
  (what: string): Check =>
  (value, path) =>
    Object.keys(isRecord(value) ? value : {})
      .filter((key) => !isLabelKey(key))
      .map((key) => {
        const wrong = `${JSON.stringify(key)} cannot be the key of ${what}`;
        return failure('Invalid value', `${wrong}: it must be ${nameForm}; a DNS name and "/" may precede it.`, [
          ...path,
          key,
        ]);
      });

const labelValue: Check = (word, path) =>
  typeof word !== 'string' || labelForm.test(word)
    ? []
    : [
        failure(
          'Invalid value',
          `${JSON.stringify(word)} cannot be the value of a label: it must be ${nameForm}.`,
          path,
        ),
      ];

/** Keys that would not be the user's to set. */
const foreignKeys =
  (isForeign: (key: string) => boolean, whose: string): Check =>
  (value, path) =>
    Object.keys(isRecord(value) ? value : {})
      .filter(isForeign)
      .map((key) =>
        failure('Invalid value', `${JSON.stringify(key)} is ${whose}. Choose another key.`, [...path, key]),
      );

export const labelWords: Check = all(keyCheck('a label'), each(labelValue));
const clusterLabels = all(
  labelWords,
  foreignKeys((key) => commonLabels.has(key), 'a label of every virtual cluster'),
);
export const annotationWords: Check = all(
  keyCheck('an annotation'),
  foreignKeys((key) => key.startsWith(ownPrefix), 'an annotation of the provider itself'),
);

const versionProblem = (version: string): string | undefined => {
  const resolved = resolveKubernetesVersion(version);
  // The text names the option of the chart; here it has a shorter name, which the path of the diagnostic shows.
  return 'problem' in resolved ? resolved.problem.replace(/^[\w.]+: /, '') : undefined;
};

const own: Attributes = {
  name: {
    type: 'string',
    required: true,
    doc: 'Name of the virtual cluster: at most 52 lower-case letters, digits and `-`.',
    check: sentences(nameProblem),
    replace: 'its objects on the host carry the name',
  },
  namespace: {
    type: 'string',
    optional: true,
    computed: true,
    doc: 'Namespace of the host cluster that it lives in, and all pods of its tenants with it. Default: its name.',
    check: namespaceName,
    replace: 'objects on the host cannot move to another namespace',
  },
  namespace_lifecycle: {
    type: 'string',
    optional: true,
    computed: true,
    doc:
      '`create`: the namespace is made here, and deleted at the end; an error when it exists and was not made here. ' +
      '`adopt`: it may exist; from then on it is as if made here, and *deleted at the end, with everything in it*. ' +
      '`keep`: it must exist, and is neither changed nor deleted. Default: `create`.',
    check: oneOf('create', 'adopt', 'keep'),
  },
  namespace_labels: {
    type: map('string'),
    optional: true,
    doc: 'Labels of the namespace. Not with `keep`.',
    check: labelWords,
  },
  namespace_annotations: {
    type: map('string'),
    optional: true,
    doc: 'Annotations of the namespace. Not with `keep`.',
    check: annotationWords,
  },
  labels: {
    type: map('string'),
    optional: true,
    doc: 'Labels of the virtual cluster on the host, by which the data source `vcluster_clusters` selects.',
    check: clusterLabels,
  },
  kubernetes_version: {
    type: 'string',
    optional: true,
    doc:
      'Kubernetes version: a minor (`"1.36"`) or an exact release (`"1.36.3"`). The same as `control_plane.distro.k8s.version`. ' +
      'An older minor replaces the virtual cluster, because a store written by a newer one cannot be read by an older one.',
    check: sentences(versionProblem),
  },
  values: {
    type: list('string'),
    optional: true,
    doc:
      'Values of the chart as YAML texts, merged over the typed attributes, later ones over earlier ones. A key that is set here and ' +
      'there with different values is refused. In clear in state and plan: no secrets.',
  },
  chart_path: {
    type: 'string',
    optional: true,
    doc: 'Folder of the chart to install. Default: the chart that ships with the provider.',
  },
  pause: {
    type: 'bool',
    optional: true,
    default: false,
    doc:
      'Put it to sleep: control plane and pods of its tenants end, its objects and volumes stay. Pods that no controller owns do ' +
      'not come back.',
  },
  deletion_protection: {
    type: 'bool',
    optional: true,
    default: false,
    doc: 'Refuse to destroy or replace it. To destroy it, set this to `false` and apply first.',
  },
  timeouts: timeouts({ create: '10m', update: '10m', delete: '10m', read: '2m' }),
};

const computed: Attributes = {
  id: {
    type: 'string',
    computed: true,
    doc: '`namespace/name`. Known only after the virtual cluster was ready once, and ever after: what depends on it waits for that.',
  },
  drift: {
    type: list('string'),
    computed: true,
    doc: 'What was changed outside of Terraform, a line each; the next apply repairs it. Empty when all is as it was made.',
  },
  ...viewAttributes,
};

/** All attributes. A name that is an option's and one of ours at the same time does not get past the tests. */
export const clusterAttributes: Attributes = { ...own, ...optionAttributes(), ...computed };

/** Names that are not options. */
export const ownNames: readonly string[] = [...Object.keys(own), ...Object.keys(computed)];

/** The attributes as handlers use them; everything is known. */
export interface ClusterObject extends ValueRecord {
  readonly name: string;
  readonly namespace: string;
  readonly namespace_lifecycle: NamespaceLifecycle;
  readonly namespace_labels: Words | null;
  readonly namespace_annotations: Words | null;
  readonly labels: Words | null;
  readonly kubernetes_version: string | null;
  readonly values: readonly string[] | null;
  readonly chart_path: string | null;
  readonly pause: boolean;
  readonly deletion_protection: boolean;
  readonly drift: readonly string[] | null;
}

/** The attributes of an object that was planned or stored: the schema has made sure of their types. */
export function asCluster(values: ValueRecord): ClusterObject {
  return values as ClusterObject;
}
