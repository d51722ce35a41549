#include "providers/kubernetes/rollout_status.hpp"

#include <fmt/core.h>

namespace litedesk::kubernetes {

namespace {

RolloutStatus waiting(std::string message, std::int64_t ready, std::int64_t wanted) {
  return {Progress::waiting, std::move(message), ready, wanted};
}

std::string with_message(std::string text, const std::string& message) {
  return message.empty() ? text : text + ": " + message;
}

}  // namespace

RolloutStatus deployment_status(const Object& deployment) {
  const auto wanted = deployment.integer("spec.replicas", 1);
  const auto replicas = deployment.integer("status.replicas", 0);
  const auto updated = deployment.integer("status.updatedReplicas", 0);
  const auto available = deployment.integer("status.availableReplicas", 0);
  const auto ready = deployment.integer("status.readyReplicas", 0);

  if (deployment.integer("metadata.generation", 0) > deployment.integer("status.observedGeneration", 0))
    return waiting("waiting for the controller", ready, wanted);
  const auto progressing = find_condition(deployment, "Progressing");
  if (progressing && progressing->reason == "ProgressDeadlineExceeded")
    return {Progress::failed, with_message("progress deadline exceeded", progressing->message), ready, wanted};
  const std::string paused = deployment.at("spec.paused") == true ? ", paused" : "";
  if (updated < wanted) return waiting(fmt::format("{}/{} updated{}", updated, wanted, paused), ready, wanted);
  if (replicas > updated)
    return waiting(
        fmt::format("{} old {} terminating{}", replicas - updated, replicas - updated == 1 ? "pod" : "pods", paused),
        ready, wanted);
  if (available < updated) {
    // Ready for less than minReadySeconds is not yet available.
    if (ready >= updated) return waiting(fmt::format("{}/{} available{}", available, updated, paused), ready, wanted);
    return waiting(fmt::format("{}/{} ready{}", ready, wanted, paused), ready, wanted);
  }
  return {Progress::done, wanted == 0 ? "scaled to zero" : fmt::format("{}/{} ready", ready, wanted), ready, wanted};
}

RolloutStatus stateful_set_status(const Object& stateful_set) {
  const auto wanted = stateful_set.integer("spec.replicas", 1);
  const auto ready = stateful_set.integer("status.readyReplicas", 0);
  const auto updated = stateful_set.integer("status.updatedReplicas", 0);
  const auto strategy = stateful_set.text("spec.updateStrategy.type");

  if (!strategy.empty() && strategy != "RollingUpdate")
    return {
        Progress::failed,
        fmt::format("the update strategy is {}: its pods are replaced only when they are deleted by hand", strategy),
        ready, wanted};
  const auto observed = stateful_set.integer("status.observedGeneration", 0);
  if (observed == 0 || stateful_set.integer("metadata.generation", 0) > observed)
    return waiting("waiting for the controller", ready, wanted);
  if (ready < wanted) return waiting(fmt::format("{}/{} ready", ready, wanted), ready, wanted);
  if (const auto partition = stateful_set.integer("spec.updateStrategy.rollingUpdate.partition", 0); partition > 0) {
    if (updated < wanted - partition)
      return waiting(fmt::format("{}/{} updated (partition {})", updated, wanted - partition, partition), ready,
                     wanted);
  } else if (stateful_set.text("status.updateRevision") != stateful_set.text("status.currentRevision")) {
    return waiting(fmt::format("{}/{} updated", updated, wanted), ready, wanted);
  }
  return {Progress::done, wanted == 0 ? "scaled to zero" : fmt::format("{}/{} ready", ready, wanted), ready, wanted};
}

RolloutStatus job_status(const Object& job) {
  const auto wanted = job.integer("spec.completions", 1);
  const auto succeeded = job.integer("status.succeeded", 0);
  const auto active = job.integer("status.active", 0);
  const auto failed = job.integer("status.failed", 0);

  // FailureTarget comes first on newer servers, while the pods are still ended: the Job will not recover from it.
  for (const auto* type : {"Failed", "FailureTarget"}) {
    const auto condition = find_condition(job, type);
    if (condition && condition->status == "True")
      return {Progress::failed,
              with_message(condition->reason.empty() ? "failed" : condition->reason, condition->message), succeeded,
              wanted};
  }
  if (const auto complete = find_condition(job, "Complete"); complete && complete->status == "True")
    return {Progress::done, fmt::format("{}/{} succeeded", succeeded, wanted), succeeded, wanted};
  if (const auto met = find_condition(job, "SuccessCriteriaMet"); met && met->status == "True")
    return waiting("succeeded, its last pods are terminating", succeeded, wanted);
  if (const auto suspended = find_condition(job, "Suspended"); suspended && suspended->status == "True")
    return waiting("suspended", succeeded, wanted);
  if (active == 0 && succeeded == 0 && failed == 0) return waiting("waiting for the controller", succeeded, wanted);
  auto message = fmt::format("{}/{} succeeded, {} running", succeeded, wanted, active);
  if (failed > 0) message += fmt::format(", {} failed", failed);
  return waiting(std::move(message), succeeded, wanted);
}

std::optional<Condition> replica_failure(const Object& object) {
  auto condition = find_condition(object, "ReplicaFailure");
  if (condition && condition->status != "True") condition.reset();
  return condition;
}

bool is_current_replica_set(const Object& deployment, const Object& replica_set) {
  constexpr const char* revision = "deployment.kubernetes.io/revision";
  if (deployment.integer("status.observedGeneration", 0) < deployment.integer("metadata.generation", 0)) return false;
  return controller_uid(replica_set) == deployment.uid() && !deployment.annotation(revision).empty() &&
         replica_set.annotation(revision) == deployment.annotation(revision);
}

std::string controller_uid(const Object& object) {
  const auto& owners = object.at("metadata.ownerReferences");
  if (!owners.is_array()) return {};
  for (const auto& owner : owners)
    if (owner.is_object() && owner.value("controller", false)) return owner.value("uid", "");
  return {};
}

}  // namespace litedesk::kubernetes
