// What a new sandbox's cluster holds: as if an operator had set one up for LiteDesk.
#include <fmt/format.h>

#include "providers/sandbox/kubernetes_certificate_authority.hpp"
#include "providers/sandbox/kubernetes_cluster.hpp"
#include "providers/sandbox/kubernetes_json.hpp"
#include "providers/sandbox/kubernetes_write.hpp"

namespace litedesk::sandbox::kube {

namespace {

// Of every sandbox: contexts pin a cluster by it.
constexpr const char* kube_system_uid = "5a4db0c5-0000-4000-8000-000000000001";

Json named(const char* api_version, const char* kind, const std::string& name) {
  return {{"apiVersion", api_version}, {"kind", kind}, {"metadata", {{"name", name}}}};
}

void make_object(World& world, const char* resource, const std::string& name_space, Json object) {
  WriteOptions options;
  options.manager = "sandbox";
  create_object(world, world.kinds().get(resource), name_space, std::move(object), options);
}

void make_namespaces(World& world) {
  for (const auto* name :
       {"default", "kube-system", "kube-public", "kube-node-lease", "ingress-nginx", "cert-manager", "litedesk-system"})
    make_object(world, "namespaces", "", named("v1", "Namespace", name));
  auto system = world.get("namespaces", "", "kube-system");
  system->object["metadata"]["uid"] = kube_system_uid;
  world.put("namespaces", *system);
  auto root = named("v1", "ConfigMap", "kube-root-ca.crt");
  root["data"]["ca.crt"] = make_certificate({"sandbox-ca"}, world.now(), 3650).certificate;
  make_object(world, "configmaps", "kube-system", std::move(root));
}

void make_nodes(World& world) {
  const auto now = world.stamp();
  for (const auto& [name, address] : {std::pair{"node-1", "10.0.0.11"}, std::pair{"node-2", "10.0.0.12"}}) {
    auto node = named("v1", "Node", name);
    node["metadata"]["labels"] = {
        {"kubernetes.io/hostname", name}, {"kubernetes.io/os", "linux"}, {"kubernetes.io/arch", "amd64"}};
    make_object(world, "nodes", "", std::move(node));
    auto record = world.get("nodes", "", name);
    Json conditions = Json::array();
    for (const auto* pressure : {"MemoryPressure", "DiskPressure", "PIDPressure"})
      conditions.push_back({{"type", pressure},
                            {"status", "False"},
                            {"reason", fmt::format("KubeletHasNo{}", pressure)},
                            {"message", ""},
                            {"lastHeartbeatTime", now},
                            {"lastTransitionTime", now}});
    conditions.push_back({{"type", "Ready"},
                          {"status", "True"},
                          {"reason", "KubeletReady"},
                          {"message", "kubelet is posting ready status"},
                          {"lastHeartbeatTime", now},
                          {"lastTransitionTime", now}});
    const Json resources = {{"cpu", "64"}, {"memory", "256Gi"}, {"pods", "110"}, {"ephemeral-storage", "100Gi"}};
    world.put_status("nodes", *record,
                     {{"conditions", conditions},
                      {"capacity", resources},
                      {"allocatable", resources},
                      {"addresses", Json::array({{{"type", "InternalIP"}, {"address", address}},
                                                 {{"type", "Hostname"}, {"address", name}}})},
                      {"daemonEndpoints", {{"kubeletEndpoint", {{"Port", 10250}}}}},
                      {"nodeInfo",
                       {{"architecture", "amd64"},
                        {"operatingSystem", "linux"},
                        {"osImage", "litedesk sandbox"},
                        {"kernelVersion", "sandbox"},
                        {"kubeletVersion", "v1.36.3"},
                        {"kubeProxyVersion", ""},
                        {"containerRuntimeVersion", "sandbox://1"},
                        {"machineID", name},
                        {"systemUUID", name},
                        {"bootID", name}}}});
  }
}

void make_ingress_controller(World& world) {
  auto ingress_class = named("networking.k8s.io/v1", "IngressClass", "nginx");
  ingress_class["spec"]["controller"] = "k8s.io/ingress-nginx";
  make_object(world, "ingressclasses.networking.k8s.io", "", std::move(ingress_class));

  const Json labels = {{"app.kubernetes.io/name", "ingress-nginx"},
                       {"app.kubernetes.io/instance", "ingress-nginx"},
                       {"app.kubernetes.io/component", "controller"}};
  auto service = named("v1", "Service", "ingress-nginx-controller");
  service["metadata"]["labels"] = labels;
  service["spec"] = {{"type", "LoadBalancer"},
                     {"externalTrafficPolicy", "Local"},
                     {"selector", labels},
                     {"ports", Json::array({{{"name", "http"}, {"port", 80}, {"targetPort", "http"}},
                                            {{"name", "https"}, {"port", 443}, {"targetPort", "https"}}})}};
  make_object(world, "services", "ingress-nginx", std::move(service));
  auto record = world.get("services", "ingress-nginx", "ingress-nginx-controller");
  world.put_status("services", *record,
                   {{"loadBalancer", {{"ingress", Json::array({{{"hostname", load_balancer}}})}}}});

  auto deployment = named("apps/v1", "Deployment", "ingress-nginx-controller");
  deployment["metadata"]["labels"] = labels;
  deployment["spec"] = {
      {"selector", {{"matchLabels", labels}}},
      {"template",
       {{"metadata", {{"labels", labels}}},
        {"spec",
         {{"containers", Json::array({{{"name", "controller"},
                                       {"image", "registry.k8s.io/ingress-nginx/controller:v1.14.0"},
                                       {"ports", Json::array({{{"name", "http"}, {"containerPort", 80}},
                                                              {{"name", "https"}, {"containerPort", 443}}})}}})}}}}}};
  make_object(world, "deployments.apps", "ingress-nginx", std::move(deployment));
}

void make_storage(World& world) {
  auto storage = named("storage.k8s.io/v1", "StorageClass", "standard");
  storage["metadata"]["annotations"]["storageclass.kubernetes.io/is-default-class"] = "true";
  storage["provisioner"] = "sandbox.litedesk.io/volumes";
  storage["allowVolumeExpansion"] = true;
  make_object(world, "storageclasses.storage.k8s.io", "", std::move(storage));
}

void make_definition(World& world, const std::string& group, const char* kind, const char* plural, const char* singular,
                     const std::vector<std::string>& short_names, bool cluster_wide, Json columns) {
  auto definition = named("apiextensions.k8s.io/v1", "CustomResourceDefinition", fmt::format("{}.{}", plural, group));
  definition["metadata"]["labels"] = {{"app.kubernetes.io/name", "cert-manager"},
                                      {"app.kubernetes.io/version", "v1.21.2"}};
  columns.push_back({{"name", "Age"}, {"type", "date"}, {"jsonPath", ".metadata.creationTimestamp"}});
  definition["spec"] = {
      {"group", group},
      {"scope", cluster_wide ? "Cluster" : "Namespaced"},
      {"names",
       {{"kind", kind},
        {"plural", plural},
        {"singular", singular},
        {"shortNames", short_names},
        {"categories", {"cert-manager"}}}},
      {"versions",
       Json::array({{{"name", "v1"},
                     {"served", true},
                     {"storage", true},
                     {"subresources", {{"status", Json::object()}}},
                     {"additionalPrinterColumns", columns},
                     {"schema",
                      {{"openAPIV3Schema", {{"type", "object"}, {"x-kubernetes-preserve-unknown-fields", true}}}}}}})}};
  if (short_names.empty()) definition["spec"]["names"].erase("shortNames");
  make_object(world, "customresourcedefinitions.apiextensions.k8s.io", "", std::move(definition));
}

Json column(const char* name, const char* path, int priority = 0) {
  Json result = {{"name", name}, {"type", "string"}, {"jsonPath", path}};
  if (priority > 0) result["priority"] = priority;
  return result;
}

void make_certificate_definitions(World& world) {
  const auto ready = column("Ready", ".status.conditions[?(@.type==\"Ready\")].status");
  const auto status = column("Status", ".status.conditions[?(@.type==\"Ready\")].message", 1);
  const std::string group = "cert-manager.io";
  make_definition(
      world, group, "Certificate", "certificates", "certificate", {"cert", "certs"}, false,
      Json::array({ready, column("Secret", ".spec.secretName"), column("Issuer", ".spec.issuerRef.name", 1), status}));
  make_definition(
      world, group, "CertificateRequest", "certificaterequests", "certificaterequest", {"cr", "crs"}, false,
      Json::array({column("Approved", ".status.conditions[?(@.type==\"Approved\")].status"),
                   column("Denied", ".status.conditions[?(@.type==\"Denied\")].status"), ready,
                   column("Issuer", ".spec.issuerRef.name"), column("Requester", ".spec.username"), status}));
  make_definition(world, group, "ClusterIssuer", "clusterissuers", "clusterissuer", {"ciss"}, true,
                  Json::array({ready, status}));
  make_definition(world, group, "Issuer", "issuers", "issuer", {"iss"}, false, Json::array({ready, status}));
  make_definition(world, "acme." + group, "Order", "orders", "order", {}, false,
                  Json::array({column("State", ".status.state")}));
  make_definition(world, "acme." + group, "Challenge", "challenges", "challenge", {}, false,
                  Json::array({column("State", ".status.state"), column("Domain", ".spec.dnsName"),
                               column("Reason", ".status.reason", 1)}));
}

void make_issuer(World& world) {
  auto issuer = named("cert-manager.io/v1", "ClusterIssuer", "letsencrypt-prod");
  issuer["spec"]["acme"] = {{"email", "ops@example.com"},
                            {"server", "https://acme-v02.api.letsencrypt.org/directory"},
                            {"privateKeySecretRef", {{"name", "letsencrypt-prod"}}},
                            {"solvers", Json::array({{{"http01", {{"ingress", {{"ingressClassName", "nginx"}}}}}}})}};
  make_object(world, "clusterissuers.cert-manager.io", "", std::move(issuer));
}

void make_roles(World& world) {
  auto role = named("rbac.authorization.k8s.io/v1", "ClusterRole", "cluster-admin");
  role["rules"] = Json::array(
      {{{"apiGroups", {"*"}}, {"resources", {"*"}}, {"verbs", {"*"}}}, {{"nonResourceURLs", {"*"}}, {"verbs", {"*"}}}});
  make_object(world, "clusterroles.rbac.authorization.k8s.io", "", std::move(role));
  auto binding = named("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "cluster-admin");
  binding["roleRef"] = {{"apiGroup", "rbac.authorization.k8s.io"}, {"kind", "ClusterRole"}, {"name", "cluster-admin"}};
  binding["subjects"] =
      Json::array({{{"apiGroup", "rbac.authorization.k8s.io"}, {"kind", "Group"}, {"name", "system:masters"}}});
  make_object(world, "clusterrolebindings.rbac.authorization.k8s.io", "", std::move(binding));
}

void make_api_service(World& world) {
  auto service = named("v1", "Service", "kubernetes");
  service["metadata"]["labels"] = {{"component", "apiserver"}, {"provider", "kubernetes"}};
  service["spec"] = {{"clusterIP", "10.96.0.1"},
                     {"ports", Json::array({{{"name", "https"}, {"port", 443}, {"targetPort", 6443}}})}};
  make_object(world, "services", "default", std::move(service));
}

}  // namespace

void seed_cluster(Cluster& cluster) {
  const auto absent = [&] { return !cluster.state().get("kubernetes/namespaces", "", "kube-system"); };
  if (!absent()) return;
  cluster.write([&](World& world) {
    if (!absent()) return;  // another process was first
    make_namespaces(world);
    make_nodes(world);
    make_storage(world);
    make_ingress_controller(world);
    make_roles(world);
    make_api_service(world);
    make_certificate_definitions(world);
  });
  // The kinds that were defined are served from now on.
  cluster.write([&](World& world) {
    if (!world.get("clusterissuers.cert-manager.io", "", "letsencrypt-prod")) make_issuer(world);
  });
}

}  // namespace litedesk::sandbox::kube
