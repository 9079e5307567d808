//go:build tools

// Package tools pins the Terraform that is built where its release cannot be downloaded.
package tools

import _ "github.com/hashicorp/terraform"
