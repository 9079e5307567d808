/**
 * Resource versions are compared as numbers (spec CORE-19; officially comparable since KEP-5504). One that is no number says
 * nothing: it is taken as newer than everything, so that the object is looked at rather than dropped.
 */
export function isNewer(version: string | undefined, than: string | undefined): boolean {
  if (than === undefined || version === undefined) return true;
  if (!/^\d+$/.test(version) || !/^\d+$/.test(than)) return true;
  // Equal length, the common case, compares as text; otherwise the longer number is the larger.
  return version.length === than.length ? version > than : version.length > than.length;
}

/** Both are numbers, and the first is the smaller one. What cannot be compared is not older. */
export function isOlder(version: string, than: string): boolean {
  return version !== than && version !== '' && than !== '' && !isNewer(version, than);
}
