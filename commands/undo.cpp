#include <algorithm>
#include <set>

#include "commands/apply.hpp"
#include "commands/field_diff.hpp"
#include "commands/parallel.hpp"
#include "commands/provenance.hpp"
#include "commands/wait_gone.hpp"
#include "providers/error.hpp"
#include "providers/system/hash.hpp"
#include "providers/system/sealed.hpp"

namespace litedesk {

namespace {

using kubernetes::Object;
using kubernetes::ObjectRef;

class PatienceOfGate {
 public:
  PatienceOfGate(http::Gate& gate, std::chrono::milliseconds longest) : gate_(gate) { gate_.set_patience(longest); }
  PatienceOfGate(const PatienceOfGate&) = delete;
  PatienceOfGate& operator=(const PatienceOfGate&) = delete;
  ~PatienceOfGate() { gate_.set_patience(std::nullopt); }

 private:
  http::Gate& gate_;
};

class Undoer {
 public:
  Undoer(const World& world, const Plan& plan, const DesiredState& desired, const LiveState& live,
         const ApplyReport& report, const UndoOptions& options, const Observer& observer)
      : world_(world),
        plan_(plan),
        desired_(desired),
        live_(live),
        report_(report),
        options_(options),
        observer_(observer),
        begin_(world.clock.steady()) {
    for (const auto& id : options.adopted) adopted_.insert(id);
  }

  UndoReport run() {
    const PatienceOfGate patience(world_.gate, options_.request_patience);
    std::vector<const Change*> mine;
    for (const auto& change : plan_.changes)
      if (touched(change)) mine.push_back(&change);
    std::reverse(mine.begin(), mine.end());

    std::vector<const Change*> kubernetes, dns, users;
    for (const auto* change : mine) {
      auto& lane = change->id.provider == Provider::kubernetes ? kubernetes
                   : change->id.provider == Provider::route53  ? dns
                                                               : users;
      lane.push_back(change);
    }
    std::vector<std::string> left[3];
    run_all({
        [&] { kubernetes_lane(kubernetes, left[0]); },
        [&] { dns_lane(dns, left[1]); },
        [&] { user_lane(users, left[2]); },
    });
    UndoReport result;
    for (auto& lane : left) result.left.insert(result.left.end(), lane.begin(), lane.end());
    return result;
  }

 private:
  bool adopted(const Change& change) const { return adopted_.contains(change.id); }

  // Made or changed by this run or by the one that it goes on from, for certain or perhaps.
  bool touched(const Change& change) const {
    if (adopted(change)) return true;
    const auto found = report_.outcomes.find(change.id);
    return found != report_.outcomes.end() &&
           (found->second.state == OutcomeState::applied || found->second.state == OutcomeState::unknown);
  }

  bool created(const Change& change) const { return change.verb == Verb::create || adopted(change); }

  void say(const std::string& part, StepState state, const std::string& message) const {
    if (observer_) observer_({part, state, message, elapsed()});
  }
  std::chrono::milliseconds elapsed() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(world_.clock.steady() - begin_);
  }

  // Runs one step of the undo; a failure is remembered, and the others go on.
  void attempt(const std::string& part, const ResourceId& id, std::vector<std::string>& left,
               const std::function<void()>& step) const {
    try {
      step();
    } catch (const std::exception& error) {
      left.push_back(to_string(id) + " (" + error.what() + ")");
      say(part, StepState::failed, "could not be rolled back: " + id.kind + " " + id.name);
    }
  }

  // The UID of what this run made; of what may have been made, as it is there now. Empty when it is not there, or when
  // it is somebody else's after all.
  std::string created_uid(const Change& change, const ObjectRef& ref) const {
    const auto found = report_.outcomes.find(change.id);
    if (found != report_.outcomes.end() && !found->second.uid.empty()) return found->second.uid;
    if (!change.uid.empty()) return change.uid;
    const auto object = world_.objects.get(ref);
    if (!object) return {};
    if (ref.type.kind == "Namespace" && object->annotation(run_annotation) != report_.run) return {};
    return object->uid();
  }

  // How far a namespace has gone.
  enum class Gone { not_at_all, under_way, yes };

