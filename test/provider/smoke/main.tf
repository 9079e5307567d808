# What needs no cluster: that the provider starts on this platform, speaks, and answers. CI applies it on each of them.
terraform {
  required_providers {
    vcluster = { source = "cdktf-vcluster/vcluster" }
  }
}

provider "vcluster" {}

output "host_name" {
  value = provider::vcluster::host_name("web-0", "default", "team-a")

  precondition {
    condition     = provider::vcluster::virtual_name("web-0-x-default-x-team-a").name == "web-0"
    error_message = "virtual_name() does not undo host_name()."
  }
}
