//go:build tools

// Package tools pins OpenTofu, with which the provider is tried as well as with Terraform.
package tools

import _ "github.com/opentofu/opentofu/cmd/tofu"
