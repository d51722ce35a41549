#include "providers/sandbox/kubernetes_controllers.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>

#include "providers/sandbox/kubernetes_json.hpp"
#include "providers/sandbox/kubernetes_names.hpp"
#include "providers/sandbox/kubernetes_status.hpp"

namespace litedesk::sandbox::kube {

namespace {

using Sync = void (*)(World&, const std::string& name_space, const std::string& name);

constexpr std::array<std::pair<std::string_view, Sync>, 17> controllers{{
    {"deployment", sync_deployment},
    {"replicaset", sync_replica_set},
    {"statefulset", sync_stateful_set},
    {"job", sync_job},
    {"pod", sync_pod},
    {"service", sync_service},
    {"ingress", sync_ingress},
    {"claim", sync_claim},
    {"certificate", sync_certificate},
    {"issuer", sync_issuer},
    {"endpoints",
     [](World& world, const std::string& name_space, const std::string&) { sync_endpoints(world, name_space); }},
    {"quotas", [](World& world, const std::string& name_space, const std::string&) { sync_quotas(world, name_space); }},
    {"budgets",
     [](World& world, const std::string& name_space, const std::string&) { sync_budgets(world, name_space); }},
    {"autoscalers",
     [](World& world, const std::string& name_space, const std::string&) { sync_autoscalers(world, name_space); }},
    {"namespace", [](World& world, const std::string&, const std::string& name) { sync_namespace(world, name); }},
    {"definition", [](World& world, const std::string&, const std::string& name) { sync_definition(world, name); }},
    {"garbage", collect_garbage},
}};

// The controller that looks after objects of a kind; empty when there is none.
std::string_view controller_for(const std::string& kind) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 9> table{{{"Deployment", "deployment"},
                                                                                {"ReplicaSet", "replicaset"},
                                                                                {"StatefulSet", "statefulset"},
                                                                                {"Job", "job"},
                                                                                {"Pod", "pod"},
                                                                                {"Service", "service"},
                                                                                {"Ingress", "ingress"},
                                                                                {"PersistentVolumeClaim", "claim"},
                                                                                {"Certificate", "certificate"}}};
  for (const auto& [of, controller] : table)
    if (of == kind) return controller;
  return {};
}

void wake_owner(World& world, const Json& object) {
  const auto& owner = controller_of(object);
  if (owner.is_null()) return;
  if (const auto controller = controller_for(text(owner, "kind")); !controller.empty())
    world.wake(controller, namespace_of(object), text(owner, "name"));
}

// Those whose pods were refused try again when what refused them has changed.
void wake_refused(World& world, const std::string& name_space) {
  for (const auto* resource : {"replicasets.apps", "statefulsets.apps", "jobs.batch"})
    for (const auto& record : world.list(resource, name_space))
      if (record.note.is_object() && record.note.contains("failures"))
        world.wake(controller_for(text(record.object, "kind")), name_space, name_of(record.object));
}

// Pods that wait for a Secret, a ConfigMap or a volume.
void wake_waiting_pods(World& world, const std::string& name_space) {
  for (const auto& record : world.list("pods", name_space))
    if (record.note.is_object() && record.note.contains("waiting"))
      world.wake("pod", name_space, name_of(record.object));
}

void wake_certificates(World& world, const std::optional<std::string>& name_space) {
  if (!world.kinds().serves_group("cert-manager.io")) return;
  for (const auto& record : world.list("certificates.cert-manager.io", name_space))
    world.wake("certificate", namespace_of(record.object), name_of(record.object));
}

bool differs_beside_status(const Json& old, const Json& object) {
  for (const auto* part :
       {"spec", "metadata.deletionTimestamp", "metadata.annotations", "metadata.labels", "metadata.finalizers"})
    if (at(old, part) != at(object, part)) return true;
  return false;
}

// What both writes and deletions of a kind concern.
void wake_concerned(World& world, const Kind& kind, const Json& object) {
  const auto name_space = namespace_of(object);
  const auto& name = kind.kind;
  wake_owner(world, object);
  if (kind.group == "cert-manager.io" && (name == "ClusterIssuer" || name == "Issuer"))
    wake_certificates(world, name == "Issuer" ? std::optional(name_space) : std::nullopt);
  if (kind.custom) return;
  if (name == "Pod" || name == "Service" || name == "Secret" || name == "ConfigMap" ||
      name == "PersistentVolumeClaim" || name == "ResourceQuota" || name == "Deployment" || name == "Job" ||
      name == "StatefulSet" || name == "Ingress")
    world.wake("quotas", name_space, "");
  if (name == "Pod" || name == "PodDisruptionBudget") world.wake("budgets", name_space, "");
  if (name == "Pod" || name == "Service") world.wake("endpoints", name_space, "");
  if (name == "HorizontalPodAutoscaler" || name == "Deployment") world.wake("autoscalers", name_space, "");
  if (name == "Secret" || name == "ConfigMap" || name == "PersistentVolumeClaim") wake_waiting_pods(world, name_space);
  if (name == "ServiceAccount" || name == "ResourceQuota" || name == "LimitRange") wake_refused(world, name_space);
  if (name == "Namespace") wake_refused(world, name_of(object));
}

}  // namespace

