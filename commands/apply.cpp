#include "commands/apply.hpp"

#include <algorithm>

#include "commands/parallel.hpp"
#include "commands/provenance.hpp"
#include "providers/error.hpp"

namespace litedesk {

namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

// Whether the error is an answer: then nothing was changed.
bool is_answer(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const Error& e) {
    switch (e.code()) {
      case ErrorCode::unavailable:
      case ErrorCode::timeout:
      case ErrorCode::cancelled:
      case ErrorCode::failed:
        return false;
      default:
        return true;
    }
  } catch (...) {
    return false;
  }
}

Outcome failure(std::exception_ptr error) {
  return {is_answer(error) ? OutcomeState::failed : OutcomeState::unknown, {}, std::move(error)};
}

std::string first_line(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& e) {
    const std::string text = e.what();
    return text.substr(0, text.find('\n'));
  }
}

// What the API server needs before what: a pod that starts before its Secret waits for the kubelet's next try.
int order_of(const std::string& kind) {
  static const std::vector<std::string> order = {
      "ServiceAccount", "Secret",      "ConfigMap",  "ResourceQuota", "LimitRange", "NetworkPolicy",
      "Service",        "Certificate", "Deployment", "StatefulSet",   "Job",        "HorizontalPodAutoscaler"};
  const auto found = std::find(order.begin(), order.end(), kind);
  return static_cast<int>(found - order.begin());
}

// What makes pods, what scales those, and what they store on. The rest of a namespace stands before it: a controller
// that meets a workload before its ServiceAccount records a warning and tries again later, a pod that runs before the
// NetworkPolicies is not isolated, and a claim is held against the quota.
bool makes_pods(const std::string& kind) {
  static const std::set<std::string> kinds = {"Deployment",
                                              "StatefulSet",
                                              "DaemonSet",
                                              "ReplicaSet",
                                              "CronJob",
                                              "Job",
                                              "Pod",
                                              "HorizontalPodAutoscaler",
                                              "PersistentVolumeClaim"};
  return kinds.contains(kind);
}

// A quota that was applied a moment ago: the API server refuses what it counts until its controller has counted, and
// until every API server has seen what it allows now.
bool waits_for_quota(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const PermissionDenied& denied) {
    const std::string text = denied.what();
    return text.find("status unknown for quota") != std::string::npos ||
           text.find("exceeded quota") != std::string::npos;
  } catch (...) {
    return false;
  }
}

class Applier {
 public:
  Applier(const World& world, const Plan& plan, const DesiredState& desired, const LiveState& live, ApplyReport& report,
          const Observer& observer)
      : world_(world), plan_(plan), desired_(desired), live_(live), report_(report), observer_(observer) {}

  void run(Wave from, Wave to) {
    std::vector<const Change*> kubernetes, dns;
    const Change* user = nullptr;
    for (const auto& change : plan_.changes) {
      const auto wave = wave_of(change.id);
      if (change.verb == Verb::none || wave < from || wave > to || report_.outcomes.contains(change.id)) continue;
      if (change.id.provider == Provider::kubernetes) kubernetes.push_back(&change);
      if (change.id.provider == Provider::route53) dns.push_back(&change);
      if (change.id.provider == Provider::atlas) user = &change;
    }
    // Only these three lanes write to the report, each to its own entries: made here, so that the map does not move.
    for (const auto* change : kubernetes) report_.outcomes[change->id];
    for (const auto* change : dns) report_.outcomes[change->id];
    if (user != nullptr) report_.outcomes[user->id];
    run_all({
        [&] {
          if (!dns.empty()) dns_lane(dns);
        },
        [&] {
          if (!kubernetes.empty()) kubernetes_lane(kubernetes, from);
        },
        [&] {
          if (user != nullptr) atlas_lane(*user);
        },
    });
  }

 private:
  void say(const char* part, StepState state, std::string message, system::SteadyPoint begin) const {
    if (observer_)
      observer_({part, state, std::move(message), duration_cast<milliseconds>(world_.clock.steady() - begin)});
  }

  Outcome& outcome(const Change& change) { return report_.outcomes.find(change.id)->second; }

  void dns_lane(const std::vector<const Change*>& changes) {
    const auto begin = world_.clock.steady();
    std::vector<route53::RecordChange> batch;
    for (const auto* change : changes) {
      if (change->verb == Verb::remove) {
        batch.push_back({route53::Action::remove, live_record(change->id)});
        continue;
      }
      // Deleting exactly what was read makes the batch fail if somebody was quicker, where an UPSERT would not.
      if (change->verb == Verb::update) batch.push_back({route53::Action::remove, live_record(change->id)});
      batch.push_back({route53::Action::create, wanted_record(change->id)});
    }
    // Deletions first: Route 53 applies the batch in order.
    std::stable_sort(batch.begin(), batch.end(), [](const auto& a, const auto& b) {
      return (a.action == route53::Action::remove) > (b.action == route53::Action::remove);
    });
    Outcome result;
    try {
      const auto info = world_.record_writer.change(*live_.zone, batch, "litedesk: tenant " + plan_.slug);
      if (info.status == route53::ChangeStatus::pending) report_.dns_change_id = info.id;
      result.state = OutcomeState::applied;
      const bool pending = info.status == route53::ChangeStatus::pending;
      say("dns", pending ? StepState::running : StepState::done, pending ? "PENDING" : "INSYNC", begin);
    } catch (...) {
      result = failure(std::current_exception());
      say("dns", StepState::failed, first_line(result.error), begin);
    }
    for (const auto* change : changes) outcome(*change) = result;
  }

