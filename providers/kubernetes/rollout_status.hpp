// Where a rollout stands, read from the objects alone: pure functions.
// Rules: kubectl's rollout status (k8s.io/kubectl/pkg/polymorphichelpers/rollout_status.go) and the pod life cycle.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "providers/kubernetes/object.hpp"

namespace litedesk::kubernetes {

enum class Progress { waiting, done, failed };

struct RolloutStatus {
  Progress progress = Progress::waiting;
  std::string message;  // "1/2 ready", "waiting for the controller", "progress deadline exceeded: ..."
  std::int64_t ready = 0;
  std::int64_t wanted = 0;
};
[[nodiscard]] RolloutStatus deployment_status(const Object& deployment);
[[nodiscard]] RolloutStatus stateful_set_status(const Object& stateful_set);
[[nodiscard]] RolloutStatus job_status(const Object& job);

// Why a pod does not run.
struct PodTrouble {
  std::string container;  // empty when it is the pod's own
  std::string reason;     // "ImagePullBackOff", "CrashLoopBackOff", "Unschedulable", "OOMKilled", ...
  std::string message;    // the kubelet's or the scheduler's words
  std::int64_t restarts = 0;
  std::int64_t exit_code = 0;  // of the last run, with a crash
  bool final = false;          // waiting cannot help: InvalidImageName, CreateContainerConfigError, ErrImageNeverPull
  bool image = false;          // an image that cannot be pulled
  bool crash = false;          // a container that ends again and again
  bool unschedulable = false;
};
[[nodiscard]] std::vector<PodTrouble> pod_troubles(const Object& pod);

// What a Warning event "Unhealthy" tells of a pod whose probe fails, and its status does not: "nothing listens on 80".
// Nothing for any other event. The kubelet's words: kubernetes/pkg/kubelet/prober.
[[nodiscard]] std::optional<PodTrouble> probe_trouble(std::string_view reason, const std::string& message);

// A Deployment's ReplicaFailure condition, or a ReplicaSet's: pods that the API server refuses to create.
[[nodiscard]] std::optional<Condition> replica_failure(const Object& object);

// Whether a ReplicaSet is the one of its Deployment's present template: the Deployment controls it, both carry the same
// revision, and the Deployment's controller has seen the present generation (before that no ReplicaSet is). Pods of
// older ones say nothing about a rollout. Rule: k8s.io/kubectl/pkg/util/deployment, annotation
// deployment.kubernetes.io/revision.
[[nodiscard]] bool is_current_replica_set(const Object& deployment, const Object& replica_set);

// The UID of the object that controls this one; empty when none does.
[[nodiscard]] std::string controller_uid(const Object& object);

}  // namespace litedesk::kubernetes