  void kubernetes_lane(const std::vector<const Change*>& changes, std::vector<std::string>& left) const {
    if (changes.empty()) return;
    const Change* name_space = nullptr;
    for (const auto* change : changes)
      if (change->id.kind == "Namespace" && created(*change)) name_space = change;
    for (const auto* change : changes) {
      // What lies in a namespace that goes, goes with it.
      if (name_space != nullptr && change != name_space && !change->id.scope.empty()) continue;
      if (change != name_space) attempt("namespace", change->id, left, [&] { revert(*change); });
    }
    if (name_space == nullptr) {
      wait_for_removed(changes, left);
      if (left.empty()) tell_of_parts("restored", "restored");
      return;
    }
    auto gone = Gone::not_at_all;
    attempt("namespace", name_space->id, left, [&] { remove_namespace(*name_space, gone, left); });
    if (gone == Gone::yes)
      tell_of_parts(left.empty() ? "removed" : "", "removed");
    else if (gone != Gone::not_at_all)
      tell_of_parts(name_space->id.name + " is being deleted", "is deleted with its namespace");
  }

  // What lay in the namespace must not stand there as ready when it has gone.
  void tell_of_parts(const std::string& of_namespace, const std::string& of_rest) const {
    if (!of_namespace.empty()) say("namespace", StepState::undone, of_namespace);
    for (const auto& part : options_.told)
      if (part != "namespace" && part != "database" && part != "dns" && part != "lock")
        say(part, StepState::undone, of_rest);
  }

  void revert(const Change& change) const {
    const ObjectRef ref = Object(change.live.is_null() ? change.desired : change.live).ref();
    say("namespace", StepState::running, "undoing " + ref.type.kind + " " + ref.name);
    if (created(change)) {
      const auto uid = created_uid(change, ref);
      if (!uid.empty()) world_.applier.remove(ref, {.uid = uid, .resource_version = {}});
      return;
    }
    auto before = extract_applied(change.live, "litedesk");
    if (before.is_null()) {
      // Nothing of it was ours before: applying no field at all gives back those that this run took.
      before = {
          {"apiVersion", change.live["apiVersion"]}, {"kind", change.live["kind"]}, {"metadata", {{"name", ref.name}}}};
      if (!ref.name_space.empty()) before["metadata"]["namespace"] = ref.name_space;
    }
    world_.applier.apply(Object(std::move(before)), {});
  }

  // A volume stays until the last pod that mounts it has gone: until then its name is taken.
  void wait_for_removed(const std::vector<const Change*>& changes, std::vector<std::string>& left) const {
    if (!options_.wait_until_gone) return;
    for (const auto* change : changes) {
      if (change->id.kind != "PersistentVolumeClaim" || !created(*change)) continue;
      attempt("namespace", change->id, left, [&] {
        const ObjectRef ref = Object(change->desired).ref();
        const auto object = world_.objects.get(ref);
        if (!object || !object->deleting()) return;
        const auto holder =
            wait_until_gone(world_, ref, object->uid(), options_.budget - elapsed(), world_.interrupted);
        if (holder && !world_.interrupted.stop_requested())
          left.push_back(to_string(change->id) + " (" + *holder + ")");
      });
    }
  }

  void remove_namespace(const Change& change, Gone& gone, std::vector<std::string>& left) const {
    const ObjectRef ref = Object(change.desired).ref();
    say("namespace", StepState::running, "removing " + ref.name);
    const auto uid = created_uid(change, ref);
    if (uid.empty()) {
      gone = Gone::yes;
      return;
    }
    world_.applier.remove(ref, {.uid = uid, .resource_version = {}});
    gone = Gone::under_way;
    if (!options_.wait_until_gone) return;
    const auto holder = wait_until_gone(world_, ref, uid, options_.budget - elapsed(), world_.interrupted);
    if (!holder)
      gone = Gone::yes;
    else if (!world_.interrupted.stop_requested())  // who interrupts the wait has the deletion under way all the same
      left.push_back(to_string(change.id) + " (" + *holder + ")");
  }

