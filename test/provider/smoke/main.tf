# What needs no cluster: that the provider starts on this platform, speaks, and answers. CI applies it on each of them.
terraform {
  required_providers {
    vcluster = { source = "cdktf-vcluster/vcluster" }
  }
}

provider "vcluster" {}

locals {
  on_host = provider::vcluster::host_name("web-0", "default", "team-a")
}

output "on_host" {
  value = local.on_host
}

output "inside" {
  value = provider::vcluster::virtual_name(local.on_host)
}
