#include "commands/apply.hpp"

#include <doctest/doctest.h>

#include "commands/provenance.hpp"
#include "providers/error.hpp"
#include "tests/unit/commands/fake_world.hpp"

using namespace litedesk;
using kubernetes::Object;

namespace {

// An API server that remembers what was sent together, and refuses the kinds that it is told to.
class Recorder : public testing::NoProviders {
 public:
  std::vector<std::vector<std::string>> batches;
  std::vector<Object> created, applied;
  std::string refused;

  Object create(const Object& object) override {
    batches.push_back({object.ref().type.kind});
    auto made = object;
    made.json()["metadata"]["uid"] = "u1";
    created.push_back(made);
    return made;
  }
  kubernetes::Each<Object> apply_all(std::span<const Object> objects, const kubernetes::ApplyOptions&) override {
    kubernetes::Each<Object> results;
    batches.emplace_back();
    for (const auto& object : objects) {
      batches.back().push_back(object.ref().type.kind);
      applied.push_back(object);
      if (object.ref().type.kind == refused)
        results.emplace_back(std::make_exception_ptr(ValidationError("refused")));
      else
        results.emplace_back(object);
    }
    return results;
  }
};

struct Creation : testing::FakeWorld<Recorder> {
  Plan plan;
  DesiredState desired;
  LiveState live;
  ApplyReport report;

  Creation() {
    plan.slug = "acme";
    live.registry_id = "registry-1";
    report.run = "run-1";
    add("v1", "Namespace", "");
    for (const auto* kind : {"Pod", "Secret", "ServiceAccount"}) add("v1", kind, "instance-acme");
    for (const auto* kind : {"Deployment", "StatefulSet", "DaemonSet"}) add("apps/v1", kind, "instance-acme");
    add("batch/v1", "CronJob", "instance-acme");
    add("networking.k8s.io/v1", "NetworkPolicy", "instance-acme");
    add("rbac.authorization.k8s.io/v1", "RoleBinding", "instance-acme");
  }
  void add(const char* version, const std::string& kind, const char* scope) {
    Change change;
    change.verb = Verb::create;
    change.id = {Provider::kubernetes, kind, scope, "x"};
    change.desired = {{"apiVersion", version}, {"kind", kind}, {"metadata", {{"name", "x"}, {"namespace", scope}}}};
    plan.changes.push_back(change);
  }
  OutcomeState state_of(const std::string& kind) {
    for (const auto& [id, outcome] : report.outcomes)
      if (id.kind == kind) return outcome.state;
    throw Failed("no outcome of " + kind);
  }
  void run() { apply_waves(world, plan, desired, live, Wave::first, Wave::namespaced, report, nullptr); }
};

using Kinds = std::vector<std::string>;

}  // namespace

TEST_CASE("what makes pods is applied once the rest of the namespace stands, whatever isolates and feeds the pods") {
  Creation creation;
  creation.run();
  REQUIRE(creation.providers.batches.size() == 3);
  CHECK(creation.providers.batches[0] == Kinds{"Namespace"});
  CHECK(creation.providers.batches[1] ==
        Kinds{"Namespace", "ServiceAccount", "Secret", "NetworkPolicy", "RoleBinding"});
  CHECK(creation.providers.batches[2] == Kinds{"Deployment", "StatefulSet", "Pod", "DaemonSet", "CronJob"});
  CHECK(creation.report.first_error() == nullptr);
}

TEST_CASE("no pod is asked for where a policy was refused") {
  Creation creation;
  creation.providers.refused = "NetworkPolicy";
  creation.run();
  CHECK(creation.providers.batches.size() == 2);
  CHECK(creation.state_of("NetworkPolicy") == OutcomeState::failed);
  CHECK(creation.state_of("Secret") == OutcomeState::applied);
  CHECK(creation.state_of("Deployment") == OutcomeState::skipped);
}

TEST_CASE("a namespace is created with the run's id, and its labels are applied to that one alone") {
  Creation creation;
  creation.run();
  const auto& made = creation.providers.created.at(0);
  CHECK(made.annotation(run_annotation) == "run-1");
  CHECK(made.annotation(registry_annotation) == "registry-1");
  CHECK(creation.providers.applied.at(0).uid() == "u1");
}

namespace {

// An API server at which somebody makes the namespace first, or whose answer to a creation is lost.
class Taken : public Recorder {
 public:
  using Recorder::get;

  std::optional<Object> there;
  bool loses_answers = false, makes_it = false;
  int creations = 0;

  Object create(const Object& object) override {
    ++creations;
    if (loses_answers && creations == 1) {
      if (makes_it) there = Recorder::create(object);
      throw Unavailable("the connection was closed");
    }
    if (there) throw Conflict("namespaces \"x\" already exists");
    return Recorder::create(object);
  }
  std::optional<Object> get(const kubernetes::ObjectRef&) override { return there; }
};

struct Race : testing::FakeWorld<Taken> {
  Plan plan;
  DesiredState desired;
  LiveState live;
  ApplyReport report;
  ResourceId id{Provider::kubernetes, "Namespace", "", "x"};

  Race() {
    live.registry_id = "registry-1";
    report.run = "run-1";
    Change change;
    change.verb = Verb::create;
    change.id = id;
    change.desired = {{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", "x"}}}};
    plan.changes.push_back(change);
  }
  const Outcome& run() {
    apply_waves(world, plan, desired, live, Wave::first, Wave::namespaced, report, nullptr);
    return report.outcomes.at(id);
  }
};

Object somebodys(const std::string& run) {
  return Object(
      {{"apiVersion", "v1"},
       {"kind", "Namespace"},
       {"metadata",
        {{"name", "x"},
         {"uid", "theirs"},
         {"annotations", {{std::string(registry_annotation), "registry-1"}, {std::string(run_annotation), run}}}}}});
}

}  // namespace

TEST_CASE("a namespace that somebody makes just before is not taken over, whatever its annotations say") {
  for (const auto* run : {"", "run-0"}) {
    Race race;
    race.providers.there = somebodys(run);
    const auto& outcome = race.run();
    CHECK(outcome.state == OutcomeState::failed);
    CHECK(outcome.uid.empty());
    CHECK(race.providers.applied.empty());
    CHECK_THROWS_AS(std::rethrow_exception(outcome.error), Conflict);
  }
}

TEST_CASE("a creation whose answer is lost is looked up, and repeated only where nothing came of it") {
  Race race;
  race.providers.loses_answers = true;
  SUBCASE("it was made") {
    race.providers.makes_it = true;
    CHECK(race.run().uid == "u1");
    CHECK(race.providers.creations == 1);
  }
  SUBCASE("it was not") {
    CHECK(race.run().uid == "u1");
    CHECK(race.providers.creations == 2);
  }
  SUBCASE("somebody else made one meanwhile") {
    race.providers.there = somebodys("run-0");
    CHECK(race.run().state != OutcomeState::applied);
    CHECK(race.providers.applied.empty());
  }
}
