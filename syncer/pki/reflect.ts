/**
 * The three functions of the decorator metadata proposal that the container inside @peculiar/x509 asks for when it loads.
 *
 * Must be imported before that package. Kept here rather than as a dependency because it is all of the polyfill that is
 * used; a polyfill that is loaded already is left alone.
 */
type Metadata = Map<unknown, unknown>;

const metadataOf = new WeakMap<object, Metadata>();
const read = (key: unknown, target: object): unknown => metadataOf.get(target)?.get(key);
const reflect = Reflect as { getMetadata?: unknown };

if (reflect.getMetadata === undefined) {
  Object.assign(Reflect, {
    getMetadata: read,
    getOwnMetadata: read,
    defineMetadata: (key: unknown, value: unknown, target: object): void => {
      const metadata: Metadata = metadataOf.get(target) ?? new Map();
      metadataOf.set(target, metadata.set(key, value));
    },
  });
}
