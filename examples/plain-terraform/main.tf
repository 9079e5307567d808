# A virtual cluster and an application in it, in one apply, without CDKTF. Terraform 1.11 or OpenTofu 1.11 and later.
terraform {
  required_version = ">= 1.11"

  required_providers {
    vcluster   = { source = "cdktf-vcluster/vcluster", version = "~> 0.1" }
    kubernetes = { source = "hashicorp/kubernetes", version = "~> 2.38" }
  }
}

variable "name" {
  description = "Name of the virtual cluster, and of the host namespace that is made for it."
  default     = "team-a"
}

variable "replicas" {
  description = "Replicas of the application."
  default     = 2
}

# On the cluster of KUBE_CONFIG_PATH or KUBECONFIG, or else of the current context.
provider "vcluster" {}

resource "vcluster_cluster" "team" {
  name               = var.name
  kubernetes_version = "1.36"

  policies = {
    pod_security_standard = "baseline"
  }
}

# Opened for the time of a command, after the virtual cluster was ready; in no plan and no state.
ephemeral "vcluster_kubeconfig" "team" {
  cluster_id = vcluster_cluster.team.id
}

provider "kubernetes" {
  alias = "team"

  # Never the host, whatever KUBE_CONFIG_PATH says.
  config_path = "/dev/null"

  host                   = ephemeral.vcluster_kubeconfig.team.host
  cluster_ca_certificate = ephemeral.vcluster_kubeconfig.team.cluster_ca_certificate
  client_certificate     = ephemeral.vcluster_kubeconfig.team.client_certificate
  client_key             = ephemeral.vcluster_kubeconfig.team.client_key
  tls_server_name        = ephemeral.vcluster_kubeconfig.team.tls_server_name

  # Or a token of the host in KUBE_TOKEN would be sent inside.
  token = coalesce(ephemeral.vcluster_kubeconfig.team.token, "unused")
}

resource "kubernetes_namespace_v1" "app" {
  provider = kubernetes.team

  metadata {
    name = "app"
  }
}

resource "kubernetes_deployment_v1" "web" {
  provider = kubernetes.team

  metadata {
    name      = "web"
    namespace = kubernetes_namespace_v1.app.metadata[0].name
  }

  spec {
    replicas = var.replicas

    selector {
      match_labels = { app = "web" }
    }

    template {
      metadata {
        labels = { app = "web" }
      }

      spec {
        termination_grace_period_seconds = 1

        container {
          name    = "httpd"
          image   = "docker.io/library/busybox:1.36"
          command = ["httpd", "-f", "-p", "8080"]

          port {
            container_port = 8080
          }
        }
      }
    }
  }
}

output "endpoint" {
  description = "Its API server, as pods of the host reach it."
  value       = vcluster_cluster.team.endpoint
}

output "version" {
  value = vcluster_cluster.team.kubernetes_version_running
}

output "web_on_the_host" {
  description = "Beginning of the names of the application's pods on the host, for dashboards there."
  value       = provider::vcluster::host_name("web", kubernetes_namespace_v1.app.metadata[0].name, vcluster_cluster.team.name)
}
