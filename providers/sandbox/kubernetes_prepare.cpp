// What an object gets from the cluster before it is stored, and from the service account and limits of its namespace.
#include <algorithm>

#include <fmt/format.h>

#include "providers/sandbox/kubernetes_admission.hpp"
#include "providers/sandbox/kubernetes_json.hpp"
#include "providers/sandbox/kubernetes_names.hpp"
#include "providers/sandbox/kubernetes_quantity.hpp"

namespace litedesk::sandbox::kube {

namespace {

void require_base64(const Json& secret) {
  const auto& data = at(secret, "data");
  if (!data.is_object()) return;
  for (const auto& value : data)
    if (!is_base64(plain(value)))
      throw bad_request("Secret in version \"v1\" cannot be handled as a Secret: illegal base64 data at input byte 0");
}

// stringData is written and never read.
void fold_string_data(Json& secret) {
  require_base64(secret);
  const auto given = secret.find("stringData");
  if (given == secret.end()) return;
  if (given->is_object())
    for (const auto& [key, value] : given->items()) secret["data"][key] = base64(plain(value));
  secret.erase("stringData");
}

void give_address(World& world, const Json& old, Json& service) {
  auto& spec = make(service, "spec");
  const auto type = text(spec, "type");
  if (type == "ExternalName") return;
  // The address stays: an update that does not state it keeps it.
  for (const auto* field : {"clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"})
    if (const auto& had = at(old, std::string("spec.") + field); !had.is_null() && !spec.contains(field))
      spec[field] = had;
  if (text(spec, "clusterIP").empty()) {
    std::vector<std::string> taken;
    for (const auto& other : world.list("services", std::nullopt))
      taken.push_back(text(other.object, "spec.clusterIP"));
    const auto seed = fmt::format("{}/{}", namespace_of(service), name_of(service));
    for (int attempt = 0;; ++attempt) {
      const auto number = small_hash(fmt::format("{}#{}", seed, attempt));
      auto address = fmt::format("10.96.{}.{}", number / 254 % 254, 1 + number % 254);
      if (std::find(taken.begin(), taken.end(), address) != taken.end()) continue;
      spec["clusterIP"] = std::move(address);
      break;
    }
  }
  if (!spec.contains("clusterIPs")) spec["clusterIPs"] = Json::array({spec["clusterIP"]});
  if (!spec.contains("ipFamilies")) spec["ipFamilies"] = {"IPv4"};
  if (!spec.contains("ipFamilyPolicy")) spec["ipFamilyPolicy"] = "SingleStack";
  if ((type == "LoadBalancer" || type == "NodePort") && spec.contains("ports"))
    for (auto& port : spec["ports"])
      if (!port.contains("nodePort"))
        port["nodePort"] =
            30000 +
            small_hash(fmt::format("{}/{}:{}", namespace_of(service), name_of(service), integer(port, "port"))) % 2768;
}

void label_job(const Json& old, Json& job) {
  auto& spec = make(job, "spec");
  if (!old.is_null()) {
    // An update that leaves out what was generated does not mean to change it.
    if (!spec.contains("selector")) spec["selector"] = at(old, "spec.selector");
    const auto& labels = at(old, "spec.template.metadata.labels");
    if (labels.is_object())
      for (const auto& [key, value] : labels.items())
        if (key.ends_with("controller-uid") || key.ends_with("job-name"))
          make(spec, "template.metadata.labels")[key] = value;
    return;
  }
  if (flag(spec, "manualSelector")) return;
  const auto uid = uid_of(job);
  for (auto* labels : {&make(spec, "template.metadata.labels"), &make(job, "metadata.labels")}) {
    (*labels)["batch.kubernetes.io/controller-uid"] = uid;
    (*labels)["controller-uid"] = uid;
    (*labels)["batch.kubernetes.io/job-name"] = name_of(job);
    (*labels)["job-name"] = name_of(job);
  }
  spec["selector"] = {{"matchLabels", {{"batch.kubernetes.io/controller-uid", uid}}}};
}

bool is_default_class(const Record& record, const char* annotation) {
  return annotation_of(record.object, annotation) == "true";
}

void choose_storage_class(World& world, Json& claim) {
  auto& spec = make(claim, "spec");
  if (spec.contains("storageClassName")) return;
  for (const auto& candidate : world.list("storageclasses.storage.k8s.io", std::nullopt))
    if (is_default_class(candidate, "storageclass.kubernetes.io/is-default-class")) {
      spec["storageClassName"] = name_of(candidate.object);
      return;
    }
}

void choose_ingress_class(World& world, Json& ingress) {
  auto& spec = make(ingress, "spec");
  if (spec.contains("ingressClassName") || !annotation_of(ingress, "kubernetes.io/ingress.class").empty()) return;
  for (const auto& candidate : world.list("ingressclasses.networking.k8s.io", std::nullopt))
    if (is_default_class(candidate, "ingressclass.kubernetes.io/is-default-class"))
      spec["ingressClassName"] = name_of(candidate.object);
}

std::string quality_of_service(const Json& spec) {
  bool any = false;
  bool guaranteed = true;
  const auto& containers = at(spec, "containers");
  if (!containers.is_array()) return "BestEffort";
  for (const auto& container : containers) {
    const auto& requests = at(container, "resources.requests");
    const auto& limits = at(container, "resources.limits");
    if ((requests.is_object() && !requests.empty()) || (limits.is_object() && !limits.empty())) any = true;
    for (const auto* name : {"cpu", "memory"}) {
      const bool equal = limits.is_object() && limits.contains(name) && requests.is_object() &&
                         requests.contains(name) && to_quantity(limits[name]) == to_quantity(requests[name]);
      guaranteed = guaranteed && equal;
    }
  }
  return !any ? "BestEffort" : guaranteed ? "Guaranteed" : "Burstable";
}

void mount_token(Json& pod) {
  const auto volume = "kube-api-access-" + random_suffix(uid_of(pod));
  auto& spec = pod["spec"];
  for (const auto* list : {"containers", "initContainers"})
    if (spec.contains(list))
      for (auto& container : spec[list])
        container["volumeMounts"].push_back(
            {{"mountPath", "/var/run/secrets/kubernetes.io/serviceaccount"}, {"name", volume}, {"readOnly", true}});
  const Json namespace_file = {{"fieldRef", {{"apiVersion", "v1"}, {"fieldPath", "metadata.namespace"}}},
                               {"path", "namespace"}};
  const Json sources = Json::array(
      {{{"serviceAccountToken", {{"expirationSeconds", 3607}, {"path", "token"}}}},
       {{"configMap",
         {{"name", "kube-root-ca.crt"}, {"items", Json::array({{{"key", "ca.crt"}, {"path", "ca.crt"}}})}}}},
       {{"downwardAPI", {{"items", Json::array({namespace_file})}}}}});
  spec["volumes"].push_back({{"name", volume}, {"projected", {{"defaultMode", 420}, {"sources", sources}}}});
}

}  // namespace

void prepare(World& world, const Kind& kind, const Json& old, Json& object) {
  if (kind.custom) return;
  const auto& name = kind.kind;
  if (name == "Secret") fold_string_data(object);
  if (name == "Service") give_address(world, old, object);
  if (name == "Job") label_job(old, object);
  if (name == "PersistentVolumeClaim" && old.is_null()) {
    choose_storage_class(world, object);
    object["metadata"]["finalizers"].push_back("kubernetes.io/pvc-protection");
  }
  if (name == "Ingress") choose_ingress_class(world, object);
  if ((name == "Ingress" || name == "Service") && old.is_null()) object["status"]["loadBalancer"] = Json::object();
}

void admit_pod(World& world, const Kind& kind, const std::string& name_space, Json& pod) {
  auto& spec = pod["spec"];
  if (text(spec, "serviceAccountName").empty()) spec["serviceAccountName"] = "default";
  const auto account_name = text(spec, "serviceAccountName");
  spec["serviceAccount"] = account_name;
  const auto account = world.get("serviceaccounts", name_space, account_name);
  if (!account) {
    const auto generated = text(pod, "metadata.generateName");
    throw forbidden(kind, generated.empty() ? name_of(pod) : generated,
                    fmt::format("error looking up service account {}/{}: serviceaccount \"{}\" not found", name_space,
                                account_name, account_name));
  }
  const bool mount =
      flag(spec, "automountServiceAccountToken", flag(account->object, "automountServiceAccountToken", true));
  if (mount) mount_token(pod);
  if (!spec.contains("imagePullSecrets") && at(account->object, "imagePullSecrets").is_array())
    spec["imagePullSecrets"] = at(account->object, "imagePullSecrets");
  apply_limit_ranges(world, name_space, pod);
  spec["priority"] = integer(spec, "priority", 0);
  if (!spec.contains("preemptionPolicy")) spec["preemptionPolicy"] = "PreemptLowerPriority";
  for (const auto* key : {"node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"})
    spec["tolerations"].push_back(
        {{"key", key}, {"operator", "Exists"}, {"effect", "NoExecute"}, {"tolerationSeconds", 300}});
  pod["status"] = {{"phase", "Pending"}, {"qosClass", quality_of_service(spec)}};
}

}  // namespace litedesk::sandbox::kube
