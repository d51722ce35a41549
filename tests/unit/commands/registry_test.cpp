#include "commands/registry.hpp"

#include <functional>
#include <map>
#include <thread>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "providers/error.hpp"
#include "tests/unit/commands/json_schema.hpp"
#include "tests/unit/commands/temporary_registry.hpp"

using namespace litedesk;

namespace {

Json condition(const char* type, const char* status, const char* message = "") {
  return {{"type", type}, {"status", status}, {"reason", "Test"}, {"message", message}};
}

const std::string tenants_definition = "tenants.litedesk.io", claims_definition = "hostclaims.litedesk.io";

// An API server that knows CustomResourceDefinitions: the tenants' as slowly as the test wants, others at once.
class Definitions : public kubernetes::ObjectReader, public kubernetes::ObjectApplier, public kubernetes::Watcher {
 public:
  std::map<std::string, kubernetes::Object> stored;
  Json conditions_after_apply = Json::array({condition("NamesAccepted", "True"), condition("Established", "True")});
  std::vector<Json> conditions_seen;  // what a watch sees, one event each; then it waits until it is stopped
  int not_served_yet = 0;             // so many times discovery says no
  bool served = true;
  bool writes_status = false;  // at every apply, as controllers do
  std::vector<kubernetes::ApplyOptions> applied;

  std::optional<kubernetes::Object> get(const kubernetes::ObjectRef& ref) override {
    const auto found = stored.find(ref.name);
    return found == stored.end() ? std::nullopt : std::optional(found->second);
  }
  kubernetes::Each<std::optional<kubernetes::Object>> get_all(std::span<const kubernetes::ObjectRef>) override {
    throw Failed("not asked");
  }
  kubernetes::ObjectList list(const kubernetes::ResourceType&, std::string_view,
                              const kubernetes::ListOptions&) override {
    throw Failed("not asked");
  }
  kubernetes::Object& tenants() { return stored.at(tenants_definition); }

  bool serves(const kubernetes::ResourceType& type) override {
    if (type.kind == "HostClaim") return served;
    CHECK(type.kind == "Tenant");
    return served && not_served_yet-- <= 0;
  }
  kubernetes::Object apply(const kubernetes::Object& object, const kubernetes::ApplyOptions& options) override {
    applied.push_back(options);
    const auto before = get(object.ref());
    const bool same_spec = before && before->at("spec") == object.at("spec");
    const bool same = same_spec && before->at("metadata.annotations") == object.at("metadata.annotations");
    Json json = object.json();
    json["metadata"]["generation"] = before ? before->at("metadata.generation").get<int>() + (same_spec ? 0 : 1) : 1;
    json["metadata"]["resourceVersion"] =
        same && !writes_status ? before->resource_version() : std::to_string(++version_);
    if (before) json["status"] = before->json()["status"];
    if (!same) {
      json["status"]["conditions"] =
          object.name() == tenants_definition
              ? conditions_after_apply
              : Json::array({condition("NamesAccepted", "True"), condition("Established", "True")});
    }
    stored.insert_or_assign(object.name(), kubernetes::Object(json));
    return stored.at(object.name());
  }
  kubernetes::Each<kubernetes::Object> apply_all(std::span<const kubernetes::Object>,
                                                 const kubernetes::ApplyOptions&) override {
    throw Failed("not asked");
  }
  kubernetes::Object create(const kubernetes::Object&) override { throw Failed("not asked"); }
  kubernetes::Object merge_patch(const kubernetes::ObjectRef&, const Json&) override { throw Failed("not asked"); }
  std::optional<std::string> remove(const kubernetes::ObjectRef&, const kubernetes::DeleteOptions&) override {
    throw Failed("not asked");
  }
  void watch(const kubernetes::ResourceType&, std::string_view, const kubernetes::ListOptions& options,
             const std::function<bool(const kubernetes::WatchEvent&)>& on_event, std::stop_token stop) override {
    CHECK(options.field_selector == "metadata.name=tenants.litedesk.io");
    kubernetes::Object other(Json{{"metadata", {{"name", "certificates.cert-manager.io"}}}});
    if (!on_event({kubernetes::EventType::added, other})) return;
    for (const Json& conditions : conditions_seen) {
      tenants().json()["status"]["conditions"] = conditions;
      if (!on_event({kubernetes::EventType::modified, tenants()})) return;
    }
    while (system::real_clock().wait(std::chrono::milliseconds(1000), stop)) {
    }
  }

