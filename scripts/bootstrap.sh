#!/bin/sh
# bootstrap.sh [--needs=root,...] FILE.ts [ARGS]: run a program of this repository on a machine that has only
# Node and npm. Installs the npm packages when they are missing or older than package-lock.json (a suitable Node is one
# of them), checks what else is needed, then becomes that Node.
# Nothing is fetched when everything is there, so it may stand in front of every command.
set -eu

cd "$(dirname "$0")/.."

fail() {
  printf 'Error: %s\n' "$1" >&2
  printf '  %s\n' "$2" >&2
  exit 1
}

# The command that installs a prerequisite, for Debian and its kin.
need() {
  case $1 in
    npm)
      command -v npm >/dev/null || fail 'npm is needed to install the packages of this repository.' 'apt-get install -y nodejs npm'
      command -v node >/dev/null || fail 'Node is needed to run npm.' 'apt-get install -y nodejs'
      ;;
    go)
      command -v go >/dev/null || fail 'Go 1.26 is needed to build what cannot be downloaded.' \
        'curl -fsSL https://go.dev/dl/go1.26.8.linux-amd64.tar.gz | tar -C /usr/local -xz && export PATH=/usr/local/go/bin:$PATH'
      ;;
    root)
      [ "$(uname -s)" = Linux ] || [ -n "${HOST_KUBECONFIG:-}" ] || fail "A real node needs Linux, and this is $(uname -s)." \
        'Name a cluster that you have: export HOST_KUBECONFIG=/path/to/kubeconfig'
      [ "$(id -u)" = 0 ] || [ -n "${HOST_KUBECONFIG:-}" ] || fail 'A real node needs root (containers, iptables, mounts).' \
        'Run the same command with sudo -E, or name a cluster that you have: export HOST_KUBECONFIG=/path/to/kubeconfig'
      ;;
    *) fail "bootstrap.sh knows no prerequisite $1." 'It knows: npm, go, root' ;;
  esac
}

# npm writes node_modules/.package-lock.json when an installation is complete.
installed() {
  [ -x node_modules/.bin/node ] && [ -n "$(find node_modules/.package-lock.json -newer package-lock.json 2>/dev/null)" ]
}

needs=
case ${1:-} in
  --needs=*)
    needs=$(printf '%s' "${1#--needs=}" | tr ',' ' ')
    shift
    ;;
esac
[ $# -gt 0 ] || fail 'A program to run is missing.' 'sh scripts/bootstrap.sh testbed/main.ts up'

for name in npm $needs; do need "$name"; done

if ! installed; then
  echo 'Installing npm packages (npm ci): node_modules is missing or older than package-lock.json' >&2
  npm ci --no-audit --no-fund --loglevel=error >&2 || fail 'npm ci failed; its own words are above.' 'npm ci'
  # A lock file that was written later than the packages it describes must not make every run install again.
  touch node_modules/.package-lock.json
fi

PATH="$PWD/node_modules/.bin:$PATH"
export PATH
exec node "$@"
