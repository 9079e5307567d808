#!/bin/sh
# The naive baseline as a contender: see bench/README.md for the environment.
set -eu
# shellcheck disable=SC2086 # a list of flags
exec "$NODE" $NODE_FLAGS --import "$BENCH_NODE_IMPORT" "$PROGRAM"