 private:
  int version_ = 0;
};

const templates::Files built_in;
constexpr std::chrono::milliseconds plenty{20'000};

RegistryInstall install(Definitions& api, std::chrono::milliseconds timeout = plenty, std::stop_token stop = {}) {
  return install_registry({api, api, api, built_in, system::real_clock()}, timeout, stop);
}

}  // namespace

TEST_CASE("the kind is installed once, then unchanged, and upgraded when its schema moves on") {
  Definitions api;
  const RegistryInstall first = install(api);
  CHECK(first.outcome == "installed");
  CHECK(first.resource == "tenants.litedesk.io");
  CHECK(first.version == "v1alpha1");
  CHECK(api.applied.at(0).force);
  CHECK_FALSE(api.applied.at(0).dry_run);
  CHECK(first.kinds.size() == 2);
  CHECK(first.kinds.at(1).resource == claims_definition);
  CHECK(install(api).outcome == "unchanged");
  api.tenants().json()["spec"]["names"]["shortNames"] = Json::array({"old"});
  CHECK(install(api).outcome == "upgraded");
  CHECK(install(api).outcome == "unchanged");
  CHECK(testing::schema_faults("registry-install", to_json(first)) == std::vector<std::string>{});
}

TEST_CASE("what controllers write to a definition is no upgrade") {
  Definitions api;
  (void)install(api);
  api.writes_status = true;
  CHECK(install(api).outcome == "unchanged");
}

TEST_CASE("a registry from before there were claims is upgraded") {
  Definitions api;
  (void)install(api);
  api.stored.erase(claims_definition);
  const RegistryInstall result = install(api);
  CHECK(result.outcome == "upgraded");
  CHECK(result.kinds.at(0).outcome == "unchanged");
  CHECK(result.kinds.at(1).outcome == "installed");
}

TEST_CASE("it waits until the API server has established the kind and serves it") {
  Definitions api;
  api.conditions_after_apply = Json::array();
  api.conditions_seen = {Json::array({condition("NamesAccepted", "True")}),
                         Json::array({condition("NamesAccepted", "True"), condition("Established", "False")}),
                         Json::array({condition("NamesAccepted", "True"), condition("Established", "True")})};
  api.not_served_yet = 3;
  CHECK(install(api).outcome == "installed");
  CHECK(api.not_served_yet < 0);
}

TEST_CASE("a time-out says what the API server said last") {
  Definitions api;
  api.conditions_after_apply = Json::array();
  api.conditions_seen = {Json::array({condition("Established", "False", "the initial names are being checked")})};
  try {
    (void)install(api, std::chrono::milliseconds(30));
    FAIL("no time-out");
  } catch (const Timeout& error) {
    CHECK(error.cause() == "Established=False (the initial names are being checked)");
    CHECK(error.hint().find("repeat the command") != std::string::npos);
  }
  Definitions slow;
  slow.served = false;
  CHECK_THROWS_AS((void)install(slow, std::chrono::milliseconds(30)), Timeout);
}

TEST_CASE("Ctrl-C ends the wait") {
  Definitions api;
  api.conditions_after_apply = Json::array();
  std::stop_source stop;
  std::jthread interrupt([&stop] {
    system::real_clock().wait(std::chrono::milliseconds(20), {});
    stop.request_stop();
  });
  CHECK_THROWS_AS((void)install(api, plenty, stop.get_token()), Cancelled);
}

TEST_CASE("names that another definition has are a conflict at once") {
  Definitions api;
  api.conditions_after_apply = Json::array({condition("NamesAccepted", "False", "\"tenants\" is already in use")});
  try {
    (void)install(api);
    FAIL("no conflict");
  } catch (const Conflict& error) {
    CHECK(error.cause() == "\"tenants\" is already in use");
  }
}

TEST_CASE("an older litedesk does not put its schema over a newer one") {
  Definitions api;
  (void)install(api);
  api.tenants().json()["metadata"]["annotations"]["litedesk.io/schema"] = "1000";
  api.applied.clear();
  CHECK_THROWS_AS((void)install(api), Conflict);
  CHECK(api.applied.empty());
}

TEST_CASE("the status of a registry in a file") {
  litedesk::testing::TemporaryRegistry registry;
  const RegistryStatus status = registry_status(*registry, nullptr);
  CHECK(status.where.rfind("sqlite:/", 0) == 0);
  CHECK(status.installed);
  CHECK(status.served);
  CHECK(status.tenants == 0);
  CHECK(status.id == registry->registry_id());
  CHECK(testing::schema_faults("registry-status", to_json(status)) == std::vector<std::string>{});
}

TEST_CASE("the status of a registry in a cluster: missing, not yet established, served") {
  litedesk::testing::TemporaryRegistry registry;  // stands in for the documents
  Definitions api;
  api.served = false;
  RegistryStatus status = registry_status(*registry, &api);
  CHECK_FALSE(status.installed);
  CHECK_FALSE(status.served);
  CHECK(status.problem == "tenants.litedesk.io is not installed: run `litedesk registry install`");
  CHECK(status.id.empty());
  CHECK(testing::schema_faults("registry-status", to_json(status)) == std::vector<std::string>{});

  api.served = true;
  (void)install(api);
  api.served = false;
  api.tenants().json()["status"]["conditions"] = Json::array({condition("Established", "False", "names are checked")});
  status = registry_status(*registry, &api);
  CHECK(status.installed);
  CHECK_FALSE(status.served);
  CHECK(status.problem == "Established=False (names are checked)");

  api.served = true;
  status = registry_status(*registry, &api);
  CHECK(status.served);
  CHECK(status.version == "v1alpha1");
  CHECK(status.problem.empty());
  CHECK(testing::schema_faults("registry-status", to_json(status)) == std::vector<std::string>{});
}
