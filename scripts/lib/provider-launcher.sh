#!/bin/sh
':' /*
# One file that is a shell script and JavaScript: sh comes here, finds a Node and hands the file to it; for Node all of this is a
# comment. One file, because Terraform's lock is a hash over the package: what was checked is all that is run. Options of Node
# from outside (NODE_OPTIONS, NODE_PATH) would load other code, so they are dropped; VCLUSTER_NODE_OPTIONS stands in.

# A Node that was there at the installation, tried before PATH; empty in a release.
installed_node=''

suits() {
  version=${1#v}
  major=${version%%.*}
  rest=${version#*.}
  minor=${rest%%.*}
  case ${major:-x}${minor:-x} in *[!0-9]*) return 1 ;; esac
  [ "$major" -gt 22 ] || { [ "$major" -eq 22 ] && [ "$minor" -ge 19 ]; }
}

# Becomes Node $1 with the other arguments when that is a Node, and new enough; otherwise remembers what it was.
try() {
  node=$1
  shift
  [ -x "$node" ] && [ ! -d "$node" ] || return 0
  found=$(NODE_OPTIONS='' "$node" --version 2>/dev/null) || found='no Node'
  if ! suits "$found"; then
    seen="$seen${seen:+, }$node is $found"
    return 0
  fi
  unset NODE_PATH
  export NODE_OPTIONS="${VCLUSTER_NODE_OPTIONS-}"
  # What V8 compiled at the last start, kept in the user's own folder: a quarter of the start. Node checks it against this file.
  cache=${VCLUSTER_CACHE:-${XDG_CACHE_HOME:-${HOME:+$HOME/.cache}}/cdktf-vcluster}
  case $cache in /cdktf-vcluster) ;; *) export NODE_COMPILE_CACHE="$cache/compiled" ;; esac
  # By require and not as the main program: a package.json with "type": "module" above this file must not matter.
  exec "$node" -e 'require(process.argv[1])' -- "$file" "$@"
}

# Terraform shows the first line of standard output when the handshake fails; a person reads standard error.
fail() {
  if [ -n "${TF_PLUGIN_MAGIC_COOKIE-}" ]; then printf '%s\n' "$1"; else printf 'Error: %s\n' "$1" >&2; fi
  exit 1
}

main() {
  seen=''
  case $0 in /*) file=$0 ;; *) file=$PWD/$0 ;; esac
  if [ -n "${VCLUSTER_NODE-}" ]; then
    try "$VCLUSTER_NODE" "$@"
    fail "The provider vcluster is written in TypeScript and needs Node 22.19 or later. VCLUSTER_NODE names $VCLUSTER_NODE, which cannot be used${seen:+ ($seen)}. Correct or unset VCLUSTER_NODE and run the command again."
  fi
  try "$installed_node" "$@"
  set -f
  IFS=:
  for folder in $PATH; do try "$folder/node" "$@"; done
  fail "The provider vcluster is written in TypeScript and needs Node 22.19 or later; PATH has ${seen:-no Node}. Install Node 24 (https://nodejs.org), or set VCLUSTER_NODE to the path of one that you have, or install the provider as a single executable, which needs no Node, and run the command again."
}

main "$@"
*/
