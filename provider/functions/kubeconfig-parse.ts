/** `provider::vcluster::kubeconfig_parse(text)`: the parts of a kubeconfig, under the names that providers take them by. */
import { textOf } from '../../operations/errors.ts';
import { parseKubeconfig } from '../../operations/parse-kubeconfig.ts';
import { object } from '../framework/attributes.ts';
import { ArgumentError, defineFunction } from '../framework/function.ts';
import type { FunctionType } from '../framework/function.ts';

export const kubeconfigParse: FunctionType = defineFunction({
  name: 'kubeconfig_parse',
  summary: 'Takes a kubeconfig apart',
  doc:
    'Returns what the current context of a kubeconfig (YAML or JSON) says, as an object with the arguments of the providers ' +
    '`kubernetes` and `helm`: `host`, `cluster_ca_certificate`, `client_certificate`, `client_key`, `token`, `tls_server_name`, ' +
    '`insecure`; and `context` and `namespace`. Certificates and keys are PEM texts. What the kubeconfig does not say is null. ' +
    'Files are not read and programs are not run: a kubeconfig with paths must be flattened first (`kubectl config view --raw ' +
    '--flatten`), and what a program (`exec`) or a token file would give is null. The result is as sensitive as the argument; where it is kept in a state, so are the keys: prefer the ephemeral ' +
    'resource `vcluster_kubeconfig`, which leaves nothing behind.',
  example: [
    'locals {',
    '  inner = provider::vcluster::kubeconfig_parse(file("inner.kubeconfig"))',
    '}',
    '',
    'provider "kubernetes" {',
    '  alias                  = "inner"',
    '  config_path            = "/dev/null"',
    '  host                   = local.inner.host',
    '  cluster_ca_certificate = local.inner.cluster_ca_certificate',
    '  client_certificate     = local.inner.client_certificate',
    '  client_key             = local.inner.client_key',
    '}',
  ].join('\n'),
  parameters: [{ name: 'text', type: 'string', doc: 'The kubeconfig itself, not its path.' }],
  returns: object({
    context: 'string',
    host: 'string',
    cluster_ca_certificate: 'string',
    client_certificate: 'string',
    client_key: 'string',
    token: 'string',
    tls_server_name: 'string',
    insecure: 'bool',
    namespace: 'string',
  }),
  run: (text) => {
    const parsed = parsedArgument(text);
    return {
      context: parsed.context,
      host: parsed.server,
      cluster_ca_certificate: parsed.certificateAuthority ?? null,
      client_certificate: parsed.certificate ?? null,
      client_key: parsed.key ?? null,
      token: parsed.token ?? null,
      tls_server_name: parsed.serverName ?? null,
      insecure: parsed.insecure,
      namespace: parsed.namespace ?? null,
    };
  },
});

function parsedArgument(text: string): ReturnType<typeof parseKubeconfig> {
  try {
    return parseKubeconfig(text);
  } catch (error) {
    throw new ArgumentError(0, `the text of a kubeconfig is needed, but ${textOf(error)}`, { cause: error });
  }
}