void run_controller(World& world, const std::string& controller, const std::string& name_space,
                    const std::string& name) {
  for (const auto& [known, sync] : controllers) {
    if (known != controller) continue;
    // An object that its controller cannot bring on concerns nobody else: every request runs what is due.
    try {
      sync(world, name_space, name);
    } catch (const StatusError&) {
    }
    return;
  }
  throw std::logic_error("no controller " + controller);
}

void on_write(World& world, const Kind& kind, const Json* old, const Json& object) {
  const auto controller = controller_for(kind.kind);
  const bool custom_without = kind.custom && kind.group != "cert-manager.io";
  // A status is what a controller wrote last: it has seen it. And a pod's own course is a matter of time.
  const bool news = old == nullptr || (kind.kind != "Pod" && differs_beside_status(*old, object));
  if (!controller.empty() && !custom_without && news) world.wake(controller, namespace_of(object), name_of(object));
  if (kind.group == "cert-manager.io" && (kind.kind == "ClusterIssuer" || kind.kind == "Issuer"))
    world.wake("issuer", namespace_of(object), name_of(object));
  if (kind.kind == "Namespace" && !kind.custom) world.wake("namespace", "", name_of(object));
  if (kind.kind == "CustomResourceDefinition" && old == nullptr) world.wake("definition", "", name_of(object));
  wake_concerned(world, kind, object);
}

void on_erase(World& world, const Kind& kind, const Json& object) {
  const auto name_space = namespace_of(object);
  if (const auto controller = controller_for(kind.kind); !controller.empty() && !kind.custom)
    world.forget(controller, name_space, name_of(object));
  wake_concerned(world, kind, object);
  if (kind.kind == "Pod" && !kind.custom) {
    wake_refused(world, name_space);  // its share of the quota is free
    for (const auto& claim : world.list("persistentvolumeclaims", name_space))
      if (!at(claim.object, "metadata.deletionTimestamp").is_null())
        world.wake("claim", name_space, name_of(claim.object));
  }
  if (kind.kind == "Secret" && !kind.custom && !annotation_of(object, "cert-manager.io/certificate-name").empty())
    wake_certificates(world, name_space);
  // Who is being deleted in the foreground waits for its dependents.
  if (const auto& owners = at(object, "metadata.ownerReferences"); owners.is_array())
    for (const auto& owner : owners)
      world.wake("garbage", name_space,
                 fmt::format("{}|{}|{}", text(owner, "kind"), text(owner, "name"), text(owner, "uid")));
  const bool leaf =
      !kind.custom && (kind.kind == "Pod" || kind.kind == "Event" || kind.kind == "Lease" || kind.kind == "Secret" ||
                       kind.kind == "ConfigMap" || kind.kind == "Endpoints" || kind.kind == "ServiceAccount");
  if (!leaf) world.wake("garbage", name_space, fmt::format("{}|{}|{}", kind.kind, name_of(object), uid_of(object)));
  if (kind.kind == "CustomResourceDefinition") world.wake("definition", "", name_of(object));
  if (kind.namespaced && !name_space.empty()) {
    const auto owner = world.get("namespaces", "", name_space);
    if (owner && !at(owner->object, "metadata.deletionTimestamp").is_null() && owner->note.is_object() &&
        owner->note.contains("swept"))
      world.wake("namespace", "", name_space);
  }
}

void on_removal(World& world, const Kind& kind, const Json& object) {
  const auto name_space = namespace_of(object);
  if (kind.kind == "Pod" && !kind.custom) world.wake_at(world.in(0.2), "pod", name_space, name_of(object));
  const auto& finalizers = at(object, "metadata.finalizers");
  const bool waits =
      finalizers.is_array() && std::any_of(finalizers.begin(), finalizers.end(), [](const Json& finalizer) {
        return finalizer == "foregroundDeletion" || finalizer == "orphan";
      });
  if (waits) world.wake("garbage", name_space, fmt::format("{}|{}|{}", kind.kind, name_of(object), uid_of(object)));
}

