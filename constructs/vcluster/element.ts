/**
 * What all bindings of our own provider have in common: its address, and the turning of properties into attributes. Only the
 * names of attributes are turned into snake_case; the keys of a map (labels) belong to the user and stay as they are.
 */
import { createRequire } from 'node:module';
import { attributeName } from '../../config/attribute-name.ts';
import { Token } from '../terraform.ts';

const load = createRequire(import.meta.url);

/** Where Terraform gets the provider. The first part, the registry's host, is Terraform's default. */
export const providerSource = 'cdktf-vcluster/vcluster';

/** The local name that `required_providers`, resources and functions go by. */
export const providerName = 'vcluster';

/**
 * Which versions of the provider go with this package: its own and patches of that, because both come of one release and an older provider
 * may not know an attribute. A pre-release is taken by nobody who does not name it.
 */
export function providerVersions(): string {
  const { version } = load('cdktf-vcluster/package.json') as { readonly version: string };
  return version.includes('-') ? version : `~> ${version}`;
}

/** For the `terraformGeneratorMetadata` of resources: tells CDKTF which provider a resource needs. */
export const generatorMetadata: { readonly providerName: string } = { providerName };

/** Attributes as Terraform names them: `clusterId` becomes `cluster_id`. What is undefined is left out. */
export function attributesOf(properties: object, nested: readonly string[] = []): Record<string, unknown> {
  const given = Object.entries(properties).filter(([, value]) => value !== undefined);
  return Object.fromEntries(
    given.map(([key, value]) => [
      attributeName(key),
      nested.includes(key) && isPlain(value) ? attributesOf(value, nested) : value,
    ]),
  );
}

function isPlain(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !Token.isUnresolved(value);
}
