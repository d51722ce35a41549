#include <algorithm>
#include <map>
#include <mutex>

#include <doctest/doctest.h>

#include "commands/apply.hpp"
#include "commands/desired_state.hpp"
#include "providers/system/hash.hpp"
#include "providers/system/sealed.hpp"
#include "tests/unit/commands/fake_world.hpp"

using namespace litedesk;
using kubernetes::Object;

namespace {

// What a failed run has left: a namespace, a user and a record, which go when they are asked to, or do not.
class Left : public testing::NoProviders {
 public:
  using NoProviders::get;

  std::optional<Object> name_space;
  bool stuck = false;
  std::optional<route53::RecordSet> record;
  atlas::DatabaseUser user;

  std::optional<Object> get(const kubernetes::ObjectRef&) override { return name_space; }
  std::optional<std::string> remove(const kubernetes::ObjectRef&, const kubernetes::DeleteOptions&) override {
    if (!stuck) name_space.reset();
    return std::nullopt;
  }
  Object apply(const Object& object, const kubernetes::ApplyOptions&) override { return object; }
  void watch(const kubernetes::ResourceType&, std::string_view, const kubernetes::ListOptions&,
             const std::function<bool(const kubernetes::WatchEvent&)>&, std::stop_token) override {}
  std::optional<route53::RecordSet> get(const route53::HostedZoneId&, std::string_view, std::string_view) override {
    return record;
  }
  route53::ChangeInfo change(const route53::HostedZoneId&, std::span<const route53::RecordChange>,
                             std::string_view) override {
    if (refuses_dns) throw Failed("Route 53 is on fire");
    return {};
  }
  std::optional<atlas::DatabaseUser> get_user(std::string_view) override { return user; }
  bool remove_user(std::string_view) override { return true; }
  atlas::DatabaseUser update_user(const atlas::DatabaseUser& changed, const std::optional<Secret>& password) override {
    user = changed;
    given = password ? std::string(password->reveal()) : "";
    return changed;
  }

  bool refuses_dns = false;
  std::string given;  // the password of the last change of the user
};

struct Failure : testing::FakeWorld<Left> {
  Plan plan;
  DesiredState desired;
  LiveState live;
  ApplyReport report;
  UndoOptions options;
  std::map<std::string, std::pair<StepState, std::string>> last;  // of each part

