#include "providers/sandbox/kubernetes_kinds.hpp"

#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>

#include "providers/read_json.hpp"
#include "providers/sandbox/kubernetes_json.hpp"

namespace litedesk::sandbox::kube {

namespace {

enum Traits : unsigned { cluster = 1, status = 2, scale = 4, generation = 8, in_all = 16, one_by_one = 32 };

struct Builtin {
  const char* group;
  const char* version;
  const char* kind;
  const char* plural;
  const char* singular;
  const char* short_names;  // with commas
  unsigned traits;
};

constexpr Builtin builtins[] = {
    {"", "v1", "ConfigMap", "configmaps", "configmap", "cm", 0},
    {"", "v1", "Endpoints", "endpoints", "endpoints", "ep", 0},
    {"", "v1", "Event", "events", "event", "ev", 0},
    {"", "v1", "LimitRange", "limitranges", "limitrange", "limits", 0},
    {"", "v1", "Namespace", "namespaces", "namespace", "ns", cluster | status | one_by_one},
    {"", "v1", "Node", "nodes", "node", "no", cluster | status},
    {"", "v1", "PersistentVolumeClaim", "persistentvolumeclaims", "persistentvolumeclaim", "pvc", status},
    {"", "v1", "Pod", "pods", "pod", "po", status | generation | in_all},
    {"", "v1", "ResourceQuota", "resourcequotas", "resourcequota", "quota", status},
    {"", "v1", "Secret", "secrets", "secret", "", 0},
    {"", "v1", "Service", "services", "service", "svc", status | in_all},
    {"", "v1", "ServiceAccount", "serviceaccounts", "serviceaccount", "sa", 0},
    {"admissionregistration.k8s.io", "v1", "MutatingWebhookConfiguration", "mutatingwebhookconfigurations",
     "mutatingwebhookconfiguration", "", cluster | generation},
    {"admissionregistration.k8s.io", "v1", "ValidatingWebhookConfiguration", "validatingwebhookconfigurations",
     "validatingwebhookconfiguration", "", cluster | generation},
    {"apps", "v1", "ControllerRevision", "controllerrevisions", "controllerrevision", "", 0},
    {"apps", "v1", "Deployment", "deployments", "deployment", "deploy", status | scale | generation | in_all},
    {"apps", "v1", "ReplicaSet", "replicasets", "replicaset", "rs", status | scale | generation | in_all},
    {"apps", "v1", "StatefulSet", "statefulsets", "statefulset", "sts", status | scale | generation | in_all},
    {"autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", "horizontalpodautoscaler", "hpa",
     status | in_all},
    {"batch", "v1", "Job", "jobs", "job", "", status | generation | in_all},
    {"coordination.k8s.io", "v1", "Lease", "leases", "lease", "", 0},
    {"discovery.k8s.io", "v1", "EndpointSlice", "endpointslices", "endpointslice", "", generation},
    {"networking.k8s.io", "v1", "IngressClass", "ingressclasses", "ingressclass", "", cluster | generation},
    {"networking.k8s.io", "v1", "Ingress", "ingresses", "ingress", "ing", status | generation},
    {"networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies", "networkpolicy", "netpol", generation},
    {"policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets", "poddisruptionbudget", "pdb", status | generation},
    {"rbac.authorization.k8s.io", "v1", "ClusterRoleBinding", "clusterrolebindings", "clusterrolebinding", "", cluster},
    {"rbac.authorization.k8s.io", "v1", "ClusterRole", "clusterroles", "clusterrole", "", cluster},
    {"rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings", "rolebinding", "", 0},
    {"rbac.authorization.k8s.io", "v1", "Role", "roles", "role", "", 0},
    {"storage.k8s.io", "v1", "StorageClass", "storageclasses", "storageclass", "sc", cluster},
    {"apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", "customresourcedefinition",
     "crd,crds", cluster | status | generation},
};

std::vector<std::string> texts(const Json& list) {
  std::vector<std::string> result;
  if (list.is_array())
    for (const auto& item : list) result.push_back(plain(item));
  return result;
}

std::vector<std::string> split(std::string_view names) {
  std::vector<std::string> result;
  while (!names.empty()) {
    const auto comma = std::min(names.find(','), names.size());
    result.emplace_back(names.substr(0, comma));
    names.remove_prefix(std::min(comma + 1, names.size()));
  }
  return result;
}

std::vector<Column> columns_of(const Json& version) {
  std::vector<Column> columns;
  const auto& given = at(version, "additionalPrinterColumns");
  if (!given.is_array()) {
    columns.push_back({"Age", "date", "", 0, ".metadata.creationTimestamp"});
    return columns;
  }
  for (const auto& item : given)
    columns.push_back({text(item, "name"), text(item, "type"), text(item, "format"),
                       whole_number<int>(at(item, "priority")).value_or(0), text(item, "jsonPath")});
  return columns;
}

}  // namespace

std::string Kind::api_version() const {
  return group.empty() ? version : fmt::format("{}/{}", group, version);
}
std::string Kind::resource() const {
  return group.empty() ? plural : fmt::format("{}.{}", plural, group);
}
std::string Kind::collection() const {
  return std::string(collection_prefix) + resource();
}

std::vector<std::string> Kind::verbs() const {
  if (!collection_delete) return {"create", "delete", "get", "list", "patch", "update", "watch"};
  return {"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"};
}

Kinds::Kinds(const std::vector<Json>& definitions) {
  add_builtins();
  for (const auto& definition : definitions) add_definition(definition);
  for (const auto& kind : kinds_) {
    by_path_.emplace(fmt::format("{}/{}/{}", kind->group, kind->version, kind->plural), kind.get());
    by_resource_.emplace(kind->resource(), kind.get());
  }
}

void Kinds::add_builtins() {
  for (const auto& row : builtins) {
    auto& kind = *kinds_.emplace_back(std::make_unique<Kind>());
    kind.group = row.group;
    kind.version = row.version;
    kind.kind = row.kind;
    kind.plural = row.plural;
    kind.singular = row.singular;
    kind.short_names = split(row.short_names);
    if ((row.traits & in_all) != 0) kind.categories = {"all"};
    kind.namespaced = (row.traits & cluster) == 0;
    kind.status = (row.traits & status) != 0;
    kind.scale = (row.traits & scale) != 0;
    kind.generation = (row.traits & generation) != 0;
    kind.collection_delete = (row.traits & one_by_one) == 0;
    kind.schema = &builtin_schema(row.kind);
  }
}

void Kinds::add_definition(const Json& definition) {
  const auto& names = at(definition, "spec.names");
  const auto& versions = at(definition, "spec.versions");
  if (!versions.is_array()) return;
  for (const auto& version : versions) {
    if (!flag(version, "served")) continue;
    auto& kind = *kinds_.emplace_back(std::make_unique<Kind>());
    kind.custom = true;
    kind.generation = true;
    kind.group = text(definition, "spec.group");
    kind.version = text(version, "name");
    kind.kind = text(names, "kind");
    kind.plural = text(names, "plural");
    kind.singular = text(names, "singular");
    kind.short_names = texts(at(names, "shortNames"));
    kind.categories = texts(at(names, "categories"));
    kind.namespaced = text(definition, "spec.scope") != "Cluster";
    kind.status = at(version, "subresources.status").is_object();
    kind.columns = columns_of(version);
    if (const auto& paths = at(version, "subresources.scale"); paths.is_object()) {
      kind.scale = true;
      kind.scale_paths = {text(paths, "specReplicasPath"), text(paths, "statusReplicasPath"),
                          text(paths, "labelSelectorPath")};
    }
    const auto& open_api = at(version, "schema.openAPIV3Schema");
    if (kind.group.ends_with("cert-manager.io") && flag(open_api, "x-kubernetes-preserve-unknown-fields")) {
      kind.schema = &builtin_schema(kind.kind);  // the sandbox's own definitions: their types are in the table
    } else {
      kind.custom_schema = std::make_shared<const CustomSchema>(open_api);
      kind.schema = &kind.custom_schema->root();
    }
  }
}

const Kind* Kinds::find(std::string_view group, std::string_view version, std::string_view plural) const {
  const auto found = by_path_.find(fmt::format("{}/{}/{}", group, version, plural));
  return found == by_path_.end() ? nullptr : found->second;
}

const Kind* Kinds::by_kind(std::string_view api_version, std::string_view kind) const {
  for (const auto& known : kinds_)
    if (known->kind == kind && known->api_version() == api_version) return known.get();
  return nullptr;
}

const Kind& Kinds::get(std::string_view resource) const {
  const auto found = by_resource_.find(resource);
  if (found == by_resource_.end()) throw std::logic_error("no kind " + std::string(resource));
  return *found->second;
}

const Kind* Kinds::by_collection(std::string_view collection) const {
  if (!collection.starts_with(collection_prefix)) return nullptr;
  const auto found = by_resource_.find(collection.substr(collection_prefix.size()));
  return found == by_resource_.end() ? nullptr : found->second;
}

bool Kinds::serves_group(std::string_view group) const {
  for (const auto& kind : kinds_)
    if (kind->group == group) return true;
  return false;
}

}  // namespace litedesk::sandbox::kube
