/**
 * What a virtual cluster may be called.
 *
 * The name is a Service, a StatefulSet and a label value on the host, so the narrowest of their rules counts. The chart
 * applies the same rules in templates/validation.yaml. Pure.
 */

/** A StatefulSet's pods carry the label `controller-revision-hash: <name>-<10 characters>`, and a label value ends at 63. */
export const nameLengthMax = 52;

/** What is wrong with the name of a virtual cluster, in words; undefined when it can be used. */
export function nameProblem(name: string): string | undefined {
  if (name.length > nameLengthMax) {
    return (
      `The name "${name}" has ${name.length} characters; a virtual cluster's name has at most ${nameLengthMax}, because ` +
      'labels of its pod are made from it. Choose a shorter one.'
    );
  }
  if (!/^[a-z]([-a-z0-9]*[a-z0-9])?$/.test(name)) {
    return (
      `The name "${name}" cannot be used; a virtual cluster's name consists of lower-case letters, digits and "-", ` +
      'begins with a letter and does not end with "-". Choose another one.'
    );
  }
  return undefined;
}
