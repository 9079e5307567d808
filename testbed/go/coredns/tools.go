//go:build tools

// Package tools pins the cluster DNS server of the host cluster and of every virtual cluster on the testbed.
package tools

import _ "github.com/coredns/coredns"
