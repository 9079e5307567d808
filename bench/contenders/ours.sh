#!/bin/sh
# The syncer of this repository as a contender: see bench/README.md for the environment.
set -eu

# What its command `pki` would have left in the pod.
pki=$BENCH_DIR/pki
mkdir -p "$pki"
cp "$BENCH_VIRTUAL_KUBECONFIG" "$pki/kubeconfig"
cp "$BENCH_VIRTUAL_CA_CERT" "$pki/ca.crt"
cp "$BENCH_VIRTUAL_CA_KEY" "$pki/ca.key"
cp "$BENCH_VIRTUAL_CA_CERT" "$pki/kubelet-ca.crt"

# shellcheck disable=SC2086 # a list of flags
exec "$NODE" $NODE_FLAGS --import "$BENCH_NODE_IMPORT" "$PROGRAM" run \
  --name="$BENCH_NAME" \
  --namespace="$BENCH_NAMESPACE" \
  --pki="$pki" \
  --host-kubeconfig="$BENCH_HOST_KUBECONFIG" \
  --egress-socket="$BENCH_EGRESS_SOCKET" \
  --workload-service-account="$BENCH_WORKLOAD_SERVICE_ACCOUNT" \
  --kubernetes-version="$BENCH_KUBERNETES_VERSION" \
  --coredns-image=registry.k8s.io/coredns/coredns:v1.13.1 \
  --health-port="$BENCH_PORT" \
  --log-level="${BENCH_LOG_LEVEL:-info}"
