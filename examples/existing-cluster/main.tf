# A virtual cluster that was made by Helm or by the CLI, taken into Terraform without touching it.
terraform {
  required_version = ">= 1.11"

  required_providers {
    vcluster = { source = "cdktf-vcluster/vcluster", version = "~> 0.1" }
  }
}

variable "name" {
  default = "team-a"
}

variable "namespace" {
  description = "Where its release is."
  default     = "team-a"
}

provider "vcluster" {}

# What its release has is read on import; this block may stay or go after the first apply.
import {
  to = vcluster_cluster.team
  id = "${var.namespace}/${var.name}"
}

resource "vcluster_cluster" "team" {
  name      = var.name
  namespace = var.namespace

  # The namespace was there before: it is not deleted at the end.
  namespace_lifecycle = "keep"

  # What `helm get values -o yaml` prints.
  values = [file("${path.module}/vcluster.yaml")]
}

output "phase" {
  value = vcluster_cluster.team.phase
}
