// Rolls Deployments out as the deployment controller does.
// Rules: k8s.io/kubernetes/pkg/controller/deployment.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "providers/sandbox/kubernetes_controllers.hpp"
#include "providers/sandbox/kubernetes_json.hpp"
#include "providers/sandbox/kubernetes_names.hpp"
#include "providers/sandbox/kubernetes_write.hpp"

namespace litedesk::sandbox::kube {

namespace {

constexpr std::string_view component = "deployment-controller";
constexpr const char* revision_key = "deployment.kubernetes.io/revision";
constexpr const char* hash_label = "pod-template-hash";

// "25%" of `total`, or the number itself.
std::int64_t share(const Json& value, std::int64_t total, bool up) {
  if (value.is_number_integer()) return value.get<std::int64_t>();
  const auto given = plain(value);
  if (given.empty() || given.back() != '%') return 0;
  const double exact = std::strtod(given.c_str(), nullptr) * static_cast<double>(total) / 100;
  return static_cast<std::int64_t>(up ? std::ceil(exact) : std::floor(exact));
}

std::int64_t replicas_of(const Json& object) {
  return integer(object, "spec.replicas", 1);
}

class Rollout {
 public:
  Rollout(World& world, Record deployment) : world_(world), deployment_(std::move(deployment)) {
    sets_ = controlled(world, "replicasets.apps", deployment_.object);
    const auto& pod_template = at(deployment_.object, "spec.template");
    hash_ = random_suffix(pod_template.dump(), 10);
    for (std::size_t i = 0; i < sets_.size(); ++i)
      if (label_of(sets_[i].object, hash_label) == hash_) current_ = i;
    wanted_ = replicas_of(deployment_.object);
    recreate_ = text(deployment_.object, "spec.strategy.type") == "Recreate";
    const auto& rolling = at(deployment_.object, "spec.strategy.rollingUpdate");
    surge_ = recreate_ ? 0 : share(at(rolling, "maxSurge"), wanted_, true);
    unavailable_ = recreate_ ? 0 : share(at(rolling, "maxUnavailable"), wanted_, false);
    if (!recreate_ && surge_ == 0 && unavailable_ == 0) unavailable_ = 1;
    conditions_ = at(deployment_.object, "status.conditions");
  }

  void run() {
    note_pause();
    if (!flag(deployment_.object, "spec.paused")) {
      if (recreate_)
        run_recreate();
      else
        run_rolling();
      forget_old_sets();
    } else if (current_) {
      scale(*current_, wanted_);
    }
    store_status();
  }

 private:
  [[nodiscard]] bool is_old(std::size_t i) const { return !current_ || i != *current_; }

  [[nodiscard]] std::int64_t total() const {
    std::int64_t sum = 0;
    for (const auto& set : sets_) sum += replicas_of(set.object);
    return sum;
  }

  void scale(std::size_t index, std::int64_t replicas) {
    auto& set = sets_[index];
    const auto before = replicas_of(set.object);
    auto object = set.object;
    auto& annotations = object["metadata"]["annotations"];
    annotations["deployment.kubernetes.io/desired-replicas"] = std::to_string(wanted_);
    annotations["deployment.kubernetes.io/max-replicas"] = std::to_string(wanted_ + surge_);
    object["spec"]["replicas"] = replicas;
    set = update_object(world_, world_.kinds().get("replicasets.apps"), set, std::move(object), {});
    if (before == replicas) return;
    record_event(world_, deployment_.object, "Normal", "ScalingReplicaSet",
                 fmt::format("Scaled {} replica set {} from {} to {}", replicas > before ? "up" : "down",
                             name_of(set.object), before, replicas),
                 component);
  }

  // The set of the present template, made or taken up again.
  void ensure_current(std::int64_t replicas) {
    std::int64_t newest = 0;
    for (std::size_t i = 0; i < sets_.size(); ++i)
      if (is_old(i)) newest = std::max(newest, revision_of(sets_[i].object));
    if (!current_) {
      make_set(replicas, newest + 1);
    } else if (auto& set = sets_[*current_]; revision_of(set.object) <= newest) {
      auto object = set.object;
      object["metadata"]["annotations"][revision_key] = std::to_string(newest + 1);
      set = update_object(world_, world_.kinds().get("replicasets.apps"), set, std::move(object), {});
      set_progress("True", "FoundNewReplicaSet", fmt::format("Found new replica set \"{}\"", name_of(set.object)),
                   true);
    }
    const auto revision = annotation_of(sets_[*current_].object, revision_key);
    if (annotation_of(deployment_.object, revision_key) == revision) return;
    auto object = deployment_.object;
    object["metadata"]["annotations"][revision_key] = revision;
    deployment_ = update_object(world_, world_.kinds().get("deployments.apps"), deployment_, std::move(object), {});
  }

