#include <algorithm>

#include <fmt/format.h>

#include "providers/sandbox/kubernetes_controllers.hpp"
#include "providers/sandbox/kubernetes_json.hpp"
#include "providers/sandbox/kubernetes_names.hpp"
#include "providers/sandbox/kubernetes_status.hpp"
#include "providers/sandbox/kubernetes_write.hpp"

namespace litedesk::sandbox::kube {

namespace {

constexpr std::string_view component = "statefulset-controller";
constexpr const char* revision_label = "controller-revision-hash";

class OrderedSet {
 public:
  OrderedSet(World& world, Record set) : world_(world), set_(std::move(set)) {
    wanted_ = integer(set_.object, "spec.replicas", 1);
    update_ = fmt::format("{}-{}", name_of(set_.object), random_suffix(at(set_.object, "spec.template").dump(), 10));
    current_ = text(set_.object, "status.currentRevision");
    if (current_.empty()) current_ = update_;
    parallel_ = text(set_.object, "spec.podManagementPolicy") == "Parallel";
  }

  void run() {
    ensure_revision();
    try {
      make_pods();
      if (!remove_surplus() && text(set_.object, "spec.updateStrategy.type") == "RollingUpdate") replace_outdated();
      forgive();
    } catch (const StatusError& refusal) {
      record_event(world_, set_.object, "Warning", "FailedCreate",
                   fmt::format("create Pod in StatefulSet {} failed error: {}", name_of(set_.object), refusal.what()),
                   component);
      if (!set_.note.is_object()) set_.note = Json::object();
      set_.note["failures"] = std::min<std::int64_t>(integer(set_.note, "failures") + 1, 9);
      if (world_.time_scale() > 0)
        world_.wake_at(world_.in(static_cast<double>(1U << static_cast<unsigned>(integer(set_.note, "failures")))),
                       "statefulset", namespace_of(set_.object), name_of(set_.object));
      world_.put("statefulsets.apps", set_);
    }
    store_status();
  }

 private:
  [[nodiscard]] std::string pod_name(std::int64_t ordinal) const {
    return fmt::format("{}-{}", name_of(set_.object), ordinal);
  }
  [[nodiscard]] std::optional<Record> pod(std::int64_t ordinal) {
    return world_.get("pods", namespace_of(set_.object), pod_name(ordinal));
  }
  static bool going(const Json& object) { return !at(object, "metadata.deletionTimestamp").is_null(); }

  void forgive() {
    if (set_.note.is_object() && set_.note.erase("failures") > 0) world_.put("statefulsets.apps", set_);
  }

  // A ControllerRevision keeps each template.
  void ensure_revision() {
    if (world_.get("controllerrevisions.apps", namespace_of(set_.object), update_)) return;
    std::int64_t last = 0;
    for (const auto& known : controlled(world_, "controllerrevisions.apps", set_.object))
      last = std::max(last, integer(known.object, "revision"));
    Json revision = {{"apiVersion", "apps/v1"}, {"kind", "ControllerRevision"}, {"revision", last + 1}};
    revision["metadata"] = {{"name", update_},
                            {"labels", at(set_.object, "spec.template.metadata.labels")},
                            {"ownerReferences", Json::array({owner_reference(set_.object)})}};
    revision["data"] = {{"spec", {{"template", at(set_.object, "spec.template")}}}};
    create_object(world_, world_.kinds().get("controllerrevisions.apps"), namespace_of(set_.object),
                  std::move(revision), {});
  }

  void make_claims(std::int64_t ordinal) {
    const auto& templates = at(set_.object, "spec.volumeClaimTemplates");
    if (!templates.is_array()) return;
    const auto& kind = world_.kinds().get("persistentvolumeclaims");
    for (auto claim : templates) {
      const auto name = fmt::format("{}-{}", name_of(claim), pod_name(ordinal));
      if (world_.get(kind, namespace_of(set_.object), name)) continue;
      claim["metadata"]["name"] = name;
      if (const auto& labels = at(set_.object, "spec.selector.matchLabels"); labels.is_object())
        claim["metadata"]["labels"].update(labels);
      create_object(world_, kind, namespace_of(set_.object), std::move(claim), {});
      record_event(world_, set_.object, "Normal", "SuccessfulCreate",
                   fmt::format("create Claim {} Pod {} in StatefulSet {} success", name, pod_name(ordinal),
                               name_of(set_.object)),
                   component);
    }
  }