  void dns_lane(const std::vector<const Change*>& changes, std::vector<std::string>& left) const {
    if (changes.empty()) return;
    const bool all_made =
        std::all_of(changes.begin(), changes.end(), [this](const Change* change) { return created(*change); });
    say("dns", StepState::running, all_made ? "removing records" : "restoring records");
    attempt("dns", changes.front()->id, left, [&] {
      std::vector<route53::RecordChange> batch;
      for (const auto* change : changes) {
        const auto wanted = wanted_record(change->id);
        const auto before = live_record(change->id);
        const auto now = current(change->id);
        if (created(*change)) {
          if (now && wanted && route53::equivalent(*now, *wanted)) batch.push_back({route53::Action::remove, *now});
        } else if (before && (!now || !route53::equivalent(*now, *before))) {
          if (now) batch.push_back({route53::Action::remove, *now});
          batch.push_back({route53::Action::create, *before});
        }
      }
      std::stable_sort(batch.begin(), batch.end(), [](const auto& a, const auto& b) {
        return (a.action == route53::Action::remove) > (b.action == route53::Action::remove);
      });
      if (!batch.empty()) world_.record_writer.change(*live_.zone, batch, "litedesk: undo tenant " + plan_.slug);
      say("dns", StepState::undone, all_made ? "removed" : "restored");
    });
  }

  void user_lane(const std::vector<const Change*>& changes, std::vector<std::string>& left) const {
    for (const auto* change : changes) {
      say("database", StepState::running,
          (created(*change) ? "removing user " : "restoring user ") + desired_.user.username);
      attempt("database", change->id, left, [&] {
        if (created(*change)) {
          // A create without an answer may have met somebody else's user: only ours is removed.
          const auto user = world_.users.get_user(desired_.user.username);
          if (!user) return;
          const auto label = user->labels.find(std::string(label_registry));
          if (label != user->labels.end() && label->second == live_.registry_id)
            world_.users.remove_user(user->username);
        } else if (live_.user) {
          restore_user(*live_.user);
        }
        say("database", StepState::undone, created(*change) ? "user removed" : "restored");
      });
    }
  }

  // With the password that its mark stands for, if the Secret as it was holds that one; without a mark otherwise, so
  // that the next run sets it anew.
  void restore_user(atlas::DatabaseUser before) const {
    const auto mark = before.labels.find(std::string(label_password));
    const auto& secret = live_.find(
        {kubernetes::type_of("v1", "Secret"), names_of(plan_.slug, world_.settings.dns.domain).name_space, "database"});
    std::optional<Secret> password;
    if (secret != nullptr)
      if (auto decoded = system::base64_decode(system::unseal(secret->text("data.password")).reveal()))
        password = Secret(std::move(*decoded));
    if (password && mark != before.labels.end() && password_mark(*password) == mark->second) {
      world_.users.update_user(before, password);
      return;
    }
    before.labels.erase(std::string(label_password));
    world_.users.update_user(before, std::nullopt);
  }

  std::optional<route53::RecordSet> wanted_record(const ResourceId& id) const {
    for (const auto& record : desired_.records) {
      if (record_id(*live_.zone, record.record) == id) return record.record;
      if (record_id(*live_.zone, record.owner) == id) return record.owner;
    }
    return std::nullopt;
  }

  std::optional<route53::RecordSet> live_record(const ResourceId& id) const {
    for (const auto& host : live_.hosts) {
      for (const auto& record : host.records)
        if (record_id(*live_.zone, record) == id) return record;
      for (const auto& record : host.owner_records)
        if (record_id(*live_.zone, record) == id) return record;
    }
    return std::nullopt;
  }

  std::optional<route53::RecordSet> current(const ResourceId& id) const {
    return world_.records.get(*live_.zone, id.name, id.kind);
  }

  const World& world_;
  const Plan& plan_;
  const DesiredState& desired_;
  const LiveState& live_;
  const ApplyReport& report_;
  const UndoOptions& options_;
  const Observer& observer_;
  const system::SteadyPoint begin_;
  std::set<ResourceId> adopted_;
};

}  // namespace

UndoReport undo(const World& world, const Plan& plan, const DesiredState& desired, const LiveState& live,
                const ApplyReport& report, const UndoOptions& options, const Observer& observer) {
  return Undoer(world, plan, desired, live, report, options, observer).run();
}

}  // namespace litedesk
