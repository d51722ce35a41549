// What a command works against: the resolved context, as plain values.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "providers/system/secret.hpp"

namespace litedesk {

enum class Backing { real, sandbox };

struct KubernetesSettings {
  Backing provider = Backing::real;
  std::string kubeconfig, context;  // empty: the usual places, the current context
  std::string cluster_id;           // the UID of the kube-system namespace; pinned when not empty
  std::string ingress_class = "nginx", ingress_namespace = "ingress-nginx";
  std::string ingress_service = "ingress-nginx-controller";
  std::map<std::string, std::string> ingress_pod_labels{{"app.kubernetes.io/name", "ingress-nginx"},
                                                        {"app.kubernetes.io/component", "controller"}};
  std::string load_balancer;          // host name or address; empty: read from the ingress controller's Service
  std::string load_balancer_connect;  // HOST:PORT or http://LOOPBACK:PORT where this machine reaches it; may be empty
  std::string issuer = "letsencrypt-prod";
  std::string certificates = "per-host";  // per-host | ingress-default
  std::vector<std::string> image_pull_secrets;
  // Ranges (CIDR) beyond the built-in ones that instances may not reach, and such that they must reach though they lie
  // in one of those.
  std::vector<std::string> egress_denied, egress_allowed;
  std::string runtime_class;  // of the pods; empty: the cluster's default
  bool read_only_root = false;
};

struct DatabaseSettings {
  Backing provider = Backing::real;
  std::string strategy = "atlas-shared";  // atlas-shared | in-cluster (later) | atlas-dedicated (later)
  std::string url = "https://cloud.mongodb.com";
  std::vector<std::string> projects;
  std::string cluster = "crm";
  std::string key_id;  // API key or service account
  Secret key_secret;
};

struct DnsSettings {
  Backing provider = Backing::real;
  std::string zone;  // id; empty: found by the domain's name
  std::string domain = "litedesk.com";
  std::string strategy = "record";  // record | wildcard | none
  std::string url;                  // of the Route 53 API; empty: as the AWS CLI finds it
};

struct ApplicationSettings {
  std::string profile = "litedesk";                // templates/app/NAME.yaml
  std::string database;                            // the rule for its name; empty: the profile's
  std::map<std::string, std::string> environment;  // optional variables of the profile that are no secrets
  std::string storage_class, access_mode;          // of its volumes; empty: the profile's, or the cluster's default
  bool check = true;                               // whether it is asked from outside once it is ready
};

struct Settings {
  std::string context;  // name; "sandbox" for the built-in one
  bool provisioning_enabled = false;
  bool auto_rollback = true;
  std::string registry = "cluster";  // cluster | sqlite:PATH
  KubernetesSettings kubernetes;
  DatabaseSettings database;
  DnsSettings dns;
  ApplicationSettings app;
  std::map<std::string, std::string, std::less<>> images;  // by component; what is not there is the profile's
  std::filesystem::path templates_folder;                  // empty: built in
  std::filesystem::path state_folder;
  std::map<std::string, std::string> environment;  // for the AWS chain and kubeconfig
};

}  // namespace litedesk