  static std::int64_t revision_of(const Json& set) {
    return std::strtoll(annotation_of(set, revision_key).c_str(), nullptr, 10);
  }

  void make_set(std::int64_t replicas, std::int64_t revision) {
    const auto& owner = deployment_.object;
    Json set = {{"apiVersion", "apps/v1"}, {"kind", "ReplicaSet"}};
    auto& metadata = set["metadata"];
    metadata["name"] = fmt::format("{}-{}", name_of(owner), hash_);
    metadata["labels"] = at(owner, "spec.template.metadata.labels");
    metadata["labels"][hash_label] = hash_;
    if (const auto& annotations = at(owner, "metadata.annotations"); annotations.is_object())
      for (const auto& [key, value] : annotations.items())
        if (key != revision_key && key != "kubectl.kubernetes.io/last-applied-configuration")
          metadata["annotations"][key] = value;
    metadata["annotations"][revision_key] = std::to_string(revision);
    metadata["annotations"]["deployment.kubernetes.io/desired-replicas"] = std::to_string(wanted_);
    metadata["annotations"]["deployment.kubernetes.io/max-replicas"] = std::to_string(wanted_ + surge_);
    metadata["ownerReferences"] = Json::array({owner_reference(owner)});
    auto& spec = set["spec"];
    spec["replicas"] = replicas;
    if (const auto settle = integer(owner, "spec.minReadySeconds"); settle > 0) spec["minReadySeconds"] = settle;
    spec["selector"] = at(owner, "spec.selector");
    spec["selector"]["matchLabels"][hash_label] = hash_;
    spec["template"] = at(owner, "spec.template");
    spec["template"]["metadata"]["labels"][hash_label] = hash_;
    sets_.push_back(
        create_object(world_, world_.kinds().get("replicasets.apps"), namespace_of(owner), std::move(set), {}));
    current_ = sets_.size() - 1;
    const auto name = name_of(sets_.back().object);
    set_progress("True", "NewReplicaSetCreated", fmt::format("Created new replica set \"{}\"", name), true);
    if (replicas > 0)
      record_event(world_, owner, "Normal", "ScalingReplicaSet",
                   fmt::format("Scaled up replica set {} from 0 to {}", name, replicas), component);
  }

  [[nodiscard]] std::int64_t allowed_for_new(std::int64_t have) const {
    const auto room = wanted_ + surge_ - total();
    return have + std::clamp<std::int64_t>(room, 0, std::max<std::int64_t>(wanted_ - have, 0));
  }

  void run_rolling() {
    if (!current_)
      ensure_current(allowed_for_new(0));
    else
      ensure_current(0);
    const auto have = replicas_of(sets_[*current_].object);
    // More than wanted is scaled down at once; a scale-up keeps to the surge.
    scale(*current_, have > wanted_ ? wanted_ : allowed_for_new(have));
    scale_down_old();
  }

  void scale_down_old() {
    std::int64_t old_pods = 0;
    std::int64_t available = 0;
    for (std::size_t i = 0; i < sets_.size(); ++i) {
      if (is_old(i)) old_pods += replicas_of(sets_[i].object);
      available += integer(sets_[i].object, "status.availableReplicas");
    }
    if (old_pods == 0) return;
    const auto& set = sets_[*current_].object;
    const auto new_unavailable = replicas_of(set) - integer(set, "status.availableReplicas");
    const auto least = wanted_ - unavailable_;
    auto spare = total() - least - new_unavailable;
    if (spare <= 0) return;
    // First what does not run anyway.
    for (std::size_t i = 0; i < sets_.size() && spare > 0; ++i) {
      if (!is_old(i)) continue;
      const auto have = replicas_of(sets_[i].object);
      const auto ill = std::min(have - integer(sets_[i].object, "status.availableReplicas"), spare);
      if (have == 0 || ill <= 0) continue;
      scale(i, have - ill);
      spare -= ill;
    }
    auto removable = available - least;
    for (std::size_t i = 0; i < sets_.size() && removable > 0; ++i) {
      if (!is_old(i)) continue;
      const auto have = replicas_of(sets_[i].object);
      const auto less = std::min(have, removable);
      if (less <= 0) continue;
      scale(i, have - less);
      removable -= less;
    }
  }

