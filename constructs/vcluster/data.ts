/** Data sources of our own provider: virtual clusters that something else looks after. Thin classes, as generated bindings are. */
import type { Construct } from 'constructs';
import { TerraformDataSource, Token } from '../terraform.ts';
import type { ITerraformDependable, TerraformProvider } from '../terraform.ts';
import { attributesOf, generatorMetadata } from './element.ts';

/** What may be given to any data source. */
export interface DataSourceMeta {
  /**
   * What has to be there before it is read.
   * @default - nothing
   */
  readonly dependsOn?: readonly ITerraformDependable[];
  /**
   * Which configuration of the provider to use.
   * @default - the default one
   */
  readonly provider?: TerraformProvider;
}

/** Which virtual cluster {@link DataVclusterCluster} reads: by `id`, or by `name`. */
export interface DataVclusterClusterProps extends DataSourceMeta {
  /**
   * `namespace/name`.
   * @default - made of namespace and name
   */
  readonly id?: string;
  /**
   * @default - that in `id`
   */
  readonly name?: string;
  /**
   * @default - the name
   */
  readonly namespace?: string;
}

/** Which virtual clusters {@link DataVclusterClusters} reads. */
export interface DataVclusterClustersProps extends DataSourceMeta {
  /**
   * Only those with all of these labels.
   * @default - all
   */
  readonly labels?: Readonly<Record<string, string>>;
  /**
   * Only those of this host namespace.
   * @default - of all namespaces
   */
  readonly namespace?: string;
}

class DataSource extends TerraformDataSource {
  readonly #attributes: Record<string, unknown>;

  constructor(scope: Construct, id: string, type: string, { dependsOn, provider, ...attributes }: DataSourceMeta) {
    super(scope, id, {
      terraformResourceType: type,
      terraformGeneratorMetadata: generatorMetadata,
      ...(dependsOn && { dependsOn: [...dependsOn] }),
      ...(provider && { provider }),
    });
    this.#attributes = attributesOf(attributes);
  }

  protected override synthesizeAttributes(): Record<string, unknown> {
    return { ...this.#attributes };
  }
}

/** One virtual cluster, as it is. */
export class DataVclusterCluster extends DataSource {
  static readonly tfResourceType: string = 'vcluster_cluster';

  constructor(scope: Construct, id: string, props: DataVclusterClusterProps) {
    super(scope, id, DataVclusterCluster.tfResourceType, props);
  }

  /** `namespace/name`. */
  get id(): string {
    return this.getStringAttribute('id');
  }

  get endpoint(): string {
    return this.getStringAttribute('endpoint');
  }

  get clusterCaCertificate(): string {
    return this.getStringAttribute('cluster_ca_certificate');
  }

  get phase(): string {
    return this.getStringAttribute('phase');
  }

  get kubernetesVersionRunning(): string {
    return this.getStringAttribute('kubernetes_version_running');
  }
}

/** All virtual clusters of the host that fit. */
export class DataVclusterClusters extends DataSource {
  static readonly tfResourceType: string = 'vcluster_clusters';

  constructor(scope: Construct, id: string, props: DataVclusterClustersProps = {}) {
    super(scope, id, DataVclusterClusters.tfResourceType, props);
  }

  /** The list, for Terraform's functions and iterators. */
  get clusters(): string[] {
    return Token.asList(this.interpolationForAttribute('clusters'));
  }
}
