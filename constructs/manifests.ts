/**
 * Arbitrary Kubernetes objects inside a virtual cluster, as a Helm release of a chart that holds nothing but them.
 *
 * Why not `kubernetes_manifest`: it asks the API server while Terraform plans, so it can never be in the apply that makes the virtual
 * cluster. A Helm release of a chart at hand is planned without asking anybody, as long as its version is given.
 */
import type { Release } from '@cdktf/provider-helm/lib/release/index.js';
import type { HelmProvider } from '@cdktf/provider-helm/lib/provider/index.js';
import { Construct } from 'constructs';
import { binding } from './bindings.ts';
import { shippedFolder } from './chart.ts';
import { checkNamespaceName, checkSeconds, mustBe } from './checks.ts';
import { AssetType, TerraformAsset, Token } from './terraform.ts';
import { valuesText } from './values.ts';
import { yaml } from './yaml.ts';

/** A Kubernetes object as it stands in a manifest. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string } & Readonly<Record<string, unknown>>;
  readonly [field: string]: unknown;
}

/** YAML with any number of documents, an object, or several. */
export type ManifestSource = string | KubernetesObject | readonly KubernetesObject[];

/** Options of `VirtualCluster.addManifest`. */
export interface ManifestOptions {
  /**
   * Namespace inside the virtual cluster for objects that name none. It must exist; an object of kind Namespace may be among them
   * when they name it.
   * @default 'default'
   */
  readonly namespace?: string;

  /**
   * Whether the apply waits until the objects are ready, Deployments rolled out for instance.
   * @default true
   */
  readonly wait?: boolean;

  /**
   * How long it waits, in seconds.
   * @default 300
   */
  readonly timeoutSeconds?: number;
}

interface ManifestProps extends ManifestOptions {
  readonly source: ManifestSource;
  readonly helmProvider: HelmProvider;
}

/** Version of constructs/manifests/Chart.yaml. Given to Terraform, or Helm would look for the release while planning. */
const chartVersion = '0.1.0';
const nameLengthMax = 53;

/** The objects of one manifest. Definitions of new kinds go first, in a release of their own, or Helm would not know the kinds. */
export class Manifest extends Construct {
  /** The release that holds the objects; depend on it to come after them. */
  readonly release: Release;

  constructor(scope: Construct, id: string, props: ManifestProps) {
    super(scope, id);
    checkNamespaceName(`${this.node.path}: namespace`, props.namespace);
    checkSeconds(`${this.node.path}: timeoutSeconds`, props.timeoutSeconds);
    const objects = objectsOf(this.node.path, props.source);
    const definitions = objects.filter(({ kind }) => kind === 'CustomResourceDefinition');
    const others = objects.filter(({ kind }) => kind !== 'CustomResourceDefinition');
    const path = new TerraformAsset(this, 'chart', {
      path: shippedFolder('constructs/manifests'),
      type: AssetType.DIRECTORY,
    }).path;
    const chart = { ...props, path };
    const split = definitions.length > 0 && others.length > 0;
    const first = split ? this.createRelease('definitions', { ...chart, objects: definitions }) : undefined;
    this.release = this.createRelease('release', { ...chart, objects: split ? others : objects, after: first });
  }

  protected createRelease(
    id: string,
    props: ManifestProps & { path: string; objects: readonly KubernetesObject[]; after?: Release | undefined },
  ): Release {
    const { Release } = binding('@cdktf/provider-helm/lib/release/index.js');
    const name = id === 'release' ? this.node.id : `${this.node.id}-${id}`;
    checkReleaseName(this.node.path, name);
    return new Release(this, id, {
      provider: props.helmProvider,
      name,
      namespace: props.namespace ?? 'default',
      chart: props.path,
      version: chartVersion,
      values: [valuesText({ objects: props.objects })],
      wait: props.wait ?? true,
      atomic: props.wait ?? true,
      upgradeInstall: true,
      timeout: props.timeoutSeconds ?? 300,
      ...(props.after && { dependsOn: [props.after] }),
    });
  }
}

/** The objects of a manifest; throws with the place of what is none. */
export function objectsOf(where: string, source: ManifestSource): readonly KubernetesObject[] {
  const objects = typeof source === 'string' ? parsed(where, source) : [source].flat();
  if (objects.length === 0) throw new Error(`${where}: the manifest must hold at least one object, got: none`);
  for (const [index, object] of objects.entries()) checkObject(`${where}: object ${index + 1}`, object);
  return objects as readonly KubernetesObject[];
}

function parsed(where: string, text: string): readonly unknown[] {
  if (Token.isUnresolved(text)) {
    throw new Error(
      `${where}: the manifest must be known at synthesis, got: ${JSON.stringify(text)}, which only Terraform will know. ` +
        'Give an object; single values of it may come from Terraform.',
    );
  }
  const documents = [yaml().parseAllDocuments(text)].flat();
  for (const { errors } of documents) {
    const [error] = errors;
    if (error !== undefined) throw new Error(`${where}: the manifest must be YAML, got: ${error.message}`);
  }
  return documents.map((document) => document.toJS()).filter((object) => object !== null);
}

function checkObject(where: string, object: unknown): void {
  const { apiVersion, kind, metadata } = (
    typeof object === 'object' && object !== null ? object : {}
  ) as Partial<KubernetesObject>;
  if (typeof apiVersion !== 'string' || typeof kind !== 'string' || typeof metadata?.name !== 'string') {
    throw mustBe(where, 'a Kubernetes object with apiVersion, kind and metadata.name', object);
  }
}

function checkReleaseName(where: string, name: string): void {
  if (!/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(name) || name.length > nameLengthMax) {
    throw mustBe(
      `${where}: the id of a manifest`,
      `lower-case letters, digits and "-" in between, at most ${nameLengthMax} characters, because a Helm release is called like it`,
      name,
    );
  }
}