  void make_pod(std::int64_t ordinal) {
    make_claims(ordinal);
    auto object = pod_from_template(set_.object, at(set_.object, "spec.template"));
    auto& metadata = object["metadata"];
    metadata["name"] = pod_name(ordinal);
    metadata["labels"]["apps.kubernetes.io/pod-index"] = std::to_string(ordinal);
    metadata["labels"]["statefulset.kubernetes.io/pod-name"] = pod_name(ordinal);
    metadata["labels"][revision_label] = update_;
    object["spec"]["hostname"] = pod_name(ordinal);
    if (const auto service = text(set_.object, "spec.serviceName"); !service.empty())
      object["spec"]["subdomain"] = service;
    if (const auto& templates = at(set_.object, "spec.volumeClaimTemplates"); templates.is_array())
      for (const auto& claim : templates)
        object["spec"]["volumes"].push_back(
            {{"name", name_of(claim)},
             {"persistentVolumeClaim", {{"claimName", fmt::format("{}-{}", name_of(claim), pod_name(ordinal))}}}});
    create_object(world_, world_.kinds().get("pods"), namespace_of(set_.object), std::move(object), {});
    record_event(world_, set_.object, "Normal", "SuccessfulCreate",
                 fmt::format("create Pod {} in StatefulSet {} successful", pod_name(ordinal), name_of(set_.object)),
                 component);
  }

  void make_pods() {
    for (std::int64_t ordinal = 0; ordinal < wanted_; ++ordinal) {
      const auto existing = pod(ordinal);
      if (!existing) make_pod(ordinal);
      if (!parallel_ && (!existing || !pod_ready(existing->object) || going(existing->object))) return;
    }
  }

  [[nodiscard]] std::int64_t ordinal_of(const Json& object) const {
    const auto name = name_of(object);
    return std::strtoll(name.substr(name.rfind('-') + 1).c_str(), nullptr, 10);
  }

  void remove(const Record& record) {
    remove_object(world_, world_.kinds().get("pods"), record, {});
    record_event(
        world_, set_.object, "Normal", "SuccessfulDelete",
        fmt::format("delete Pod {} in StatefulSet {} successful", name_of(record.object), name_of(set_.object)),
        component);
  }

  // The highest ordinal goes first, one at a time.
  bool remove_surplus() {
    auto pods = controlled(world_, "pods", set_.object);
    std::sort(pods.begin(), pods.end(),
              [&](const Record& a, const Record& b) { return ordinal_of(a.object) > ordinal_of(b.object); });
    bool any = false;
    for (const auto& record : pods) {
      if (ordinal_of(record.object) < wanted_) break;
      any = true;
      if (!going(record.object)) remove(record);
      if (!parallel_) return true;
    }
    return any;
  }

  void replace_outdated() {
    const auto partition = integer(set_.object, "spec.updateStrategy.rollingUpdate.partition");
    for (std::int64_t ordinal = wanted_ - 1; ordinal >= partition; --ordinal) {
      const auto existing = pod(ordinal);
      if (!existing || going(existing->object)) return;
      if (label_of(existing->object, revision_label) != update_) return remove(*existing);
      if (!pod_ready(existing->object)) return;
    }
  }

  void store_status() {
    std::int64_t replicas = 0;
    std::int64_t ready = 0;
    std::int64_t updated = 0;
    std::int64_t current = 0;
    for (const auto& record : controlled(world_, "pods", set_.object)) {
      ++replicas;
      if (pod_ready(record.object) && !going(record.object)) ++ready;
      if (label_of(record.object, revision_label) == update_) ++updated;
      if (label_of(record.object, revision_label) == current_) ++current;
    }
    if (updated == wanted_ && replicas == wanted_ && ready == wanted_) {
      current_ = update_;
      current = updated;
    }
    Json status = {{"observedGeneration", integer(set_.object, "metadata.generation")},
                   {"replicas", replicas},
                   {"availableReplicas", ready},
                   {"collisionCount", 0},
                   {"currentRevision", current_},
                   {"updateRevision", update_}};
    if (ready > 0) status["readyReplicas"] = ready;
    if (updated > 0) status["updatedReplicas"] = updated;
    if (current > 0) status["currentReplicas"] = current;
    world_.put_status("statefulsets.apps", set_, std::move(status));
  }

  World& world_;
  Record set_;
  std::int64_t wanted_ = 0;
  std::string update_;
  std::string current_;
  bool parallel_ = false;
};

}  // namespace

void sync_stateful_set(World& world, const std::string& name_space, const std::string& name) {
  auto set = world.get("statefulsets.apps", name_space, name);
  if (!set || !at(set->object, "metadata.deletionTimestamp").is_null()) return;
  OrderedSet(world, std::move(*set)).run();
}

}  // namespace litedesk::sandbox::kube
