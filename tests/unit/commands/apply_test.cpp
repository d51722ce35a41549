#include "commands/apply.hpp"

#include <doctest/doctest.h>

#include "providers/error.hpp"
#include "tests/unit/commands/fake_world.hpp"

using namespace litedesk;
using kubernetes::Object;

namespace {

// An API server that remembers what was sent together, and refuses the kinds that it is told to.
class Recorder : public testing::NoProviders {
 public:
  std::vector<std::vector<std::string>> batches;
  std::string refused;

  kubernetes::Each<Object> apply_all(std::span<const Object> objects, const kubernetes::ApplyOptions&) override {
    kubernetes::Each<Object> results;
    batches.emplace_back();
    for (const auto& object : objects) {
      batches.back().push_back(object.ref().type.kind);
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
  CHECK(creation.providers.batches[1] == Kinds{"ServiceAccount", "Secret", "NetworkPolicy", "RoleBinding"});
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