  void run_recreate() {
    bool old_pods = false;
    for (std::size_t i = 0; i < sets_.size(); ++i) {
      if (!is_old(i)) continue;
      if (replicas_of(sets_[i].object) > 0) scale(i, 0);
      old_pods = old_pods || !controlled(world_, "pods", sets_[i].object).empty();
    }
    if (old_pods && !current_) return;
    if (current_ || !old_pods) ensure_current(old_pods ? 0 : wanted_);
    if (!old_pods) scale(*current_, wanted_);
  }

  void forget_old_sets() {
    if (!complete(counters())) return;
    const auto keep = static_cast<std::size_t>(integer(deployment_.object, "spec.revisionHistoryLimit", 10));
    std::vector<Record> old;
    for (std::size_t i = 0; i < sets_.size(); ++i)
      if (is_old(i) && integer(sets_[i].object, "status.replicas") == 0 && replicas_of(sets_[i].object) == 0)
        old.push_back(sets_[i]);
    std::sort(old.begin(), old.end(),
              [](const Record& a, const Record& b) { return revision_of(a.object) < revision_of(b.object); });
    for (std::size_t i = 0; old.size() > keep && i < old.size() - keep; ++i)
      remove_object(world_, world_.kinds().get("replicasets.apps"), old[i], {});
  }

  struct Counters {
    std::int64_t replicas = 0, updated = 0, ready = 0, available = 0, terminating = 0;
  };

  [[nodiscard]] Counters counters() const {
    Counters sum;
    for (std::size_t i = 0; i < sets_.size(); ++i) {
      const auto& status = at(sets_[i].object, "status");
      sum.replicas += integer(status, "replicas");
      sum.ready += integer(status, "readyReplicas");
      sum.available += integer(status, "availableReplicas");
      sum.terminating += integer(status, "terminatingReplicas");
      if (!is_old(i)) sum.updated = integer(status, "replicas");
    }
    return sum;
  }

  [[nodiscard]] bool complete(const Counters& sum) const {
    return current_ && sum.updated == wanted_ && sum.replicas == wanted_ && sum.available == wanted_;
  }

  // A condition of a Deployment has a lastUpdateTime beside; it moves with the reason, or always with `fresh`.
  void put_condition(Json condition, bool fresh) {
    if (!conditions_.is_array()) conditions_ = Json::array();
    for (const auto& known : conditions_) {
      if (text(known, "type") != text(condition, "type")) continue;
      if (!fresh && text(known, "status") == text(condition, "status") &&
          text(known, "reason") == text(condition, "reason"))
        return;
    }
    condition["lastUpdateTime"] = world_.stamp();
    set_condition(conditions_, std::move(condition), world_.stamp());
  }

  void set_progress(const char* status, const char* reason, const std::string& message, bool fresh) {
    if (deadline() == 0) return;
    put_condition({{"type", "Progressing"}, {"status", status}, {"reason", reason}, {"message", message}}, fresh);
  }

  [[nodiscard]] std::int64_t deadline() const { return integer(deployment_.object, "spec.progressDeadlineSeconds"); }

  [[nodiscard]] Json condition(std::string_view type) const {
    if (conditions_.is_array())
      for (const auto& known : conditions_)
        if (text(known, "type") == type) return known;
    return nullptr;
  }

  void note_pause() {
    const auto progress = condition("Progressing");
    const auto reason = text(progress, "reason");
    if (reason == "ProgressDeadlineExceeded") return;
    if (flag(deployment_.object, "spec.paused") && reason != "DeploymentPaused")
      set_progress("Unknown", "DeploymentPaused", "Deployment is paused", true);
    if (!flag(deployment_.object, "spec.paused") && reason == "DeploymentPaused")
      set_progress("Unknown", "DeploymentResumed", "Deployment is resumed", true);
  }