  void atlas_lane(const Change& change) {
    const auto begin = world_.clock.steady();
    const auto what = "user " + desired_.user.username;
    say("database", StepState::running, what, begin);
    auto& result = outcome(change);
    try {
      if (change.verb == Verb::create) {
        world_.users.create_user(desired_.user, desired_.database_password);
      } else {
        const auto& labels = live_.user->labels;
        const auto mark = labels.find(std::string(label_password));
        const bool same = mark != labels.end() && mark->second == password_mark(desired_.database_password);
        world_.users.update_user(desired_.user, same ? std::nullopt : std::optional(desired_.database_password));
      }
      result.state = OutcomeState::applied;
      say("database", StepState::done, what, begin);
    } catch (...) {
      result = failure(std::current_exception());
      say("database", StepState::failed, first_line(result.error), begin);
    }
  }

  // What a later wave applies has its own line: the namespace's is done by then.
  static const char* part_of(Wave from) {
    if (from == Wave::after_dns) return "ingress";
    return from == Wave::after_database ? "first data" : "namespace";
  }

  void kubernetes_lane(std::vector<const Change*> changes, Wave from) {
    const auto begin = world_.clock.steady();
    std::stable_sort(changes.begin(), changes.end(), [](const Change* a, const Change* b) {
      return std::pair(wave_of(a->id), order_of(a->id.kind)) < std::pair(wave_of(b->id), order_of(b->id.kind));
    });
    std::vector<const Change*> spaces, rest, workloads, forced, removed;
    for (const auto* change : changes) {
      if (change->verb == Verb::remove)
        removed.push_back(change);
      else if (change->id.kind == "Namespace" && change->verb == Verb::create)
        spaces.push_back(change);
      else if (change->force)
        forced.push_back(change);  // once what else wrote its fields is gone
      else if (makes_pods(change->id.kind))
        workloads.push_back(change);
      else
        rest.push_back(change);
    }
    // A namespace that was created gets its labels along with what is in it.
    rest.insert(rest.begin(), spaces.begin(), spaces.end());
    const auto name_space = names_of(plan_.slug, world_.settings.dns.domain).name_space;
    const auto* const part = part_of(from);
    say(part, StepState::running, name_space, begin);
    const bool done = create_namespaces(spaces) && apply(rest) && apply(workloads) && remove(removed) && apply(forced);
    std::exception_ptr error;
    for (const auto* change : changes)
      if (!error) error = outcome(*change).error;
    if (done)
      say(part, StepState::done, name_space + ", " + counted(changes.size()), begin);
    else
      say(part, StepState::failed, error ? first_line(error) : std::string("interrupted"), begin);
  }

  static std::string counted(std::size_t objects) {
    return std::to_string(objects) + (objects == 1 ? " object" : " objects");
  }

  // A namespace is created and not applied, so that one which somebody else made since it was looked for is refused and
  // not taken over. It carries the run's id: what is there after an answer was lost is ours if it does.
  bool create_namespaces(const std::vector<const Change*>& changes) {
    bool fine = true;
    for (const auto* change : changes) {
      auto& result = outcome(*change);
      try {
        result = {OutcomeState::applied, create_namespace(change->id.name), nullptr};
      } catch (...) {
        result = failure(std::current_exception());
        fine = false;
      }
    }
    return fine;
  }

  std::string create_namespace(const std::string& name) {
    const kubernetes::Object wanted(
        {{"apiVersion", "v1"},
         {"kind", "Namespace"},
         {"metadata",
          {{"name", name},
           {"annotations",
            {{std::string(registry_annotation), live_.registry_id}, {std::string(run_annotation), report_.run}}}}}});
    constexpr int attempts = 3;
    for (int attempt = 1;; ++attempt) {
      try {
        return world_.applier.create(wanted).uid();
      } catch (const Error& error) {
        const bool lost = error.code() == ErrorCode::unavailable || error.code() == ErrorCode::timeout;
        if (error.code() != ErrorCode::conflict && !lost) throw;
        const auto there = world_.objects.get(wanted.ref());
        if (there && there->annotation(run_annotation) == report_.run) return there->uid();
        if (there || attempt == attempts) throw;
      }
    }
  }

