#include <fmt/format.h>

#include "providers/sandbox/kubernetes_admission.hpp"
#include "providers/sandbox/kubernetes_json.hpp"

namespace litedesk::sandbox::kube {

namespace {

void preset(Json& object, const char* key, Json value) {
  if (!object.contains(key) || object[key].is_null()) object[key] = std::move(value);
}

void probe_defaults(Json& container, const char* name) {
  if (!container.contains(name)) return;
  auto& probe = container[name];
  preset(probe, "timeoutSeconds", 1);
  preset(probe, "periodSeconds", 10);
  preset(probe, "successThreshold", 1);
  preset(probe, "failureThreshold", 3);
  if (probe.contains("httpGet")) {
    preset(probe["httpGet"], "path", "/");
    preset(probe["httpGet"], "scheme", "HTTP");
  }
}

bool untagged_or_latest(const std::string& image) {
  const auto slash = image.rfind('/');
  const auto name = slash == std::string::npos ? image : image.substr(slash + 1);
  if (name.find('@') != std::string::npos) return false;
  const auto colon = name.find(':');
  return colon == std::string::npos || name.substr(colon + 1) == "latest";
}

void container_defaults(Json& container) {
  preset(container, "terminationMessagePath", "/dev/termination-log");
  preset(container, "terminationMessagePolicy", "File");
  preset(container, "resources", Json::object());
  if (const auto image = text(container, "image"); !image.empty())
    preset(container, "imagePullPolicy", untagged_or_latest(image) ? "Always" : "IfNotPresent");
  if (container.contains("ports"))
    for (auto& port : container["ports"]) preset(port, "protocol", "TCP");
  for (const auto* probe : {"livenessProbe", "readinessProbe", "startupProbe"}) probe_defaults(container, probe);
  if (container.contains("env"))
    for (auto& variable : container["env"])
      if (at(variable, "valueFrom.fieldRef").is_object()) preset(variable["valueFrom"]["fieldRef"], "apiVersion", "v1");
  // A limit stands for the request that is not stated.
  if (const auto limits = at(container, "resources.limits"); limits.is_object())
    for (const auto& [name, value] : limits.items()) preset(make(container, "resources.requests"), name.c_str(), value);
}

void volume_defaults(Json& volume) {
  for (const auto* source : {"secret", "configMap", "downwardAPI", "projected"})
    if (volume.contains(source)) preset(volume[source], "defaultMode", 420);
  if (at(volume, "hostPath").is_object()) preset(volume["hostPath"], "type", "");
  if (volume.is_object() && volume.size() == 1 && volume.contains("name")) volume["emptyDir"] = Json::object();
  if (at(volume, "projected.sources").is_array())
    for (auto& source : volume["projected"]["sources"])
      if (source.contains("serviceAccountToken")) preset(source["serviceAccountToken"], "expirationSeconds", 3600);
}

void pod_spec_defaults(Json& spec, const char* restart_policy) {
  if (!spec.is_object()) return;
  preset(spec, "restartPolicy", restart_policy);
  preset(spec, "terminationGracePeriodSeconds", 30);
  preset(spec, "dnsPolicy", "ClusterFirst");
  preset(spec, "securityContext", Json::object());
  preset(spec, "schedulerName", "default-scheduler");
  if (const auto account = text(spec, "serviceAccountName"); !account.empty())
    spec["serviceAccount"] = account;
  else if (const auto old = text(spec, "serviceAccount"); !old.empty())
    spec["serviceAccountName"] = old;
  for (const auto* list : {"containers", "initContainers"})
    if (spec.contains(list) && spec[list].is_array())
      for (auto& container : spec[list]) container_defaults(container);
  if (spec.contains("volumes") && spec["volumes"].is_array())
    for (auto& volume : spec["volumes"]) volume_defaults(volume);
}

void template_defaults(Json& spec, const char* restart_policy = "Always") {
  if (!at(spec, "template").is_object()) return;
  preset(spec["template"], "metadata", Json::object());
  pod_spec_defaults(make(spec, "template.spec"), restart_policy);
}

void deployment_defaults(Json& object) {
  auto& spec = make(object, "spec");
  preset(spec, "replicas", 1);
  preset(spec, "revisionHistoryLimit", 10);
  preset(spec, "progressDeadlineSeconds", 600);
  auto& strategy = make(spec, "strategy");
  preset(strategy, "type", "RollingUpdate");
  if (strategy["type"] == "RollingUpdate") {
    auto& rolling = make(strategy, "rollingUpdate");
    preset(rolling, "maxUnavailable", "25%");
    preset(rolling, "maxSurge", "25%");
  }
  template_defaults(spec);
}

void claim_defaults(Json& claim) {
  preset(make(claim, "spec"), "volumeMode", "Filesystem");
  preset(make(claim, "status"), "phase", "Pending");
}

void stateful_set_defaults(Json& object) {
  auto& spec = make(object, "spec");
  preset(spec, "replicas", 1);
  preset(spec, "revisionHistoryLimit", 10);
  preset(spec, "podManagementPolicy", "OrderedReady");
  auto& strategy = make(spec, "updateStrategy");
  preset(strategy, "type", "RollingUpdate");
  if (strategy["type"] == "RollingUpdate") preset(make(strategy, "rollingUpdate"), "partition", 0);
  auto& retention = make(spec, "persistentVolumeClaimRetentionPolicy");
  preset(retention, "whenDeleted", "Retain");
  preset(retention, "whenScaled", "Retain");
  if (spec.contains("volumeClaimTemplates"))
    for (auto& claim : spec["volumeClaimTemplates"]) {
      claim["apiVersion"] = "v1";
      claim["kind"] = "PersistentVolumeClaim";
      claim_defaults(claim);
    }
  template_defaults(spec);
}

void job_defaults(Json& object) {
  auto& spec = make(object, "spec");
  if (!spec.contains("completions") && !spec.contains("parallelism")) preset(spec, "completions", 1);
  preset(spec, "parallelism", 1);
  preset(spec, "backoffLimit", 6);
  preset(spec, "completionMode", "NonIndexed");
  preset(spec, "suspend", false);
  preset(spec, "manualSelector", false);
  preset(spec, "podReplacementPolicy", "TerminatingOrFailed");
  template_defaults(spec);
}

void service_defaults(Json& object) {
  auto& spec = make(object, "spec");
  preset(spec, "type", "ClusterIP");
  preset(spec, "sessionAffinity", "None");
  const auto type = text(spec, "type");
  if (spec.contains("ports"))
    for (auto& port : spec["ports"]) {
      preset(port, "protocol", "TCP");
      if (type != "ExternalName") preset(port, "targetPort", integer(port, "port"));
    }
  if (type == "ExternalName") return;
  preset(spec, "internalTrafficPolicy", "Cluster");
  if (type == "LoadBalancer" || type == "NodePort") preset(spec, "externalTrafficPolicy", "Cluster");
  if (type == "LoadBalancer") preset(spec, "allocateLoadBalancerNodePorts", true);
}

void network_policy_defaults(Json& object) {
  auto& spec = make(object, "spec");
  preset(spec, "podSelector", Json::object());
  if (!spec.contains("policyTypes")) {
    spec["policyTypes"] = {"Ingress"};
    if (at(spec, "egress").is_array() && !spec["egress"].empty()) spec["policyTypes"].push_back("Egress");
  }
  for (const auto* direction : {"ingress", "egress"})
    if (spec.contains(direction))
      for (auto& rule : spec[direction])
        if (rule.contains("ports"))
          for (auto& port : rule["ports"]) preset(port, "protocol", "TCP");
}

void limit_range_defaults(Json& object) {
  auto& spec = make(object, "spec");
  if (!spec.contains("limits") || !spec["limits"].is_array()) return;
  for (auto& item : spec["limits"]) {
    if (text(item, "type") != "Container") continue;
    const auto fill = [&](const char* from, const char* to) {
      if (const auto source = at(item, from); source.is_object())
        for (const auto& [name, value] : source.items()) preset(item[to], name.c_str(), value);
    };
    fill("max", "default");
    fill("default", "defaultRequest");
    fill("min", "defaultRequest");
  }
}

void autoscaler_defaults(Json& object) {
  auto& spec = make(object, "spec");
  preset(spec, "minReplicas", 1);
  if (!spec.contains("metrics"))
    spec["metrics"] = {
        {{"type", "Resource"},
         {"resource", {{"name", "cpu"}, {"target", {{"type", "Utilization"}, {"averageUtilization", 80}}}}}}};
}

void role_binding_defaults(Json& object) {
  if (at(object, "roleRef").is_object()) preset(object["roleRef"], "apiGroup", "rbac.authorization.k8s.io");
  if (!object.contains("subjects") || !object["subjects"].is_array()) return;
  for (auto& subject : object["subjects"])
    if (const auto kind = text(subject, "kind"); kind == "User" || kind == "Group")
      preset(subject, "apiGroup", "rbac.authorization.k8s.io");
}

void definition_defaults(Json& object) {
  auto& spec = make(object, "spec");
  preset(make(spec, "conversion"), "strategy", "None");
  auto& names = make(spec, "names");
  const auto kind = text(names, "kind");
  preset(names, "listKind", kind + "List");
  std::string singular = kind;
  for (auto& c : singular) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  preset(names, "singular", singular);
}

void storage_class_defaults(Json& object) {
  preset(object, "reclaimPolicy", "Delete");
  preset(object, "volumeBindingMode", "Immediate");
}

}  // namespace

void fill_defaults(const Kind& kind, Json& object) {
  if (kind.custom) {
    if (kind.custom_schema) fill_custom_defaults(*kind.schema, object);
    return;
  }
  const auto& name = kind.kind;
  if (name == "Pod") {
    pod_spec_defaults(make(object, "spec"), "Always");
    preset(object["spec"], "enableServiceLinks", true);
  } else if (name == "Deployment") {
    deployment_defaults(object);
  } else if (name == "ReplicaSet") {
    preset(make(object, "spec"), "replicas", 1);
    template_defaults(object["spec"]);
  } else if (name == "StatefulSet") {
    stateful_set_defaults(object);
  } else if (name == "Job") {
    job_defaults(object);
  } else if (name == "Service") {
    service_defaults(object);
  } else if (name == "Secret") {
    preset(object, "type", "Opaque");
  } else if (name == "NetworkPolicy") {
    network_policy_defaults(object);
  } else if (name == "LimitRange") {
    limit_range_defaults(object);
  } else if (name == "HorizontalPodAutoscaler") {
    autoscaler_defaults(object);
  } else if (name == "RoleBinding" || name == "ClusterRoleBinding") {
    role_binding_defaults(object);
  } else if (name == "CustomResourceDefinition") {
    definition_defaults(object);
  } else if (name == "PersistentVolumeClaim") {
    claim_defaults(object);
  } else if (name == "StorageClass") {
    storage_class_defaults(object);
  } else if (name == "Namespace") {
    auto& spec = make(object, "spec");
    preset(spec, "finalizers", {"kubernetes"});
    preset(make(object, "status"), "phase", "Active");
    make(object, "metadata.labels")["kubernetes.io/metadata.name"] = name_of(object);
  } else if (name == "Role" || name == "ClusterRole") {
    if (!object.contains("rules")) object["rules"] = nullptr;
    drop_nulls(object);
  } else if (name == "Endpoints" && object.contains("subsets")) {
    for (auto& subset : object["subsets"])
      if (subset.contains("ports"))
        for (auto& port : subset["ports"]) preset(port, "protocol", "TCP");
  }
}

}  // namespace litedesk::sandbox::kube
