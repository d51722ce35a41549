// Making one instance what it shall be: plan, lock, apply, wait, and undo when it fails.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "commands/plan.hpp"
#include "commands/tenant.hpp"
#include "commands/world.hpp"

namespace litedesk {

// Reads only. Throws NotFound for a slug that is not registered, Conflict for a shared tenant or a terminated one, a
// namespace or a DNS record that was not made for it (with `adopt`: that somebody else owns), a cluster that is not the
// pinned one.
[[nodiscard]] Plan plan_instance(World& world, std::string_view slug, bool adopt = false);

// What an interruption meets: nothing to undo or to give back, or something that comes to its end first.
enum class RunStage {
  idle,      // reads, waits for others; it stops at once
  making,    // an instance that never was active: what was made is undone, or kept where that was asked for
  changing,  // one that was: put back as it was, or kept
  undoing,   // after a failure or an interruption
  keeping,
};

struct ProvisionOptions {
  std::string slug;
  bool wait = true;  // false: --no-wait
  bool keep_on_failure = false;
  bool fail_on_unschedulable = false;
  bool force_conflicts = false;      // take over fields that other managers own
  bool require_application = false;  // nobody answering at the instance's host is a failure
  bool adopt = false;                // take over a namespace, objects and record sets that nobody else owns
  std::chrono::milliseconds timeout{600'000};
  std::optional<std::string> plan_fingerprint;  // --plan: do exactly that plan, or Conflict
  std::string plan_json;                        // what the saved plan said, for the message
  std::function<void(const Plan&)> on_plan;     // once it is known, before anything is done
  std::function<void(RunStage)> on_stage;       // at each change
};

enum class ProvisionState { unchanged, active, provisioning };

struct Part {         // one line of the result: what `provision` and `status` tell of a part
  std::string name;   // "namespace" "ingress" "database" "dns" "certificate" "application" "first data", a component's
  std::string state;  // ok | waiting | failed | unknown
  std::string reason, message, since;
  bool component = false;  // of the application's profile: "backend", "frontend"
};

struct ProvisionResult {
  ProvisionState state = ProvisionState::unchanged;
  Tenant tenant;
  Plan plan;
  std::vector<Part> parts;
  std::chrono::milliseconds took{0};
};

// Throws what plan_instance throws; Conflict also for fields that other managers own, unless forced; Disabled when the
// context does not allow provisioning; Locked (who holds it); RolledBack when it failed and all that this run made is
// undone (the reason and the last log lines are the cause); Failed or Timeout when it is kept; Cancelled after Ctrl-C.
[[nodiscard]] ProvisionResult provision(World& world, const ProvisionOptions& options, const Observer& observer);
// Waits until the tenant is active: finishes what a provision --no-wait left, or watches another run that is at it.
// Throws Conflict when nothing is under way, or when the desired state has changed since (a provision's business).
[[nodiscard]] ProvisionResult wait_instance(World& world, const ProvisionOptions& options, const Observer& observer);

[[nodiscard]] Json to_json(const ProvisionResult& result);  // docs/json/provision.schema.json

}  // namespace litedesk
