#include <algorithm>

#include <fmt/format.h>

#include "providers/sandbox/kubernetes_controllers.hpp"
#include "providers/sandbox/kubernetes_json.hpp"
#include "providers/sandbox/kubernetes_status.hpp"
#include "providers/sandbox/kubernetes_write.hpp"

namespace litedesk::sandbox::kube {

namespace {

constexpr std::string_view component = "replicaset-controller";

bool ended(const Json& pod) {
  const auto phase = text(pod, "status.phase");
  return phase == "Succeeded" || phase == "Failed";
}

bool going(const Json& object) {
  return !at(object, "metadata.deletionTimestamp").is_null();
}

// Why pods could not be made; empty when they all were.
std::string make_pods(World& world, const Json& set, std::int64_t count) {
  for (; count > 0; --count) {
    try {
      const auto pod = create_object(world, world.kinds().get("pods"), namespace_of(set),
                                     pod_from_template(set, at(set, "spec.template")), {});
      record_event(world, set, "Normal", "SuccessfulCreate", "Created pod: " + name_of(pod.object), component);
    } catch (const StatusError& refusal) {
      record_event(world, set, "Warning", "FailedCreate", fmt::format("Error creating: {}", refusal.what()), component);
      return refusal.what();
    }
  }
  return {};
}

void remove_pods(World& world, const Json& set, std::vector<Record> active, std::int64_t count) {
  // Those that are not ready go first, then the youngest.
  std::stable_sort(active.begin(), active.end(), [](const Record& a, const Record& b) {
    const bool a_ready = pod_ready(a.object);
    const bool b_ready = pod_ready(b.object);
    if (a_ready != b_ready) return b_ready;
    return text(a.object, "metadata.creationTimestamp") > text(b.object, "metadata.creationTimestamp");
  });
  for (std::size_t i = 0; i < active.size() && static_cast<std::int64_t>(i) < count; ++i) {
    remove_object(world, world.kinds().get("pods"), active[i], {});
    record_event(world, set, "Normal", "SuccessfulDelete", "Deleted pod: " + name_of(active[i].object), component);
  }
}

// Tries again later, each time after twice as long.
void retry_later(World& world, Record& set, const std::string& failure) {
  if (failure.empty()) {
    if (set.note.is_object() && set.note.erase("failures") > 0) world.put("replicasets.apps", set);
    return;
  }
  const auto failures = std::min<std::int64_t>(integer(set.note, "failures") + 1, 9);
  if (!set.note.is_object()) set.note = Json::object();
  set.note["failures"] = failures;
  world.put("replicasets.apps", set);
  if (world.time_scale() > 0)
    world.wake_at(world.in(static_cast<double>(1U << static_cast<unsigned>(failures))), "replicaset",
                  namespace_of(set.object), name_of(set.object));
}

Json status_of(World& world, const Json& set, const std::vector<Record>& pods, const std::string& failure) {
  std::int64_t replicas = 0;
  std::int64_t ready = 0;
  std::int64_t available = 0;
  std::int64_t terminating = 0;
  const auto settle = integer(set, "spec.minReadySeconds") * 1000;
  for (const auto& pod : pods) {
    if (ended(pod.object)) continue;
    if (going(pod.object)) {
      ++terminating;
      continue;
    }
    ++replicas;
    if (!pod_ready(pod.object)) continue;
    ++ready;
    const auto since = from_stamp(text(condition_of(pod.object, "Ready"), "lastTransitionTime"));
    if (since + settle <= world.now())
      ++available;
    else
      world.wake_at(since + settle, "replicaset", namespace_of(set), name_of(set));
  }
  Json status = {{"replicas", replicas},
                 {"terminatingReplicas", terminating},
                 {"observedGeneration", integer(set, "metadata.generation")}};
  if (replicas > 0) status["fullyLabeledReplicas"] = replicas;
  if (ready > 0) status["readyReplicas"] = ready;
  if (available > 0) status["availableReplicas"] = available;
  if (!failure.empty()) {
    Json conditions = at(set, "status.conditions");
    set_condition(conditions,
                  {{"type", "ReplicaFailure"}, {"status", "True"}, {"reason", "FailedCreate"}, {"message", failure}},
                  world.stamp());
    status["conditions"] = std::move(conditions);
  }
  return status;
}

}  // namespace

void sync_replica_set(World& world, const std::string& name_space, const std::string& name) {
  auto set = world.get("replicasets.apps", name_space, name);
  if (!set) return;
  std::string failure;
  if (!going(set->object)) {
    std::vector<Record> active;
    for (auto& pod : controlled(world, "pods", set->object))
      if (!going(pod.object) && !ended(pod.object)) active.push_back(std::move(pod));
    const auto wanted = integer(set->object, "spec.replicas", 1);
    const auto missing = wanted - static_cast<std::int64_t>(active.size());
    if (missing > 0) failure = make_pods(world, set->object, missing);
    if (missing < 0) remove_pods(world, set->object, std::move(active), -missing);
    retry_later(world, *set, failure);
  }
  world.put_status("replicasets.apps", *set,
                   status_of(world, set->object, controlled(world, "pods", set->object), failure));
}

}  // namespace litedesk::sandbox::kube