  [[nodiscard]] bool progressed(const Counters& sum) const {
    const auto& before = at(deployment_.object, "status");
    const auto old_before = integer(before, "replicas") - integer(before, "updatedReplicas");
    return sum.updated > integer(before, "updatedReplicas") || sum.replicas - sum.updated < old_before ||
           sum.ready > integer(before, "readyReplicas") || sum.available > integer(before, "availableReplicas");
  }

  void judge_progress(const Counters& sum) {
    if (deadline() == 0 || !current_ || flag(deployment_.object, "spec.paused")) return;
    const auto progress = condition("Progressing");
    const auto name = name_of(sets_[*current_].object);
    if (sum.replicas == sum.updated && text(progress, "reason") == "NewReplicaSetAvailable") return;
    if (complete(sum)) {
      set_progress("True", "NewReplicaSetAvailable",
                   fmt::format("ReplicaSet \"{}\" has successfully progressed.", name), true);
      return;
    }
    if (progressed(sum)) {
      set_progress("True", "ReplicaSetUpdated", fmt::format("ReplicaSet \"{}\" is progressing.", name), true);
    }
    const auto since = from_stamp(text(condition("Progressing"), "lastUpdateTime"));
    // Without a pace of its own (time scale 0) the cluster still gives a rollout all of its deadline.
    const double pace = world_.time_scale() > 0 ? world_.time_scale() : 1;
    const auto end = since + static_cast<Millis>(static_cast<double>(deadline() * 1000) * pace);
    if (text(condition("Progressing"), "reason") == "ProgressDeadlineExceeded") return;
    if (end <= world_.now())
      set_progress("False", "ProgressDeadlineExceeded",
                   fmt::format("ReplicaSet \"{}\" has timed out progressing.", name), false);
    else
      world_.wake_at(end, "deployment", namespace_of(deployment_.object), name_of(deployment_.object));
  }

  void copy_failure() {
    Json failure;
    for (std::size_t i = 0; i < sets_.size(); ++i)
      if (const auto& known = condition_of(sets_[i].object, "ReplicaFailure");
          known.is_object() && (!is_old(i) || failure.is_null()))
        failure = known;
    if (failure.is_object()) {
      failure.erase("lastTransitionTime");
      put_condition(std::move(failure), false);
    } else if (conditions_.is_array()) {
      conditions_.erase(std::remove_if(conditions_.begin(), conditions_.end(),
                                       [](const Json& known) { return text(known, "type") == "ReplicaFailure"; }),
                        conditions_.end());
    }
  }

  void store_status() {
    const auto sum = counters();
    if (sum.available >= wanted_ - unavailable_)
      put_condition({{"type", "Available"},
                     {"status", "True"},
                     {"reason", "MinimumReplicasAvailable"},
                     {"message", "Deployment has minimum availability."}},
                    false);
    else
      put_condition({{"type", "Available"},
                     {"status", "False"},
                     {"reason", "MinimumReplicasUnavailable"},
                     {"message", "Deployment does not have minimum availability."}},
                    false);
    judge_progress(sum);
    copy_failure();
    Json status = {{"observedGeneration", integer(deployment_.object, "metadata.generation")},
                   {"terminatingReplicas", sum.terminating},
                   {"conditions", conditions_}};
    const auto put = [&](const char* name, std::int64_t value) {
      if (value > 0) status[name] = value;
    };
    put("replicas", sum.replicas);
    put("updatedReplicas", sum.updated);
    put("readyReplicas", sum.ready);
    put("availableReplicas", sum.available);
    put("unavailableReplicas", total() - sum.available);
    world_.put_status("deployments.apps", deployment_, std::move(status));
  }

  World& world_;
  Record deployment_;
  std::vector<Record> sets_;
  std::optional<std::size_t> current_;
  std::string hash_;
  std::int64_t wanted_ = 0;
  std::int64_t surge_ = 0;
  std::int64_t unavailable_ = 0;
  bool recreate_ = false;
  Json conditions_;
};

}  // namespace

void sync_deployment(World& world, const std::string& name_space, const std::string& name) {
  auto deployment = world.get("deployments.apps", name_space, name);
  if (!deployment || !at(deployment->object, "metadata.deletionTimestamp").is_null()) return;
  Rollout(world, std::move(*deployment)).run();
}

}  // namespace litedesk::sandbox::kube
