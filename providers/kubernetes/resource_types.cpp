// The kinds that this tool knows, as `kubectl api-resources` names them.
#include <algorithm>
#include <array>
#include <cctype>

#include "providers/error.hpp"
#include "providers/kubernetes/object.hpp"

namespace litedesk::kubernetes {

namespace {

struct KnownType {
  ResourceType type;
  std::string_view short_names;  // separated by spaces
};

constexpr bool cluster_wide = false;

const auto& known_types() {
  static const auto types = std::to_array<KnownType>({
      {{"", "v1", "Namespace", "namespaces", cluster_wide}, "ns"},
      {{"", "v1", "Node", "nodes", cluster_wide}, "no"},
      {{"", "v1", "PersistentVolume", "persistentvolumes", cluster_wide}, "pv"},
      {{"", "v1", "ConfigMap", "configmaps"}, "cm"},
      {{"", "v1", "Endpoints", "endpoints"}, "ep"},
      {{"", "v1", "Event", "events"}, "ev"},
      {{"", "v1", "LimitRange", "limitranges"}, "limits"},
      {{"", "v1", "PersistentVolumeClaim", "persistentvolumeclaims"}, "pvc"},
      {{"", "v1", "Pod", "pods"}, "po"},
      {{"", "v1", "ResourceQuota", "resourcequotas"}, "quota"},
      {{"", "v1", "Secret", "secrets"}, ""},
      {{"", "v1", "Service", "services"}, "svc"},
      {{"", "v1", "ServiceAccount", "serviceaccounts"}, "sa"},
      {{"apps", "v1", "ControllerRevision", "controllerrevisions"}, ""},
      {{"apps", "v1", "DaemonSet", "daemonsets"}, "ds"},
      {{"apps", "v1", "Deployment", "deployments"}, "deploy"},
      {{"apps", "v1", "ReplicaSet", "replicasets"}, "rs"},
      {{"apps", "v1", "StatefulSet", "statefulsets"}, "sts"},
      {{"batch", "v1", "CronJob", "cronjobs"}, "cj"},
      {{"batch", "v1", "Job", "jobs"}, ""},
      {{"networking.k8s.io", "v1", "Ingress", "ingresses"}, "ing"},
      {{"networking.k8s.io", "v1", "IngressClass", "ingressclasses", cluster_wide}, ""},
      {{"networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies"}, "netpol"},
      {{"policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets"}, "pdb"},
      {{"autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers"}, "hpa"},
      {{"rbac.authorization.k8s.io", "v1", "ClusterRole", "clusterroles", cluster_wide}, ""},
      {{"rbac.authorization.k8s.io", "v1", "ClusterRoleBinding", "clusterrolebindings", cluster_wide}, ""},
      {{"rbac.authorization.k8s.io", "v1", "Role", "roles"}, ""},
      {{"rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings"}, ""},
      {{"storage.k8s.io", "v1", "StorageClass", "storageclasses", cluster_wide}, "sc"},
      {{"scheduling.k8s.io", "v1", "PriorityClass", "priorityclasses", cluster_wide}, "pc"},
      {{"coordination.k8s.io", "v1", "Lease", "leases"}, ""},
      {{"discovery.k8s.io", "v1", "EndpointSlice", "endpointslices"}, ""},
      {{"apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", cluster_wide},
       "crd crds"},
      {{"admissionregistration.k8s.io", "v1", "MutatingWebhookConfiguration", "mutatingwebhookconfigurations",
        cluster_wide},
       ""},
      {{"admissionregistration.k8s.io", "v1", "ValidatingWebhookConfiguration", "validatingwebhookconfigurations",
        cluster_wide},
       ""},
      {{"apiregistration.k8s.io", "v1", "APIService", "apiservices", cluster_wide}, ""},
      {{"authorization.k8s.io", "v1", "SelfSubjectAccessReview", "selfsubjectaccessreviews", cluster_wide}, ""},
      {{"authorization.k8s.io", "v1", "SelfSubjectRulesReview", "selfsubjectrulesreviews", cluster_wide}, ""},
      {{"authentication.k8s.io", "v1", "SelfSubjectReview", "selfsubjectreviews", cluster_wide}, ""},
      {{"cert-manager.io", "v1", "Certificate", "certificates"}, "cert certs"},
      {{"cert-manager.io", "v1", "CertificateRequest", "certificaterequests"}, "cr crs"},
      {{"cert-manager.io", "v1", "ClusterIssuer", "clusterissuers", cluster_wide}, ""},
      {{"cert-manager.io", "v1", "Issuer", "issuers"}, ""},
      {{"acme.cert-manager.io", "v1", "Challenge", "challenges"}, ""},
      {{"acme.cert-manager.io", "v1", "Order", "orders"}, ""},
      {{"gateway.networking.k8s.io", "v1", "Gateway", "gateways"}, "gtw"},
      {{"gateway.networking.k8s.io", "v1", "GatewayClass", "gatewayclasses", cluster_wide}, "gc"},
      {{"gateway.networking.k8s.io", "v1", "HTTPRoute", "httproutes"}, ""},
      {{"litedesk.io", "v1alpha1", "HostClaim", "hostclaims", cluster_wide}, ""},
      {{"litedesk.io", "v1alpha1", "Tenant", "tenants", cluster_wide}, "tn"},
  });
  return types;
}

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

bool has_word(std::string_view words, std::string_view word) {
  while (!words.empty()) {
    const auto space = words.find(' ');
    if (words.substr(0, space) == word) return true;
    if (space == std::string_view::npos) break;
    words.remove_prefix(space + 1);
  }
  return false;
}

}  // namespace

const ResourceType& type_of(std::string_view api_version, std::string_view kind) {
  for (const auto& known : known_types())
    if (known.type.kind == kind && known.type.api_version() == api_version) return known.type;
  std::string hint;
  for (const auto& known : known_types())
    if (known.type.kind == kind) hint = "known is " + known.type.kind + " in " + known.type.api_version();
  throw ValidationError(
      {.message = "unknown kind \"" + std::string(kind) + "\" in apiVersion \"" + std::string(api_version) + "\"",
       .hint = hint});
}

std::vector<ResourceType> namespaced_types() {
  std::vector<ResourceType> types;
  for (const auto& known : known_types())
    if (known.type.namespaced) types.push_back(known.type);
  return types;
}

const ResourceType* find_type(std::string_view name) {
  const auto wanted = lower(name);
  if (wanted.empty()) return nullptr;
  // The singular of each of these is its kind in lower case.
  for (const auto& known : known_types())
    if (lower(known.type.kind) == wanted || known.type.plural == wanted || has_word(known.short_names, wanted))
      return &known.type;
  return nullptr;
}

}  // namespace litedesk::kubernetes
