// Why a pod does not run, from its status alone (kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle).
#include <algorithm>
#include <array>

#include <fmt/core.h>

#include "providers/kubernetes/rollout_status.hpp"

namespace litedesk::kubernetes {

namespace {

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

// How a container's run ended.
struct Ending {
  std::string reason;
  std::string message;
  std::int64_t exit_code = 0;
};

std::optional<Ending> ending_of(const Object& container, const std::string& state) {
  if (!container.at(state + ".terminated").is_object()) return std::nullopt;
  return Ending{container.text(state + ".terminated.reason"), container.text(state + ".terminated.message"),
                container.integer(state + ".terminated.exitCode", 0)};
}

std::string describe(const Ending& ending) {
  auto text = fmt::format("exit code {}", ending.exit_code);
  if (!ending.reason.empty() && !is_one_of(ending.reason, {"Error", "Completed"})) text += " (" + ending.reason + ")";
  return ending.message.empty() ? text : text + ": " + ending.message;
}

// What of a crash is its name: OOMKilled tells more than CrashLoopBackOff.
PodTrouble crash(PodTrouble trouble, const Ending& ending, std::string_view otherwise) {
  trouble.crash = true;
  trouble.exit_code = ending.exit_code;
  trouble.reason = ending.reason.empty() || is_one_of(ending.reason, {"Error", "Completed"}) ? std::string(otherwise)
                                                                                             : ending.reason;
  trouble.message = describe(ending);
  return trouble;
}

PodTrouble waiting_trouble(const Object& container, PodTrouble trouble) {
  trouble.reason = container.text("state.waiting.reason");
  trouble.message = container.text("state.waiting.message");
  trouble.image =
      is_one_of(trouble.reason, {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull",
                                 "ImageInspectError", "RegistryUnavailable", "SignatureValidationFailed"});
  trouble.final = is_one_of(trouble.reason, {"InvalidImageName", "CreateContainerConfigError", "ErrImageNeverPull"});
  if (trouble.reason == "CrashLoopBackOff") {
    // The waiting message tells only of the back-off; the cause is how the last run ended.
    if (const auto last = ending_of(container, "lastState"))
      return crash(std::move(trouble), *last, "CrashLoopBackOff");
    trouble.crash = true;
  } else if (trouble.reason == "RunContainerError") {
    trouble.crash = true;
  }
  return trouble;
}

std::optional<PodTrouble> container_trouble(const Object& container, bool init, bool restarts_always) {
  PodTrouble trouble;
  trouble.container = container.text("name");
  trouble.restarts = container.integer("restartCount", 0);

  const auto waiting = container.text("state.waiting.reason");
  const auto last = ending_of(container, "lastState");
  if (is_one_of(waiting, {"", "ContainerCreating", "PodInitializing"})) {
    if (const auto ended = ending_of(container, "state")) {
      const bool ended_well = ended->exit_code == 0 && (init || !restarts_always);
      if (ended_well) return std::nullopt;
      return crash(std::move(trouble), *ended, ended->reason.empty() ? "Error" : ended->reason);
    }
    // Started anew after a crash, and not yet (or no longer) well.
    if (container.at("ready") != true && trouble.restarts > 0 && last && last->exit_code != 0)
      return crash(std::move(trouble), *last, last->reason.empty() ? "Error" : last->reason);
    return std::nullopt;
  }
  return waiting_trouble(container, std::move(trouble));
}

void add_pod_level(const Object& pod, std::vector<PodTrouble>& troubles) {
  const auto add = [&troubles](std::string reason, std::string message) -> PodTrouble& {
    auto& trouble = troubles.emplace_back();
    trouble.reason = std::move(reason);
    trouble.message = std::move(message);
    return trouble;
  };
  const auto scheduled = find_condition(pod, "PodScheduled");
  if (scheduled && scheduled->status == "False")
    add(scheduled->reason.empty() ? "Unschedulable" : scheduled->reason, scheduled->message).unschedulable =
        scheduled->reason != "SchedulingGated";
  // Evicted, DeadlineExceeded, NodeLost, UnexpectedAdmissionError, ...
  if (auto reason = pod.text("status.reason"); !reason.empty()) {
    add(std::move(reason), pod.text("status.message"));
  } else if (const auto disrupted = find_condition(pod, "DisruptionTarget"); disrupted && disrupted->status == "True") {
    add(disrupted->reason.empty() ? "DisruptionTarget" : disrupted->reason, disrupted->message);
  } else if (pod.text("status.phase") == "Unknown") {
    add("Unknown", "the node does not report");
  }
}

}  // namespace

std::optional<PodTrouble> probe_trouble(std::string_view reason, const std::string& message) {
  if (reason != "Unhealthy") return std::nullopt;
  PodTrouble trouble;
  trouble.reason = "Unhealthy";
  trouble.message = message;
  // "Startup probe failed: dial tcp 10.1.2.3:80: connect: connection refused"
  constexpr std::string_view refused = ": connect: connection refused";
  const auto end = message.rfind(refused);
  const auto colon = end == std::string::npos || end == 0 ? std::string::npos : message.rfind(':', end - 1);
  if (colon == std::string::npos) return trouble;
  const auto port = message.substr(colon + 1, end - colon - 1);
  if (!port.empty() && port.find_first_not_of("0123456789") == std::string::npos)
    trouble.message = "nothing listens on " + port;
  return trouble;
}

std::vector<PodTrouble> pod_troubles(const Object& pod) {
  std::vector<PodTrouble> troubles;
  add_pod_level(pod, troubles);
  const auto policy = pod.text("spec.restartPolicy");
  const bool restarts_always = policy.empty() || policy == "Always";
  for (const auto* list : {"status.initContainerStatuses", "status.containerStatuses"}) {
    const auto& statuses = pod.at(list);
    if (!statuses.is_array()) continue;
    const bool init = std::string_view(list) == "status.initContainerStatuses";
    for (const auto& status : statuses)
      if (auto trouble = container_trouble(Object(status), init, restarts_always))
        troubles.push_back(std::move(*trouble));
  }
  return troubles;
}

}  // namespace litedesk::kubernetes
