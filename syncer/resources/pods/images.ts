/**
 * Images that run in place of others (option `sync.toHost.pods.translateImage`): by exact reference on the way to the host, and
 * back in the statuses of containers, so that a tenant sees the images that were asked for (POD-59, POD-93).
 */
import type { Container, ContainerStatus, PodSpec, PodStatus } from '../../model/kubernetes.ts';
import type { StringMap } from '../../model/object.ts';

type Statuses = 'containerStatuses' | 'initContainerStatuses' | 'ephemeralContainerStatuses';

/** The container with the image that runs in place of its own. */
export function translatedImage(container: Container, images: StringMap): Container {
  const { image = '' } = container;
  const other = Object.hasOwn(images, image) ? images[image] : undefined;
  return other === undefined ? container : { ...container, image: other };
}

/**
 * The status with the image of each container as its author wrote it, where the host shows the one that runs in its place. Known by
 * the container, so that it works for two images that have become one, too.
 */
export function withOwnImages(status: PodStatus, spec: PodSpec, images: StringMap): PodStatus {
  if (Object.keys(images).length === 0) return status;
  return {
    ...status,
    ...ownImages('containerStatuses', status, { containers: spec.containers, images }),
    ...ownImages('initContainerStatuses', status, { containers: spec.initContainers, images }),
    ...ownImages('ephemeralContainerStatuses', status, { containers: spec.ephemeralContainers, images }),
  };
}

interface Known {
  readonly containers: readonly Container[] | undefined;
  readonly images: StringMap;
}

function ownImages(field: Statuses, status: PodStatus, { containers = [], images }: Known): Partial<PodStatus> {
  const statuses = status[field];
  if (statuses === undefined) return {};
  const imageOf = new Map(containers.map(({ name, image }) => [name, image ?? '']));
  const shown = (container: ContainerStatus): ContainerStatus => {
    const own = imageOf.get(container.name) ?? '';
    const isOther = Object.hasOwn(images, own) && isSameImage(container['image'], images[own]);
    return isOther ? { ...container, image: own } : container;
  };
  return { [field]: statuses.map(shown) };
}

/** Runtimes put the registry and the folder in front that a short reference stands for. */
function isSameImage(shown: unknown, reference: string | undefined): boolean {
  if (typeof shown !== 'string' || reference === undefined) return false;
  return shown === reference || shown === `docker.io/${reference}` || shown === `docker.io/library/${reference}`;
}
