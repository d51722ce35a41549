// litedesk instance: the main job. Plan, make, wait.
#include <array>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/command.hpp"
#include "cli/plan_text.hpp"
#include "cli/progress.hpp"
#include "cli/prompt.hpp"
#include "cli/remember.hpp"
#include "cli/saved_plan.hpp"
#include "cli/session.hpp"
#include "cli/text.hpp"
#include "commands/provision.hpp"
#include "commands/status.hpp"
#include "providers/error.hpp"

namespace litedesk::cli {
namespace {

constexpr std::chrono::milliseconds usual_timeout{600'000};
constexpr int exit_has_changes = 10;

std::vector<std::string> names_of_changes(const Plan& plan) {
  std::vector<std::string> names;
  for (const Change& change : plan.changes) {
    if (change.verb != Verb::none) names.push_back(fmt::format("{} {}", to_string(change.verb), to_string(change.id)));
  }
  return names;
}

Answer plan_answer(const Plan& plan, Session& session) {
  const Printer& printer = session.printer();
  return {.json = to_json(plan),
          .names = names_of_changes(plan),
          .table = {},
          .text = printer.for_people() ? plan_text(plan, printer) : ""};
}

void bind_adopt(Flags& flags, bool& adopt) {
  flags.flag(
      {.names = "--adopt",
       .value = "",
       .help = "take over a namespace, objects and DNS records that were not made for the tenant and that nobody "
               "else owns; the plan lists what else stands in the namespace"},
      adopt);
}

void bind_plan(Flags& flags, InstancePlan& options) {
  flags.argument({.name = "SLUG", .help = "the tenant", .values = Values::slug}, options.slug);
  flags.flag({.names = "--out", .value = "FILE", .help = "save the plan for provision --plan", .values = Values::file},
             options.out);
  flags.flag({.names = "--exit-code", .value = "", .help = "exit with 10 if there are changes"}, options.exit_code);
  bind_adopt(flags, options.adopt);
}

int plan(const InstancePlan& options, Session& session) {
  session.check_known("images.");
  session.stop_requests_when_interrupted();
  const Plan result = plan_instance(session.world(), options.slug, options.adopt);
  if (!options.out.empty()) save_plan(session.runtime().folder / options.out, result, session.patience());
  session.printer().answer(plan_answer(result, session));
  const std::string next = "litedesk instance provision " + result.slug + (options.adopt ? " --adopt" : "");
  if (!options.out.empty()) {
    session.printer().next(fmt::format("{} --plan {}", next, options.out));
  } else if (!result.empty()) {
    session.printer().next(next);
  }
  return options.exit_code && !result.empty() ? exit_has_changes : 0;
}

void bind_provision(Flags& flags, InstanceProvision& options) {
  flags.argument({.name = "SLUG", .help = "the tenant", .values = Values::slug}, options.slug);
  flags.flag({.names = "--plan",
              .value = "FILE",
              .help = "carry out exactly this saved plan, or refuse",
              .values = Values::file},
             options.plan);
  flags.flag({.names = "--dry-run", .value = "", .help = "print the plan and do nothing"}, options.dry_run);
  flags.flag({.names = "--no-wait", .value = "", .help = "do not wait until it is ready"}, options.no_wait);
  flags.flag({.names = "--keep-on-failure", .value = "", .help = "keep what was created if it fails"},
             options.keep_on_failure);
  flags.flag({.names = "--fail-on-unschedulable",
              .value = "",
              .help = "fail if a pod cannot be scheduled, instead of waiting for a node"},
             options.fail_on_unschedulable);
  flags.flag({.names = "--force-conflicts", .value = "", .help = "take over fields that other field managers own"},
             options.force_conflicts);
  flags.flag({.names = "--require-application",
              .value = "",
              .help = "fail if this machine cannot see that the application serves"},
             options.require_application);
  bind_adopt(flags, options.adopt);
  flags.flag({.names = "--confirm", .value = "SLUG", .help = "the slug again, for a plan that deletes something"},
             options.confirm);
}

// The plan as progress: on standard error, before anything is done.
void show_plan(const Plan& plan, Session& session) {
  if (plan.empty()) return;
  std::string text = plan_text(plan, session.printer(), Stream::err);
  if (text.ends_with('\n')) text.pop_back();
  session.printer().note(text);
}

std::string state_text(const ProvisionResult& result) {
  const std::string& slug = result.tenant.slug;
  switch (result.state) {
    case ProvisionState::unchanged:
      return fmt::format("{}: no changes, active at {}", slug, result.tenant.status.url);
    case ProvisionState::active:
      return fmt::format("{} is active at {}  ({})", slug, result.tenant.status.url, elapsed(result.took));
    case ProvisionState::provisioning:
      return fmt::format("{} is being provisioned", slug);
  }
  return {};
}

// With where it is, on the same line where both fit.
std::string result_text(const ProvisionResult& result, const Printer& printer) {
  const std::string state = state_text(result);
  const std::string place = place_text(result.plan.context, result.plan.cluster, 0, printer.utf8());
  if (place.empty()) return state + "\n";
  const bool fits = display_width(state) + 2 + display_width(place) <= printer.width();
  return fmt::format("{}{}{}\n", state, fits ? "  " : "\n  ", place);
}

int print_result(const ProvisionResult& result, Session& session) {
  const std::string& slug = result.tenant.slug;
  remember_tenant(session, result.tenant);
  session.printer().answer({.json = to_json(result),
                            .names = {"instance/" + slug},
                            .table = {},
                            .text = result_text(result, session.printer())});
  session.printer().next(result.state == ProvisionState::provisioning ? "litedesk instance wait " + slug
                                                                      : "litedesk status " + slug);
  return 0;
}

// Inside a handler: what was interrupted while it changed something says itself what became of it.
[[noreturn]] void rethrow_interrupted(const Cancelled& error, std::string_view slug) {
  if (!error.hint().empty()) throw;
  throw Cancelled({.message = fmt::format("interrupted before anything was changed for {}", slug),
                   .hint = fmt::format("start again with: litedesk instance provision {}", slug),
                   .resource = error.resource(),
                   .cause = error.message()});
}

// What Ctrl-C does at each stage of a run, in the words of docs/exit-codes.md.
Interruption::Words words_of(RunStage stage, const std::string& slug, bool keeps) {
  const std::string next = "litedesk instance provision " + slug;
  const auto words = [&](std::string first, std::string second) {
    first += fmt::format("\nCtrl-C again stops at once; to continue then: {}", next);
    return Interruption::Words{std::move(first), "stopped at once: " + second, "continue with: " + next};
  };
  if (stage == RunStage::idle) return {};
  if (keeps || stage == RunStage::keeping)
    return words(fmt::format("interrupted: keeping what was created for {} and releasing its lock", slug),
                 fmt::format("what was created for {} is kept as it is", slug));
  if (stage == RunStage::undoing)
    return words(fmt::format("interrupted: the rollback of {} continues", slug),
                 fmt::format("{} is only partly rolled back", slug));
  if (stage == RunStage::making)
    return words(fmt::format("interrupted: rolling back {} and releasing its lock", slug),
                 fmt::format("{} is not rolled back", slug));
  return words(fmt::format("interrupted: restoring {} to its previous state and releasing its lock", slug),
               fmt::format("{} is only partly changed", slug));
}

std::function<void(RunStage)> tell_stages(Session& session, const std::string& slug, bool keeps) {
  return [interruption = session.runtime().interruption, slug, keeps](RunStage stage) {
    interruption->say(words_of(stage, slug, keeps));
  };
}

int provision_instance(const InstanceProvision& options, Session& session) {
  session.check_known("images.");
  if (options.dry_run) {
    session.stop_requests_when_interrupted();
    session.printer().answer(plan_answer(plan_instance(session.world(), options.slug, options.adopt), session));
    return 0;
  }
  ProvisionOptions how;
  how.slug = options.slug;
  how.wait = !options.no_wait;
  how.keep_on_failure = options.keep_on_failure;
  how.fail_on_unschedulable = options.fail_on_unschedulable;
  how.force_conflicts = options.force_conflicts;
  how.adopt = options.adopt;
  how.require_application = options.require_application;
  how.timeout = session.timeout(usual_timeout);
  if (!options.plan.empty()) {
    const SavedPlan saved = load_plan(session.runtime().folder / options.plan, options.slug, session.patience());
    how.plan_fingerprint = saved.fingerprint;
    how.plan_json = saved.json;
  }
  // Again when a second reading gave another plan: what is confirmed is what is done.
  std::string shown;
  how.on_plan = [&](const Plan& plan) {
    if (shown == fingerprint(plan)) return;
    show_plan(plan, session);
    shown = fingerprint(plan);
    const std::size_t deletions = plan.count(Verb::remove);
    if (deletions == 0) return;
    const auto what =
        fmt::format("delete {} of {}", counted(static_cast<std::int64_t>(deletions), "resource"), plan.slug);
    if (deleted_percent(plan) > most_deleted_percent)
      confirm_by_name(session, what, plan.slug, options.confirm);
    else
      confirm(session, what, plan.slug, options.confirm);
  };
  World& world = session.world();
  how.on_stage = tell_stages(session, options.slug, how.keep_on_failure || !world.settings.auto_rollback);
  ProvisionResult result;
  try {
    Progress progress(session.runtime(), session.printer());
    result = provision(world, how, progress.observer());
  } catch (const Cancelled& error) {
    rethrow_interrupted(error, options.slug);
  }
  return print_result(result, session);
}

void bind_wait(Flags& flags, InstanceWait& options) {
  flags.argument({.name = "SLUG", .help = "the tenant", .values = Values::slug}, options.slug);
  flags.flag({.names = "--for",
              .value = "CONDITION",
              .help = "active (the default), ready, certificate or dns",
              .values = Values::choice,
              .choices = {"active", "ready", "certificate", "dns"}},
             options.condition);
}

bool concerns(const Part& part, const std::string& condition) {
  if (condition == "ready") return part.component;
  return part.name == condition;
}

// Looks again and again at one part. `active` is another thing: that finishes what a --no-wait left.
int wait_for_part(const InstanceWait& options, Session& session) {
  constexpr std::chrono::milliseconds interval{2'000};
  session.stop_requests_when_interrupted();
  World& world = session.world();
  const auto end = world.clock.steady() + session.timeout(usual_timeout);
  Progress progress(session.runtime(), session.printer());
  while (true) {
    const InstanceStatus status = instance_status(world, options.slug);
    bool done = false, waiting = false;
    std::string last;
    Json parts = Json::array();
    for (const Part& part : status.parts) {
      if (!concerns(part, options.condition)) continue;
      const bool ok = part.state == "ok";
      if (part.state == "unknown" && part.reason != "CannotRead")
        throw Failed({.message = fmt::format("the {} of {} cannot be waited for", part.name, options.slug),
                      .hint = "litedesk status " + options.slug,
                      .resource = "instance " + options.slug,
                      .cause = part.message});
      parts.push_back({{"name", part.name},
                       {"state", part.state},
                       {"reason", part.reason},
                       {"message", part.message},
                       {"since", part.since}});
      done = true;
      waiting = waiting || !ok;
      if (!ok) last = fmt::format("{}: {}{}{}", part.name, part.reason, part.reason.empty() ? "" : ": ", part.message);
      progress.step({part.name, ok ? StepState::done : StepState::running, part.message, {}});
    }
    if (status.parts.empty()) {
      throw Conflict({.message = fmt::format("tenant {} has no instance to wait for", options.slug),
                      .hint = "litedesk instance provision " + options.slug,
                      .resource = "tenant " + options.slug,
                      .cause = {}});
    }
    if (done && !waiting) {
      session.printer().answer(
          {.json = {{"slug", options.slug}, {"condition", options.condition}, {"parts", std::move(parts)}},
           .names = {"instance/" + options.slug},
           .table = {},
           .text = fmt::format("{}: {} condition met\n", options.slug, options.condition)});
      return 0;
    }
    if (world.clock.steady() >= end) {
      throw Timeout({.message = fmt::format("timed out waiting for {} of {}", options.condition, options.slug),
                     .hint = "litedesk status " + options.slug,
                     .resource = "instance " + options.slug,
                     .cause = last});
    }
    if (!world.clock.wait(interval, session.interrupted()))
      throw Cancelled("interrupted while waiting for " + options.slug);
  }
}

int wait(const InstanceWait& options, Session& session) {
  session.check_known("images.");
  if (options.condition != "active") return wait_for_part(options, session);
  ProvisionOptions how;
  how.slug = options.slug;
  how.timeout = session.timeout(usual_timeout);
  how.on_plan = [&](const Plan& plan) { show_plan(plan, session); };
  how.on_stage = tell_stages(session, options.slug, true);
  World& world = session.world();
  ProvisionResult result;
  try {
    Progress progress(session.runtime(), session.printer());
    result = wait_instance(world, how, progress.observer());
  } catch (const Cancelled& error) {
    if (!error.hint().empty()) throw;
    throw Cancelled({.message = "interrupted while waiting for " + options.slug,
                     .hint = "wait again with: litedesk instance wait " + options.slug,
                     .resource = error.resource(),
                     .cause = error.message()});
  }
  return print_result(result, session);
}

constexpr std::array commands{
    Command{"instance", "plan", "show what provision would change",
            "Compares the desired state with the live one, field by field. Sends only reads.",
            "litedesk instance plan acme\n"
            "litedesk instance plan acme --out acme.plan\nlitedesk instance provision acme --plan acme.plan",
            binder<InstancePlan, bind_plan>, runner<InstancePlan, plan>},
    Command{
        "instance", "provision", "bring the instance to its desired state",
        "Creates or changes what differs, and waits until it is ready. A second run changes nothing. A failed run is "
        "rolled back (exit 7) unless --keep-on-failure is given.",
        "litedesk instance provision acme\n"
        "litedesk instance provision acme --no-wait\nlitedesk instance provision acme --dry-run",
        binder<InstanceProvision, bind_provision>, runner<InstanceProvision, provision_instance>, Needs::context, true},
    Command{"instance", "wait", "wait for an instance",
            "Finishes what `provision --no-wait` left, waits for another run in progress, or waits for one part.",
            "litedesk instance wait acme --for certificate --timeout 5m", binder<InstanceWait, bind_wait>,
            runner<InstanceWait, wait>},
};

}  // namespace

std::span<const Command> instance_commands() {
  return commands;
}

}  // namespace litedesk::cli
