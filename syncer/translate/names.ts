/** Names of host objects, as the syncer's words: the rule itself is shared with provider and constructs (config/host-names.ts). */
export {
  clusterScopedHostName,
  digest,
  hostName,
  hostNameLengthMax as nameLengthMax,
  shorten,
} from '../../config/host-names.ts';
