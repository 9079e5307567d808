/**
 * Configuration of the virtual API server's own admission: the Pod Security Standard that namespaces without a label of their own
 * get. A tenant is told at `kubectl apply` what the syncer would refuse anyway (spec POD-160, POD-162), and no namespace needs a
 * label for it. Labels of a namespace count before it; the syncer's policy does not ask for them.
 */
import type { SecurityLevel } from '../model/pod-rules.ts';

/** The file for `--admission-control-config-file`. */
export function admissionConfiguration(level: SecurityLevel): string {
  return [
    'apiVersion: apiserver.config.k8s.io/v1',
    'kind: AdmissionConfiguration',
    'plugins:',
    '- name: PodSecurity',
    '  configuration:',
    '    apiVersion: pod-security.admission.config.k8s.io/v1',
    '    kind: PodSecurityConfiguration',
    '    defaults:',
    `      enforce: ${level}`,
    '      enforce-version: latest',
    `      warn: ${level}`,
    '      warn-version: latest',
    '',
  ].join('\n');
}
