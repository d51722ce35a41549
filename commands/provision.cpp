#include "commands/provision.hpp"

#include <algorithm>
#include <mutex>
#include <set>

#include "commands/application_check.hpp"
#include "commands/apply.hpp"
#include "commands/instance_spec.hpp"
#include "commands/operation.hpp"
#include "commands/preparation.hpp"
#include "commands/provenance.hpp"
#include "commands/readiness.hpp"
#include "providers/error.hpp"
#include "providers/read_json.hpp"

namespace litedesk {

namespace {

using kubernetes::Object;
using kubernetes::ObjectRef;
using std::chrono::duration_cast;
using std::chrono::milliseconds;

// "create kubernetes Deployment instance-acme/backend": what this run may touch, and what an interrupted one made or
// took over before.
std::vector<std::string> make_intent(const Plan& plan, const std::vector<ResourceId>& unfinished) {
  std::set<std::string> intent;
  for (const auto& id : unfinished) intent.insert("create " + to_string(id));
  for (const auto& change : plan.changes) {
    if (change.adopted) intent.insert("adopt " + to_string(change.id));
    if (change.verb != Verb::none && !intent.contains("create " + to_string(change.id)))
      intent.insert(std::string(to_string(change.verb)) + " " + to_string(change.id));
  }
  return {intent.begin(), intent.end()};
}

// What is there now and was made by a provision that did not come to its end: of an instance that never was active, all
// of it (the planner has seen that it is the tenant's), unless it stands in a namespace that was taken over; else what
// the interrupted run noted that it would make.
std::vector<ResourceId> unfinished_resources(const Prepared& prepared) {
  std::vector<ResourceId> unfinished;
  const auto& status = prepared.live.tenant.status;
  const Provenance provenance(prepared.live.tenant);
  const bool all = status.activated_at.empty() && status.namespace_origin != "adopted";
  for (const auto& change : prepared.plan.changes) {
    if (change.verb == Verb::create || change.verb == Verb::remove || change.adopted) continue;
    if (provenance.was_to_be_adopted(change.id)) continue;
    if (all || provenance.was_to_be_created(change.id)) unfinished.push_back(change.id);
  }
  return unfinished;
}

std::string error_text(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& e) {
    return e.what();
  }
}

// A CI job that is terminated has some ten seconds: one request of an undo may take this much of them.
constexpr milliseconds patience_of_job{5'000};

// While it is armed, Ctrl-C and SIGTERM stop the gate.
class StopOnInterrupt {
 public:
  explicit StopOnInterrupt(World& world) { on_stop_.emplace(world.interrupted, Stop{&world.gate}); }
  // Waits for a stop that is under way: from here on the gate stays as it is set.
  void disarm() { on_stop_.reset(); }

 private:
  struct Stop {
    http::Gate* gate;
    void operator()() const { gate->stop(); }
  };
  std::optional<std::stop_callback<Stop>> on_stop_;
};

class Run {
 public:
  Run(World& world, const ProvisionOptions& options, const Observer& observer, Prepared prepared, StopOnInterrupt& stop)
      : world_(world),
        options_(options),
        observer_(noting(observer)),
        prepared_(std::move(prepared)),
        stop_(stop),
        before_(prepared_.live.tenant),
        unfinished_(unfinished_resources(prepared_)),
        begin_(world.clock.steady()) {}

  ProvisionResult execute() {
    operation_.emplace(world_, prepared_.live.document, "provision", make_intent(prepared_.plan, unfinished_),
                       [this](Tenant& tenant) { note_start(tenant); });
    report_.run = operation_->id();
    enter(before_.status.activated_at.empty() ? RunStage::making : RunStage::changing);
    apply(Wave::first, options_.wait ? Wave::namespaced : Wave::after_dns);
    if (world_.interrupted.stop_requested()) fail(ReadinessEnd::interrupted, "interrupted", {});
    if (const auto error = report_.first_error()) fail(ReadinessEnd::failed, error_text(error), {});
    if (!options_.wait) return leave();
    return wait();
  }

 private:
  const Settings& settings() const { return world_.settings; }

  void enter(RunStage stage) const {
    if (options_.on_stage) options_.on_stage(stage);
  }

  // Passes each step on, and notes of which parts there were any.
  Observer noting(const Observer& observer) {
    return [this, observer](const Step& step) {
      {
        const std::lock_guard lock(told_mutex_);
        told_.insert(step.part);
      }
      if (observer) observer(step);
    };
  }

  milliseconds took() const { return duration_cast<milliseconds>(world_.clock.steady() - begin_); }

  void note_start(Tenant& tenant) const {
    auto& status = tenant.status;
    const auto names = names_of(tenant.slug, settings().dns.domain);
    status.phase = Phase::provisioning;
    status.stage = "initiated";
    status.message.clear();
    if (status.provisioned_at.empty()) status.provisioned_at = system::to_rfc3339(world_.clock.now());
    status.database_strategy = settings().database.strategy;
    status.database_host = prepared_.live.cluster->standard_srv;
    status.database_name = database_name(world_.profile(), settings(), tenant.slug);
    status.database_user = names.database_user;
    status.database_secret = names.name_space + "/database";
    status.database_project = settings().database.projects.empty() ? "" : settings().database.projects.front();
    if (!prepared_.desired.records.empty()) {
      const auto& record = prepared_.desired.records.front().record;
      status.dns_record = record.name;
      status.dns_type = record.type;
      status.dns_target = record.values.front();
    }
    status.url = "https://" + names.host;
    status.api_url = status.url + "/api";
    note_namespace(tenant);
    // Until it has come to its end, what was there before counts too.
    const auto wanted = inventory(), hosts_wanted = hosts();
    status.inventory = united(std::move(status.inventory), wanted);
    status.hosts = united(std::move(status.hosts), hosts_wanted);
  }

  // The namespace that is the instance's, once that is certain: at the start where it stands, else when it was created.
  void note_namespace(Tenant& tenant) const {
    auto& status = tenant.status;
    for (const auto& change : prepared_.plan.changes) {
      if (change.id.kind != "Namespace") continue;
      const auto made = report_.outcomes.find(change.id);
      const bool created = change.verb == Verb::create;
      status.namespace_uid = !created ? change.uid : made == report_.outcomes.end() ? "" : made->second.uid;
      if (created || change.adopted || status.namespace_origin.empty())
        status.namespace_origin = change.adopted ? "adopted" : "created";
    }
  }

  static std::vector<std::string> united(std::vector<std::string> some, const std::vector<std::string>& more) {
    some.insert(some.end(), more.begin(), more.end());
    std::sort(some.begin(), some.end());
    some.erase(std::unique(some.begin(), some.end()), some.end());
    return some;
  }

  std::vector<std::string> inventory() const {
    std::vector<std::string> entries;
    for (const auto& json : prepared_.desired.objects) {
      const auto ref = Object(json).ref();
      if (!ref.name_space.empty()) entries.push_back(inventory_entry(ref));
    }
    std::sort(entries.begin(), entries.end());
    return entries;
  }

  std::vector<std::string> hosts() const {
    std::vector<std::string> hosts;
    for (const auto& record : prepared_.desired.records) hosts.push_back(record.host);
    std::sort(hosts.begin(), hosts.end());
    return hosts;
  }

  void note_images(Tenant& tenant) const {
    tenant.status.images.clear();
    for (const auto& json : prepared_.desired.objects) {
      if (json.value("kind", "") != "Deployment") continue;
      tenant.status.images[json["metadata"].value("name", "")] =
          json["spec"]["template"]["spec"]["containers"][0].value("image", "");
    }
  }

  ProvisionResult finish(ProvisionState state, Tenant tenant, std::vector<Part> parts) {
    return {state, std::move(tenant), std::move(prepared_.plan), std::move(parts), took()};
  }

  // It is done but for the record, which tells so: who interrupts now has it told.
  void come_to_end() {
    stop_.disarm();
    world_.gate.reopen();
    enter(RunStage::idle);
  }

  // --no-wait: everything but what needs the database user is there; `instance wait` goes on.
  ProvisionResult leave() {
    come_to_end();
    auto tenant = operation_->release([this](Tenant& t) {
      t.status.stage = "deployment";
      note_namespace(t);
      note_change(t);
      note_images(t);
    });
    std::vector<Part> parts;
    for (const auto& name : deployments()) parts.push_back({name, "waiting", "", "applied", ""});
    return finish(ProvisionState::provisioning, std::move(tenant), std::move(parts));
  }

  std::vector<std::string> names_of_kind(const char* kind) const {
    std::vector<std::string> names;
    for (const auto& json : prepared_.desired.objects)
      if (json.value("kind", "") == kind) names.push_back(json["metadata"].value("name", ""));
    return names;
  }
  std::vector<std::string> deployments() const { return names_of_kind("Deployment"); }

  // The last change at Route 53; one of an earlier run stays until this one makes another.
  void note_change(Tenant& tenant) const {
    if (!report_.dns_change_id.empty()) tenant.status.change_id = report_.dns_change_id;
  }

  // The change to wait for. A run that goes on from an interrupted one may not know it, or Route 53 may have forgotten
  // it: the same records sent once more change nothing and give an id.
  std::string dns_change_to_wait_for() const {
    if (!report_.dns_change_id.empty()) return report_.dns_change_id;
    const bool goes_on = before_.status.phase == Phase::provisioning || before_.status.phase == Phase::failed;
    if (!goes_on || prepared_.desired.records.empty()) return {};
    if (const auto& id = before_.status.change_id; !id.empty() && is_known(id)) return id;
    std::vector<route53::RecordChange> same;
    for (const auto& record : prepared_.desired.records)
      for (const auto* each : {&record.record, &record.owner}) same.push_back({route53::Action::upsert, *each});
    const auto info = world_.record_writer.change(*prepared_.live.zone, same, "litedesk: tenant " + before_.slug);
    return info.status == route53::ChangeStatus::pending ? info.id : std::string();
  }

  bool is_known(const std::string& change_id) const {
    try {
      static_cast<void>(world_.record_writer.get_change(change_id, world_.interrupted));
      return true;
    } catch (const NotFound&) {
      return false;
    } catch (const Unavailable&) {
    } catch (const Timeout&) {
    } catch (const RateLimited&) {
    }
    return true;  // the wait asks again
  }

  // Whether a change that failed since the lock had lapsed can simply be sent once more: it was held back, or it is a
  // server-side apply whose answer came too late.
  static bool can_be_sent_again(const ResourceId& id, const Outcome& outcome) {
    if (!outcome.error) return outcome.state == OutcomeState::skipped;
    try {
      std::rethrow_exception(outcome.error);
    } catch (const Locked&) {
      return true;
    } catch (const Timeout&) {
      return id.provider == Provider::kubernetes;
    } catch (...) {
      return false;
    }
  }

  bool can_go_on() const {
    return std::all_of(report_.outcomes.begin(), report_.outcomes.end(), [](const auto& each) {
      return !each.second.error || can_be_sent_again(each.first, each.second);
    });
  }

  // A process that stood still for longer than its lock lasts, or whose API server was too slow for the renewals, takes
  // the lock back, if nobody else took it, and goes on.
  void apply(Wave from, Wave to) {
    constexpr milliseconds longest{30'000};
    const auto lapses = operation_->lapses();
    const auto apply_now = [&] {
      apply_waves(world_, prepared_.plan, prepared_.desired, prepared_.live, from, to, report_, observer_);
    };
    apply_now();
    if (!report_.first_error() || !can_go_on() || world_.interrupted.stop_requested()) return;
    const auto patience = options_.wait ? std::clamp(options_.timeout - took(), milliseconds(0), longest) : longest;
    if (!operation_->take_back(patience)) return;  // what failed before says more
    if (operation_->lapses() == lapses) return;
    std::erase_if(report_.outcomes, [](const auto& each) { return can_be_sent_again(each.first, each.second); });
    apply_now();
  }

  void apply_wave(Wave wave) {
    apply(wave, wave);
    if (const auto error = report_.first_error()) std::rethrow_exception(error);
  }

  bool has_changes(Wave wave) const {
    return std::any_of(prepared_.plan.changes.begin(), prepared_.plan.changes.end(), [wave](const Change& change) {
      return change.verb != Verb::none && wave_of(change.id) == wave;
    });
  }

  ProvisionResult wait() {
    const auto names = names_of(before_.slug, settings().dns.domain);
    ReadinessGoal goal;
    ReadinessResult ready;
    try {
      goal.name_space = names.name_space;
      goal.tenant = before_.slug;
      goal.deployments = deployments();
      goal.jobs = names_of_kind("Job");
      const auto certificates = names_of_kind("Certificate");
      goal.certificate = certificates.empty() ? "" : certificates.front();
      goal.certificate_unknown = settings().kubernetes.certificates == "per-host" && !prepared_.live.cert_manager;
      goal.dns_change_id = dns_change_to_wait_for();
      goal.database_cluster = settings().database.cluster;
      for (const auto& change : prepared_.plan.changes)
        if (change.id.kind == "ResourceQuota" && change.verb != Verb::none) goal.quotas.push_back(change.id.name);
      goal.fail_on_unschedulable = options_.fail_on_unschedulable;
      goal.timeout = options_.timeout - took();
      if (!goal.dns_change_id.empty() && goal.dns_change_id != before_.status.change_id)
        operation_->update([&](Tenant& t) {
          t.status.stage = "deployment";
          note_namespace(t);
          t.status.change_id = goal.dns_change_id;
        });
      ReadinessSteps steps;
      if (has_changes(Wave::after_dns)) steps.dns_done = [this] { apply_wave(Wave::after_dns); };
      if (has_changes(Wave::after_database)) steps.database_done = [this] { apply_wave(Wave::after_database); };
      ready = await_readiness(world_, goal, steps, observer_);
    } catch (const std::exception& error) {
      fail_with(error);
    }
    if (ready.end != ReadinessEnd::ready) fail(ready.end, ready.reason, ready.details);
    const auto application = prove();
    ready.parts.push_back(application);
    try {
      apply_final_forms(world_, prepared_.plan);
    } catch (const std::exception& error) {
      fail_with(error);
    }
    come_to_end();
    auto tenant = operation_->release([&](Tenant& t) {
      const auto now = system::to_rfc3339(world_.clock.now());
      t.status.phase = Phase::active;
      t.status.stage = "complete";
      t.status.health = "healthy";
      t.status.message.clear();
      t.status.change_id.clear();
      note_namespace(t);
      t.status.inventory = inventory();
      t.status.hosts = hosts();
      if (t.status.activated_at.empty()) t.status.activated_at = now;
      note_images(t);
      t.status.application = {application.state, application.message, application.since};
    });
    return finish(ProvisionState::active, std::move(tenant), std::move(ready.parts));
  }

  // All is there: whether it also serves is asked from outside, as customers will.
  Part prove() {
    if (!settings().app.check) return {"application", "unknown", "", "app.check is off", ""};
    const auto host = names_of(before_.slug, settings().dns.domain).host;
    const ProofOptions how{prepared_.live.load_balancer, options_.require_application, options_.timeout - took()};
    ApplicationAnswer answer;
    try {
      answer = prove_it_serves(world_, host, how, observer_);
    } catch (const Cancelled&) {
      fail(ReadinessEnd::interrupted, "interrupted", {});
    }
    const auto reason = "application: " + answer.message;
    if (answer.serving == Serving::no) fail(ReadinessEnd::failed, reason, {});
    const bool missing = answer.serving == Serving::unknown && options_.require_application;
    if (answer.serving == Serving::not_yet || missing) fail(ReadinessEnd::timed_out, reason, {});
    if (answer.serving == Serving::unknown && world_.warn)
      world_.warn("whether " + before_.slug + " serves is unknown: " + answer.message);
    return {"application", std::string(to_state(answer.serving)), "", answer.message,
            system::to_rfc3339(world_.clock.now())};
  }

  std::string resume_hint() const { return "continue with: litedesk instance provision " + before_.slug; }

  static std::string joined(const std::vector<std::string>& lines) {
    std::string text;
    for (const auto& line : lines) text += (text.empty() ? "" : "\n") + line;
    return text;
  }

  static std::string with(const std::string& line, std::vector<std::string> lines) {
    if (!line.empty()) lines.insert(lines.begin(), line);
    return joined(lines);
  }

  [[noreturn]] void fail_with(const std::exception& error) {
    const bool stopped = world_.interrupted.stop_requested();
    fail(stopped ? ReadinessEnd::interrupted : ReadinessEnd::failed, stopped ? "interrupted" : error.what(), {});
  }

  [[noreturn]] void fail(ReadinessEnd end, const std::string& reason, const std::vector<std::string>& details) {
    const std::string resource = "instance " + before_.slug;
    const bool keeps = options_.keep_on_failure || !settings().auto_rollback;
    enter(keeps ? RunStage::keeping : RunStage::undoing);
    // From here on a signal does not stop what puts things right; a second one ends the process.
    stop_.disarm();
    world_.gate.reopen();
    // Out of reach, the undo says what it could not do.
    if (!operation_->lost()) static_cast<void>(operation_->take_back(milliseconds(0)));
    if (operation_->lost())
      throw Locked({.message = "the lock of tenant " + before_.slug + " was lost to another run, and this one stopped",
                    .hint = "check with: litedesk status " + before_.slug,
                    .resource = resource,
                    .cause = reason});
    if (keeps) keep(end, reason, details, resource);
    roll_back(end, reason, details, resource);
  }

  // The last write to the record after a failure: it must not hide that failure. Returns why it could not be made, for
  // the cause; empty when it was.
  std::string note_end(const std::function<void(Tenant&)>& change) {
    try {
      operation_->release(change);
      return {};
    } catch (const std::exception& error) {
      const std::string text = error.what();
      return "its record could not be written: " + text.substr(0, text.find('\n'));
    }
  }

  [[noreturn]] void keep(ReadinessEnd end, const std::string& reason, const std::vector<std::string>& details,
                         const std::string& resource) {
    const auto unwritten = note_end([&](Tenant& t) {
      t.status.phase = end == ReadinessEnd::failed ? Phase::failed : Phase::provisioning;
      t.status.message = reason.substr(0, 1000);
      note_namespace(t);
      note_change(t);
      note_images(t);
    });
    const auto cause = with(unwritten, details);
    if (end == ReadinessEnd::interrupted)
      throw Cancelled({.message = "interrupted; what was created for " + before_.slug + " is kept",
                       .hint = resume_hint(),
                       .resource = resource,
                       .cause = unwritten});
    if (end == ReadinessEnd::timed_out)
      throw Timeout({.message = before_.slug + " is " + reason + "; what was created is kept",
                     .hint = resume_hint(),
                     .resource = resource,
                     .cause = cause});
    throw Failed({.message = "provisioning " + before_.slug + " failed, and what was created is kept: " + reason,
                  .hint = "fix the cause, then " + resume_hint(),
                  .resource = resource,
                  .cause = cause});
  }

  [[noreturn]] void roll_back(ReadinessEnd end, const std::string& reason, const std::vector<std::string>& details,
                              const std::string& resource) {
    const bool first = before_.status.activated_at.empty();
    UndoOptions how;
    how.adopted = unfinished_;
    how.told = told_;
    how.wait_until_gone = end != ReadinessEnd::interrupted;
    if (end == ReadinessEnd::interrupted) how.request_patience = patience_of_job;
    const auto undone = undo(world_, prepared_.plan, prepared_.desired, prepared_.live, report_, how, observer_);
    const auto unwritten = note_end([&](Tenant& t) {
      const auto running = std::move(t.status);
      t.status = before_.status;
      t.status.operation = running.operation;
      // What is left or on its way out is still the tenant's.
      if (!undone.left.empty() || !how.wait_until_gone) note_namespace(t);
      if (!undone.left.empty()) {
        t.status.inventory = running.inventory;
        t.status.hosts = running.hosts;
      }
      t.status.phase = first || !undone.left.empty() ? Phase::failed : Phase::active;
      t.status.message = reason.substr(0, 1000);
    });
    if (!undone.left.empty() && end == ReadinessEnd::interrupted)
      throw Cancelled({.message = "interrupted; not all of " + before_.slug + " could be undone",
                       .hint = resume_hint() + ", or remove what is left: " + joined(undone.left),
                       .resource = resource,
                       .cause = unwritten});
    if (!undone.left.empty())
      throw Failed(
          {.message = "provisioning " + before_.slug + " failed (" + reason + "), and not all of it could be undone",
           .hint = "run it again to continue, or remove what is left: " + joined(undone.left),
           .resource = resource,
           .cause = with(unwritten, details)});
    const bool alone = before_.status.namespace_origin != "adopted" &&
                       std::none_of(prepared_.plan.changes.begin(), prepared_.plan.changes.end(),
                                    [](const Change& change) { return change.adopted; });
    const std::string state = first && alone ? "nothing of it is left" : "it is back in its previous state";
    if (end == ReadinessEnd::interrupted)
      throw Cancelled({.message = "interrupted; provisioning " + before_.slug + " was undone: " + state,
                       .hint = "start again with: litedesk instance provision " + before_.slug,
                       .resource = resource,
                       .cause = unwritten});
    throw RolledBack({.message = "provisioning " + before_.slug + " was rolled back, " + state + ": " + reason,
                      .hint = "fix the cause and run it again; --keep-on-failure keeps what was created",
                      .resource = resource,
                      .cause = with(unwritten, details)});
  }

  World& world_;
  const ProvisionOptions& options_;
  std::mutex told_mutex_;
  std::set<std::string> told_;
  const Observer observer_;
  Prepared prepared_;
  StopOnInterrupt& stop_;
  Tenant before_;
  std::vector<ResourceId> unfinished_;
  system::SteadyPoint begin_;
  ApplyReport report_;
  std::optional<Operation> operation_;
};

void check_saved_plan(const ProvisionOptions& options, const Plan& plan) {
  if (!options.plan_fingerprint || *options.plan_fingerprint == fingerprint(plan)) return;
  constexpr std::size_t most = 20;
  auto changes = changes_since(parse_json(options.plan_json), plan);
  if (changes.empty()) changes.emplace_back("the plan was made by another version of litedesk");
  if (changes.size() > most) {
    const auto more = changes.size() - most;
    changes.resize(most);
    changes.push_back("and " + std::to_string(more) + " more");
  }
  std::string cause;
  for (const auto& line : changes) cause += (cause.empty() ? "" : "\n") + line;
  throw Conflict({.message = "the world has moved since the plan for " + plan.slug + " was saved",
                  .hint = "make a new one: litedesk instance plan " + plan.slug + " --out FILE",
                  .resource = "instance " + plan.slug,
                  .cause = std::move(cause)});
}

void check_conflicts(const ProvisionOptions& options, Plan& plan) {
  for (auto& change : plan.changes) {
    if (change.conflict.empty()) continue;
    if (options.force_conflicts) {
      change.force = true;
      continue;
    }
    throw Conflict({.message = to_string(change.id) + " has fields that other field managers own: " + change.conflict,
                    .hint = "have them release these fields, or take them over with --force-conflicts",
                    .resource = to_string(change.id),
                    .cause = {}});
  }
}

enum class Scope { all, rest };  // the rest: only what a provision that was begun has left

// Of what `instance wait` finishes, nothing is changed or deleted that a run did not note before.
void check_rest(const Plan& plan) {
  for (const auto& change : plan.changes) {
    const bool noted = change.verb == Verb::create || change.verb == Verb::none || !change.note.empty();
    if (noted) continue;
    throw Conflict(
        {.message = "the desired state of " + plan.slug + " has changed since: it would " +
                    std::string(to_string(change.verb)) + " " + to_string(change.id),
         .hint = "see litedesk instance plan " + plan.slug + ", then litedesk instance provision " + plan.slug,
         .resource = "instance " + plan.slug,
         .cause = {}});
  }
}

// Reads, plans and takes the lock, again if the record moved in between; then does it.
ProvisionResult run(World& world, const ProvisionOptions& options, Scope scope, SilentHolders& silent,
                    const Observer& observer) {
  if (!world.settings.provisioning_enabled)
    throw Disabled(
        {.message = "provisioning is switched off in context " + world.settings.context,
         .hint = "switch it on with ENABLE_INSTANCE_PROVISIONING=true or `provisioning: enabled` in the context",
         .resource = "context " + world.settings.context,
         .cause = {}});
  StopOnInterrupt stop(world);
  constexpr int attempts = 5;
  for (int attempt = 1;; ++attempt) {
    auto prepared = prepare(world, options.slug, {options.adopt, options.timeout}, observer);
    const auto& status = prepared.live.tenant.status;
    if (wait_for_lock(world, prepared.live.document, silent, observer)) continue;
    check_saved_plan(options, prepared.plan);
    if (scope == Scope::rest) check_rest(prepared.plan);
    check_conflicts(options, prepared.plan);
    if (options.on_plan) options.on_plan(prepared.plan);
    if (prepared.plan.empty() && status.phase == Phase::active && !status.operation) {
      ProvisionResult result;
      result.tenant = prepared.live.tenant;
      result.plan = std::move(prepared.plan);
      return result;
    }
    claim_hosts(world, prepared.live);
    Run one(world, options, observer, std::move(prepared), stop);
    try {
      return one.execute();
    } catch (const Conflict&) {
      // Only taking the lock throws this: somebody wrote to the record since it was read.
      if (attempt >= attempts) throw;
    }
  }
}

}  // namespace

Plan plan_instance(World& world, std::string_view slug, bool adopt) {
  return prepare(world, slug, {adopt, {}}).plan;
}

ProvisionResult provision(World& world, const ProvisionOptions& options, const Observer& observer) {
  SilentHolders silent;
  return run(world, options, Scope::all, silent, observer);
}

ProvisionResult wait_instance(World& world, const ProvisionOptions& options, const Observer& observer) {
  constexpr milliseconds between_looks{1'000};
  const auto begin = world.clock.steady();
  auto waiting = options;
  waiting.wait = true;
  waiting.keep_on_failure = true;
  SilentHolders silent;
  for (;;) {
    const auto took = duration_cast<milliseconds>(world.clock.steady() - begin);
    waiting.timeout = std::max(milliseconds(0), options.timeout - took);
    ProvisionResult result;
    result.tenant = get_tenant(world.registry, options.slug);
    result.took = took;
    const auto& status = result.tenant.status;
    if (status.phase == Phase::active && !status.operation) {
      result.state = ProvisionState::active;
      result.plan.slug = options.slug;
      result.plan.context = world.settings.context;
      if (world.cluster_name) result.plan.cluster = world.cluster_name();
      return result;
    }
    if (status.phase != Phase::provisioning && !status.operation)
      throw Conflict({.message = "tenant " + options.slug + " is not being provisioned" +
                                 (status.phase == Phase::failed ? ": it failed" : ""),
                      .hint = "litedesk instance provision " + options.slug,
                      .resource = "tenant " + options.slug,
                      .cause = status.message});
    try {
      const auto document = world.registry.get(options.slug);
      if (!document || wait_for_lock(world, *document, silent, observer)) continue;
      return run(world, waiting, Scope::rest, silent, observer);
    } catch (const Locked& error) {
      // Another run is at it, and lives: that one is watched.
      if (waiting.timeout.count() == 0)
        throw Timeout({.message = options.slug + " is not active yet",
                       .hint = "litedesk status " + options.slug,
                       .resource = "instance " + options.slug,
                       .cause = error.message()});
      if (observer) observer({"lock", StepState::running, error.message(), took});
    }
    if (!world.clock.wait(between_looks, world.interrupted)) throw Cancelled("the wait was cancelled");
  }
}

Json to_json(const ProvisionResult& result) {
  static constexpr const char* states[] = {"unchanged", "active", "provisioning"};
  Json parts = Json::array();
  for (const auto& part : result.parts)
    parts.push_back({{"name", part.name},
                     {"state", part.state},
                     {"reason", part.reason},
                     {"message", part.message},
                     {"since", part.since}});
  return {{"state", states[static_cast<int>(result.state)]},
          {"context", result.plan.context},
          {"cluster", result.plan.cluster},
          {"tenant", to_json(result.tenant)},
          {"plan", to_json(result.plan)},
          {"parts", std::move(parts)},
          {"tookMilliseconds", result.took.count()}};
}

}  // namespace litedesk
