#include "commands/policy_probe.hpp"

#include <doctest/doctest.h>

#include "commands/provenance.hpp"
#include "providers/error.hpp"
#include "tests/unit/commands/fake_world.hpp"

using namespace litedesk;
using kubernetes::Object;

namespace {

// A cluster whose server pod runs, or does not, and whose client pod ends with an exit code.
class Cluster : public testing::NoProviders {
 public:
  int exit_code = 0;
  bool starts = true;
  std::string refused;  // a kind
  std::vector<Object> created;
  std::vector<std::string> removed;  // UIDs

  Object create(const Object& object) override {
    if (object.kind() == refused) throw PermissionDenied("pods is forbidden");
    created.push_back(object);
    auto made = object;
    made.json()["metadata"]["uid"] = "uid-of-" + object.name();
    return made;
  }
  std::optional<std::string> remove(const kubernetes::ObjectRef&, const kubernetes::DeleteOptions& options) override {
    removed.push_back(options.uid);
    return options.uid;
  }
  void watch(const kubernetes::ResourceType&, std::string_view, const kubernetes::ListOptions& options,
             const std::function<bool(const kubernetes::WatchEvent&)>& on_event, std::stop_token) override {
    const bool server = options.field_selector == "metadata.name=server";
    for (const auto* phase : {"Pending", server ? "Running" : "Failed"}) {
      if (!starts && std::string_view(phase) != "Pending") return;  // the time is over
      Json pod = {{"apiVersion", "v1"}, {"kind", "Pod"}, {"metadata", {{"name", "x"}}}, {"status", {{"phase", phase}}}};
      if (server && starts) pod["status"]["podIP"] = "10.0.0.7";
      if (!server && std::string_view(phase) == "Failed")
        pod["status"]["containerStatuses"] = Json::array({{{"state", {{"terminated", {{"exitCode", exit_code}}}}}}});
      if (!on_event({kubernetes::EventType::added, Object(pod)})) return;
    }
  }
};

struct Case : testing::FakeWorld<Cluster> {
  PolicyProbe run() { return probe_policies(world, "crm:1", std::chrono::seconds(60)); }
};

}  // namespace

TEST_CASE("the client's exit code says whether policies hold, and the probe is removed in any case") {
  struct Row {
    int code;
    Enforcement wanted;
    const char* reason;
  };
  for (const auto& row : {Row{0, Enforcement::enforced, ""}, Row{2, Enforcement::not_enforced, ""},
                          Row{3, Enforcement::unknown, "its two pods do not reach each other at all"},
                          Row{127, Enforcement::unknown, "pod client ended with exit code 127: has crm:1 no node?"}}) {
    Case c;
    c.providers.exit_code = row.code;
    const auto result = c.run();
    CHECK(result.enforcement == row.wanted);
    CHECK(result.reason == row.reason);
    REQUIRE(c.providers.removed.size() == 1);
    CHECK(c.providers.removed[0] == "uid-of-" + c.providers.created[0].name());
  }
}

TEST_CASE("the policy stands before the pods, opens one port of two, and the client is told the server's address") {
  Case c;
  static_cast<void>(c.run());
  REQUIRE(c.providers.created.size() == 4);
  const auto& policy = c.providers.created[1];
  const auto& server = c.providers.created[2];
  CHECK(c.providers.created[0].kind() == "Namespace");
  CHECK(policy.kind() == "NetworkPolicy");
  CHECK(policy.json()["spec"]["ingress"][0]["ports"] == Json::array({{{"protocol", "TCP"}, {"port", 8080}}}));
  CHECK(policy.json()["spec"]["podSelector"]["matchLabels"] == server.json()["metadata"]["labels"]);
  CHECK(c.providers.created[3].json()["spec"]["containers"][0]["env"][0]["value"] == "10.0.0.7");
}

TEST_CASE("pods that do not start prove nothing, and neither does a refusal; nothing is left of either") {
  Case slow;
  slow.providers.starts = false;
  const auto result = slow.run();
  CHECK(result.enforcement == Enforcement::unknown);
  CHECK(result.reason == "pod server is Pending");
  CHECK(slow.providers.removed.size() == 1);

  Case refused;
  refused.providers.refused = "Pod";
  CHECK_THROWS_AS(static_cast<void>(refused.run()), PermissionDenied);
  CHECK(refused.providers.removed.size() == 1);

  Case interrupted;
  interrupted.providers.starts = false;
  interrupted.interruption.request_stop();
  CHECK_THROWS_AS(static_cast<void>(interrupted.run()), Cancelled);
  CHECK(interrupted.providers.removed.size() == 1);
}
