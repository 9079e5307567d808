/**
 * `resource "vcluster_cluster"`: one virtual cluster, installed, repaired and removed by our own provider. A thin class, as the
 * generated bindings of other providers are: names as in Terraform's documentation, in camelCase.
 */
import type { Construct } from 'constructs';
import { options } from '../../config/options.ts';
import type { Values } from '../../config/options.ts';
import { valuesText } from '../values.ts';
import { asAttributes } from './options.ts';
import { OwnResource } from './resource.ts';
import type { ResourceMeta } from './resource.ts';

/** How long each operation may take, such as `5m`. */
export interface Timeouts {
  /**
   * @default '5m'
   */
  readonly create?: string;
  /**
   * @default '5m'
   */
  readonly update?: string;
  /**
   * @default '5m'
   */
  readonly delete?: string;
}

/** What happens to the namespace: made here, taken over, or only used. */
export type NamespaceLifecycle = 'create' | 'adopt' | 'keep';

/** Attributes of a {@link VclusterClusterResource}, all but `name` optional: those below, and every option of docs/configuration.md. */
export interface VclusterClusterResourceProps extends ResourceMeta, Values {
  readonly name: string;
  /**
   * @default - `name`
   */
  readonly namespace?: string | undefined;
  /**
   * @default 'create'
   */
  readonly namespaceLifecycle?: NamespaceLifecycle;
  /**
   * @default - none
   */
  readonly namespaceLabels?: Readonly<Record<string, string>>;
  /**
   * @default - none
   */
  readonly namespaceAnnotations?: Readonly<Record<string, string>>;
  /**
   * @default - none
   */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /**
   * @default - the version this project was tested with
   */
  readonly kubernetesVersion?: string;
  /**
   * Chart values as YAML texts; later ones win.
   * @default - the chart's own
   */
  readonly values?: readonly string[];
  /**
   * @default - the chart of the provider
   */
  readonly chartPath?: string;
  /**
   * @default false
   */
  readonly pause?: boolean;
  /**
   * @default false
   */
  readonly deletionProtection?: boolean;
  /**
   * @default - the provider's
   */
  readonly timeouts?: Timeouts;
}

/** A virtual cluster that our provider looks after. */
export class VclusterClusterResource extends OwnResource {
  static readonly tfResourceType: string = 'vcluster_cluster';

  constructor(scope: Construct, id: string, props: VclusterClusterResourceProps) {
    super(scope, id, { type: VclusterClusterResource.tfResourceType, nested: ['timeouts'] }, withAttributes(props));
  }

  /** `namespace/name`. Known while an update is planned, so whatever hangs on it stays known as well. */
  get id(): string {
    return this.getStringAttribute('id');
  }

  get name(): string {
    return this.getStringAttribute('name');
  }

  get namespace(): string {
    return this.getStringAttribute('namespace');
  }

  get endpoint(): string {
    return this.getStringAttribute('endpoint');
  }

  get clusterCaCertificate(): string {
    return this.getStringAttribute('cluster_ca_certificate');
  }

  get kubeconfigSecretName(): string {
    return this.getStringAttribute('kubeconfig_secret.name');
  }

  get kubeconfigSecretNamespace(): string {
    return this.getStringAttribute('kubeconfig_secret.namespace');
  }

  get kubernetesVersionRunning(): string {
    return this.getStringAttribute('kubernetes_version_running');
  }

  get phase(): string {
    return this.getStringAttribute('phase');
  }

  /** The labels as they are set; an aspect may replace them. */
  get labels(): Readonly<Record<string, string>> {
    return (this.attributes['labels'] ?? {}) as Readonly<Record<string, string>>;
  }

  set labels(labels: Readonly<Record<string, string>>) {
    this.attributes['labels'] = labels;
  }
}

/** The props with attributes in the place of options. */
function withAttributes(props: VclusterClusterResourceProps): ResourceMeta & Readonly<Record<string, unknown>> {
  const entries = Object.entries(props);
  const own = Object.fromEntries(entries.filter(([key]) => !isBranch(key)));
  const { attributes, rest } = asAttributes(Object.fromEntries(entries.filter(([key]) => isBranch(key))));
  const values = [...(props.values ?? []), ...(Object.keys(rest).length > 0 ? [valuesText(rest)] : [])];
  return { ...own, ...attributes, ...(values.length > 0 && { values }) };
}

function isBranch(key: string): boolean {
  return Object.hasOwn(options, key) || key === 'global';
}
