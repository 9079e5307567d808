/**
 * Images of running containers. A host may take images from a registry of its own: what its admission has put there stays until
 * the tenant asks for another image. Setting it back would restart the container, with the image that the host did not want.
 *
 * What the tenant last asked for is kept beside what both sides agreed on about labels (translate/base.ts).
 */
import type { Container, Pod, PodSpec } from '../../model/kubernetes.ts';
import type { Metadata } from '../../model/object.ts';
import type { Host } from '../../model/side.ts';
import { agreedLines, agreedOn, baseText, isAsAgreed, linesOf } from '../../translate/base.ts';
import type { Agreed } from '../../translate/base.ts';
import { annotationKeys } from '../../translate/metadata.ts';

/** A host pod that notes which images were asked for. */
export function withImageNotes(pod: Host<Pod>): Host<Pod> {
  const { annotations } = pod.metadata;
  const text = baseText([...linesOf(annotations?.[annotationKeys.base]), ...agreedLines('image', imagesOf(pod.spec))]);
  return { ...pod, metadata: { ...pod.metadata, annotations: { ...annotations, [annotationKeys.base]: text } } };
}

/** Containers of a live host pod with the images that the tenant has asked for since; by name, as others may be among them (POD-80). */
export function withImages(
  host: readonly Container[],
  desired: readonly Container[],
  { annotations }: Metadata,
): readonly Container[] {
  const agreed = agreedOn('image', annotations?.[annotationKeys.base]);
  const wanted = new Map(desired.map(({ name, image }) => [name, image]));
  return host.map((container) => withImage(container, wanted.get(container.name), agreed));
}

function withImage(container: Container, image: string | undefined, agreed: Agreed): Container {
  return image === undefined || isAsAgreed(agreed, container.name, image) ? container : { ...container, image };
}

function imagesOf({ containers, initContainers = [] }: PodSpec): Readonly<Record<string, string>> {
  return Object.fromEntries(
    [...initContainers, ...containers].flatMap(({ name, image }) => (image === undefined ? [] : [[name, image]])),
  );
}
