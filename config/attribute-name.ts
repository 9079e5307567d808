/** How an option is called in Terraform. Pure. */

/** `storageClassName` as `storage_class_name`, `podCIDR` as `pod_cidr`. */
export function attributeName(key: string): string {
  return key
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1_$2')
    .toLowerCase();
}
