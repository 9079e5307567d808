# A virtual cluster handed over to Argo CD: registered by a cluster Secret with a token of its own, which is in no state.
terraform {
  required_version = ">= 1.11"

  required_providers {
    vcluster = { source = "cdktf-vcluster/vcluster", version = "~> 0.1" }
  }
}

variable "name" {
  default = "team-a"
}

variable "argocd_namespace" {
  description = "Where Argo CD runs on the host."
  default     = "argocd"
}

provider "vcluster" {}

resource "vcluster_cluster" "team" {
  name   = var.name
  labels = { team = var.name }
}

# Argo CD finds it by its label and deploys into the virtual cluster from then on. The token is replaced by an apply that finds
# less than a third of its life left: apply at least every twenty days, or say how long it shall live. Its server is the `endpoint` of the
# virtual cluster, which an Application names to the letter.
resource "vcluster_kubeconfig_secret" "argocd" {
  cluster_id = vcluster_cluster.team.id
  namespace  = var.argocd_namespace
  name       = "cluster-${var.name}"
  format     = "argocd"
  labels     = { team = var.name }

  service_account = { name = "argocd-manager" }
  role            = { name = "cluster-admin" }
}

output "argocd_cluster" {
  description = "What an Application names as its destination."
  value       = vcluster_cluster.team.endpoint
}
