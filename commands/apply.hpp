// Doing what a plan says, and undoing exactly that.
#pragma once

#include <exception>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "commands/desired_state.hpp"
#include "commands/planner.hpp"
#include "commands/world.hpp"

namespace litedesk {

enum class OutcomeState {
  applied,
  failed,   // the provider refused: nothing changed
  unknown,  // no answer: it may have taken effect
  skipped,  // not sent, since something before it failed
};

struct Outcome {
  OutcomeState state = OutcomeState::skipped;
  std::string uid;  // of the Kubernetes object, after it was applied
  std::exception_ptr error;
};

// One Outcome a change, by its resource. Partial failure is data.
struct ApplyReport {
  std::string run;  // the operation's id, which the namespace that it creates carries (commands/provenance)
  std::map<ResourceId, Outcome> outcomes;
  std::string dns_change_id;  // of the batch; empty when there was none or it is INSYNC already
  [[nodiscard]] std::exception_ptr first_error() const;  // null when all went well
};

// Applies the changes of the waves `from` to `to` (inclusive). The three providers work at the same time; a provider
// stops at its first failure, and the others end what they have sent.
void apply_waves(const World& world, const Plan& plan, const DesiredState& desired, const LiveState& live, Wave from,
                 Wave to, ApplyReport& report, const Observer& observer);

// Applies the final form of what was applied in an interim form (Change::interim), once the instance is ready.
void apply_final_forms(const World& world, const Plan& plan);

// What an undo left behind, and why; empty when everything is as before.
struct UndoReport {
  std::vector<std::string> left;
};

struct UndoOptions {
  // What an earlier, interrupted run of the same first provision made: undone along with this run's own.
  std::vector<ResourceId> adopted;
  std::chrono::milliseconds budget{60'000};            // for all of it
  std::chrono::milliseconds request_patience{15'000};  // for one request
  bool wait_until_gone = true;  // false after SIGTERM: the requests are sent, the namespace goes by itself
  // The parts that the observer was told of: those that go with the namespace are told of once more.
  std::set<std::string> told;
};

// Reverses each change that this run made, newest first: created → deleted by UID, updated → as it was, deleted →
// created again. What may have been made (no answer) is looked up first.
[[nodiscard]] UndoReport undo(const World& world, const Plan& plan, const DesiredState& desired, const LiveState& live,
                              const ApplyReport& report, const UndoOptions& options, const Observer& observer);

}  // namespace litedesk
