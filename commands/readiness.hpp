// Waiting until an instance serves: rollouts, certificate, DNS, first data; and why it does not.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "commands/planner.hpp"
#include "commands/provision.hpp"
#include "commands/world.hpp"
#include "providers/kubernetes/rollout_status.hpp"

namespace litedesk {

struct ReadinessGoal {
  std::string name_space;
  std::string tenant;
  std::vector<std::string> deployments;  // names: "backend", "frontend"
  std::vector<std::string> jobs;         // first data
  std::string certificate;               // name; empty when none is made
  bool certificate_unknown = false;      // the cluster has no cert-manager
  std::string dns_change_id;             // to wait for until INSYNC; empty: nothing is pending
  std::string database_cluster;          // whose user changes must be applied
  std::vector<std::string> quotas;       // ResourceQuotas that were applied just now: they take effect a moment later
  bool fail_on_unschedulable = false;
  std::chrono::milliseconds timeout{600'000};
};

// Called when something that others wait for is done; it may apply what comes next. Never two at a time.
struct ReadinessSteps {
  std::function<void()> dns_done;       // the records are INSYNC
  std::function<void()> database_done;  // the user can log in
};

enum class ReadinessEnd { ready, failed, timed_out, interrupted };

struct ReadinessResult {
  ReadinessEnd end = ReadinessEnd::ready;
  std::vector<Part> parts;
  std::string reason;                // why it failed, or what is missing: one sentence
  std::vector<std::string> details;  // the last log lines, warning events
};

// Watches everything at once. Ends early where waiting cannot help: an image name that is none, a container that cannot
// be configured, pods refused by quota, Pod Security or admission, an image that three pulls did not get, four crashes
// after the database user is applied, a Job that failed; and, when asked, a pod that no node can take.
[[nodiscard]] ReadinessResult await_readiness(const World& world, const ReadinessGoal& goal,
                                              const ReadinessSteps& steps, const Observer& observer);

// The parts as they are, from objects at hand: for status and tests.
[[nodiscard]] Part deployment_part(std::string_view name, const kubernetes::Object& deployment,
                                   const std::vector<kubernetes::PodTrouble>& troubles);
[[nodiscard]] Part certificate_part(const kubernetes::Object& certificate);

}  // namespace litedesk