  kubernetes::Object to_send(const Change& change) {
    Json json = change.interim.is_null() ? change.desired : change.interim;
    // Another namespace of that name, made since, is no longer the one that is meant: the API server compares.
    if (change.id.kind == "Namespace")
      json["metadata"]["uid"] = change.verb == Verb::create ? outcome(change).uid : change.uid;
    return kubernetes::Object(std::move(json));
  }

  kubernetes::Each<kubernetes::Object> send(const std::vector<kubernetes::Object>& objects, bool force) const {
    try {
      return world_.applier.apply_all(objects, {.force = force});
    } catch (...) {
      // No credentials, no connection at all: the same for each of them.
      return kubernetes::Each<kubernetes::Object>(objects.size(), std::current_exception());
    }
  }

  void send_again_what_waits(const std::vector<kubernetes::Object>& objects, bool force,
                             kubernetes::Each<kubernetes::Object>& results) const {
    constexpr milliseconds longest{10'000}, pause{200};
    const auto end = world_.clock.steady() + longest;
    for (;;) {
      std::vector<std::size_t> waiting;
      for (std::size_t index = 0; index < results.size(); ++index)
        if (const auto* error = std::get_if<std::exception_ptr>(&results[index]))
          if (waits_for_quota(*error)) waiting.push_back(index);
      if (waiting.empty() || world_.clock.steady() >= end || !world_.clock.wait(pause, world_.interrupted)) return;
      std::vector<kubernetes::Object> again;
      for (const auto index : waiting) again.push_back(objects[index]);
      auto sent = send(again, force);
      for (std::size_t index = 0; index < waiting.size(); ++index) results[waiting[index]] = std::move(sent[index]);
    }
  }

  bool apply(const std::vector<const Change*>& changes) {
    if (changes.empty()) return true;
    std::vector<kubernetes::Object> objects;
    objects.reserve(changes.size());
    for (const auto* change : changes) objects.push_back(to_send(*change));
    auto results = send(objects, changes.front()->force);
    if (std::any_of(plan_.changes.begin(), plan_.changes.end(), [](const Change& change) {
          return change.id.kind == "ResourceQuota" && change.verb != Verb::none;
        }))
      send_again_what_waits(objects, changes.front()->force, results);
    bool fine = true;
    for (std::size_t index = 0; index < changes.size(); ++index) {
      auto& result = outcome(*changes[index]);
      if (auto* error = std::get_if<std::exception_ptr>(&results[index])) {
        auto failed = failure(*error);
        if (!result.uid.empty()) failed = {OutcomeState::applied, result.uid, *error};  // it was created all the same
        result = std::move(failed);
        fine = false;
      } else {
        result = {OutcomeState::applied, std::get<kubernetes::Object>(results[index]).uid(), nullptr};
      }
    }
    return fine;
  }

  bool remove(const std::vector<const Change*>& changes) {
    bool fine = true;
    for (const auto* change : changes) {
      auto& result = outcome(*change);
      try {
        world_.applier.remove(kubernetes::Object(change->live).ref(), {.uid = change->uid, .resource_version = {}});
        result.state = OutcomeState::applied;
      } catch (...) {
        result = failure(std::current_exception());
        fine = false;
      }
    }
    return fine;
  }

  const route53::RecordSet& wanted_record(const ResourceId& id) const {
    for (const auto& record : desired_.records) {
      if (record_id(*live_.zone, record.record) == id) return record.record;
      if (record_id(*live_.zone, record.owner) == id) return record.owner;
    }
    throw Failed("no desired record for " + to_string(id));
  }

  const route53::RecordSet& live_record(const ResourceId& id) const {
    for (const auto& host : live_.hosts) {
      for (const auto& record : host.records)
        if (record_id(*live_.zone, record) == id) return record;
      for (const auto& record : host.owner_records)
        if (record_id(*live_.zone, record) == id) return record;
    }
    throw Failed("no live record for " + to_string(id));
  }

  const World& world_;
  const Plan& plan_;
  const DesiredState& desired_;
  const LiveState& live_;
  ApplyReport& report_;
  const Observer& observer_;
};

}  // namespace

std::exception_ptr ApplyReport::first_error() const {
  // A refusal says more than the interruption that it may have caused elsewhere.
  std::exception_ptr first;
  for (const auto& [id, outcome] : outcomes) {
    if (!outcome.error) continue;
    if (outcome.state == OutcomeState::failed) return outcome.error;
    if (!first) first = outcome.error;
  }
  return first;
}

void apply_final_forms(const World& world, const Plan& plan) {
  for (const auto& change : plan.changes)
    if (!change.interim.is_null()) world.applier.apply(kubernetes::Object(change.desired), {});
}

void apply_waves(const World& world, const Plan& plan, const DesiredState& desired, const LiveState& live, Wave from,
                 Wave to, ApplyReport& report, const Observer& observer) {
  Applier(world, plan, desired, live, report, observer).run(from, to);
}

}  // namespace litedesk