  Failure() {
    live.registry_id = "registry-1";
    live.zone = route53::HostedZoneId{"Z1"};
    Json space{{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", "instance-acme"}, {"uid", "u1"}}}};
    providers.name_space = Object(space);
    add(Verb::create, {Provider::kubernetes, "Namespace", "", "instance-acme"}, space);
    DesiredRecord record;
    record.record.name = "acme.litedesk.com";
    record.record.type = "CNAME";
    record.record.values = {"lb.example.com"};
    desired.records = {record};
    providers.record = record.record;
    add(Verb::create, {Provider::route53, "CNAME", "Z1", "acme.litedesk.com"}, nullptr);
    desired.user.username = providers.user.username = "user_acme";
    providers.user.labels = {{std::string(label_registry), "registry-1"}};
    add(Verb::create, {Provider::atlas, "DatabaseUser", "p1", "user_acme"}, nullptr);
    options.told = {"namespace", "database", "dns", "lock", "backend", "certificate"};
    for (const auto& part : options.told) last[part] = {StepState::done, "ready"};
  }
  void add(Verb verb, ResourceId id, Json desired_json) {
    Change change;
    change.verb = verb;
    change.id = id;
    change.desired = std::move(desired_json);
    plan.changes.push_back(change);
    report.outcomes[id] = {OutcomeState::applied, id.kind == "Namespace" ? "u1" : "", nullptr};
  }
  UndoReport run() {
    std::mutex mutex;
    return undo(world, plan, desired, live, report, options, [&](const Step& step) {
      const std::lock_guard lock(mutex);
      last[step.part] = {step.state, step.message};
    });
  }
};

using Told = std::pair<StepState, std::string>;

}  // namespace

TEST_CASE("what was removed is told of as removed, every part that was shown") {
  Failure failure;
  CHECK(failure.run().left.empty());
  CHECK(failure.last["namespace"] == Told{StepState::undone, "removed"});
  CHECK(failure.last["backend"] == Told{StepState::undone, "removed"});
  CHECK(failure.last["certificate"] == Told{StepState::undone, "removed"});
  CHECK(failure.last["dns"] == Told{StepState::undone, "removed"});
  CHECK(failure.last["database"] == Told{StepState::undone, "user removed"});
  CHECK(failure.last["lock"] == Told{StepState::done, "ready"});
}

TEST_CASE("a user stands as before with the password that its mark stands for, though it is sealed in what was read") {
  Failure failure;
  const Secret password("the-old-password");
  failure.plan.changes.back().verb = Verb::update;
  atlas::DatabaseUser before;
  before.username = "user_acme";
  before.roles = {{"litedesk_acme", "dbAdmin"}};
  before.labels = {{std::string(label_password), password_mark(password)}};
  failure.live.user = before;
  const kubernetes::ObjectRef ref{kubernetes::type_of("v1", "Secret"), "instance-acme", "database"};
  failure.live.objects.emplace(
      ref, Object({{"apiVersion", "v1"},
                   {"kind", "Secret"},
                   {"metadata", {{"name", "database"}, {"namespace", "instance-acme"}}},
                   {"data", {{"password", system::seal(Secret(system::base64_encode("the-old-password")))}}}}));
  failure.plan.slug = "acme";
  CHECK(failure.run().left.empty());
  CHECK(failure.providers.given == "the-old-password");
  CHECK(failure.providers.user.labels == before.labels);
  CHECK(failure.last["database"] == Told{StepState::undone, "restored"});
  // Another password than the mark's: the next run sets it anew.
  failure.live.objects.at(ref) =
      Object({{"apiVersion", "v1"},
              {"kind", "Secret"},
              {"metadata", {{"name", "database"}, {"namespace", "instance-acme"}}},
              {"data", {{"password", system::seal(Secret(system::base64_encode("another")))}}}});
  CHECK(failure.run().left.empty());
  CHECK(failure.providers.given.empty());
  CHECK(failure.providers.user.labels.empty());
}

TEST_CASE("a namespace that is not waited for, or does not go, is not said to be removed") {
  for (const bool waits : {false, true}) {
    Failure failure;
    failure.providers.stuck = true;
    failure.options.wait_until_gone = waits;
    failure.options.budget = std::chrono::milliseconds(0);
    CHECK(failure.run().left.size() == (waits ? 1 : 0));
    CHECK(failure.last["namespace"] == Told{StepState::undone, "instance-acme is being deleted"});
    CHECK(failure.last["backend"] == Told{StepState::undone, "is deleted with its namespace"});
  }
}

TEST_CASE("what was there before stands as before, and what cannot be undone is said") {
  Failure failure;
  failure.plan.changes.erase(failure.plan.changes.begin());
  Change change;
  change.verb = Verb::update;
  change.id = {Provider::kubernetes, "Deployment", "instance-acme", "backend"};
  change.live = {{"apiVersion", "apps/v1"},
                 {"kind", "Deployment"},
                 {"metadata", {{"name", "backend"}, {"namespace", "instance-acme"}, {"uid", "u2"}}}};
  change.desired = change.live;
  failure.plan.changes.push_back(change);
  failure.report.outcomes[change.id] = {OutcomeState::applied, "u2", nullptr};
  failure.providers.refuses_dns = true;
  CHECK(failure.run().left.size() == 1);
  CHECK(failure.last["namespace"] == Told{StepState::undone, "restored"});
  CHECK(failure.last["backend"] == Told{StepState::undone, "restored"});
  CHECK(failure.last["dns"] == Told{StepState::failed, "could not be rolled back: CNAME acme.litedesk.com"});
}