const Json& controller_of(const Json& object) {
  static const Json none;
  const auto& owners = at(object, "metadata.ownerReferences");
  if (!owners.is_array()) return none;
  for (const auto& owner : owners)
    if (flag(owner, "controller")) return owner;
  return none;
}

Json owner_reference(const Json& owner) {
  return {{"apiVersion", text(owner, "apiVersion")},
          {"kind", text(owner, "kind")},
          {"name", name_of(owner)},
          {"uid", uid_of(owner)},
          {"controller", true},
          {"blockOwnerDeletion", true}};
}

std::vector<Record> controlled(World& world, std::string_view resource, const Json& owner) {
  std::vector<Record> mine;
  const auto uid = uid_of(owner);
  for (auto& record : world.list(resource, namespace_of(owner)))
    if (text(controller_of(record.object), "uid") == uid) mine.push_back(std::move(record));
  return mine;
}

void record_event(World& world, const Json& about, std::string_view type, std::string_view reason,
                  const std::string& message, std::string_view component) {
  const auto home = namespace_of(about).empty() ? "default" : namespace_of(about);
  const auto home_record = world.get("namespaces", "", home);
  if (!home_record || !at(home_record->object, "metadata.deletionTimestamp").is_null()) return;
  const auto name = fmt::format("{}.{:08x}{:08x}", name_of(about), small_hash(uid_of(about)),
                                small_hash(fmt::format("{}|{}|{}", type, reason, message)));
  if (auto known = world.get("events", home, name)) {
    known->object["count"] = integer(known->object, "count", 1) + 1;
    known->object["lastTimestamp"] = world.stamp();
    world.put("events", *known);
    return;
  }
  Record event;
  event.object = {
      {"apiVersion", "v1"},
      {"kind", "Event"},
      {"metadata", {{"name", name}, {"namespace", home}, {"uid", new_uid()}, {"creationTimestamp", world.stamp()}}},
      {"involvedObject",
       {{"apiVersion", text(about, "apiVersion")},
        {"kind", text(about, "kind")},
        {"name", name_of(about)},
        {"uid", uid_of(about)},
        {"resourceVersion", text(about, "metadata.resourceVersion")}}},
      {"type", type},
      {"reason", reason},
      {"message", message},
      {"count", 1},
      {"eventTime", nullptr},
      {"firstTimestamp", world.stamp()},
      {"lastTimestamp", world.stamp()},
      {"source", {{"component", component}}},
      {"reportingComponent", component},
      {"reportingInstance", ""}};
  if (!namespace_of(about).empty()) event.object["involvedObject"]["namespace"] = home;
  world.put("events", event);
}

const Json& condition_of(const Json& object, std::string_view type) {
  static const Json none;
  const auto& conditions = at(object, "status.conditions");
  if (!conditions.is_array()) return none;
  for (const auto& condition : conditions)
    if (text(condition, "type") == type) return condition;
  return none;
}

void set_condition(Json& conditions, Json condition, const std::string& now) {
  if (!conditions.is_array()) conditions = Json::array();
  condition["lastTransitionTime"] = now;
  for (auto& known : conditions) {
    if (text(known, "type") != text(condition, "type")) continue;
    if (text(known, "status") == text(condition, "status"))
      condition["lastTransitionTime"] = text(known, "lastTransitionTime");
    known = std::move(condition);
    return;
  }
  conditions.push_back(std::move(condition));
}

bool pod_ready(const Json& pod) {
  return text(condition_of(pod, "Ready"), "status") == "True";
}

Json pod_from_template(const Json& owner, const Json& pod_template) {
  Json pod = {{"apiVersion", "v1"}, {"kind", "Pod"}, {"spec", at(pod_template, "spec")}};
  auto& metadata = pod["metadata"];
  for (const auto* field : {"labels", "annotations", "finalizers"})
    if (const auto& given = at(pod_template, std::string("metadata.") + field); !given.is_null())
      metadata[field] = given;
  metadata["generateName"] = name_of(owner) + "-";
  metadata["ownerReferences"] = Json::array({owner_reference(owner)});
  return pod;
}

}  // namespace litedesk::sandbox::kube
