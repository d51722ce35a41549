#include "commands/status.hpp"

#include <algorithm>

#include <doctest/doctest.h>

#include "tests/unit/commands/fake_world.hpp"

using namespace litedesk;
using kubernetes::Object;

namespace {

// An active instance of which only the namespace is there.
class OnlyNamespace : public testing::NoProviders {
 public:
  using NoProviders::get;
  using NoProviders::list;

  Json name_space{{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", "instance-acme"}}}};

  kubernetes::Each<std::optional<Object>> get_all(std::span<const kubernetes::ObjectRef> refs) override {
    kubernetes::Each<std::optional<Object>> found(refs.size());
    for (std::size_t i = 0; i < refs.size(); ++i)
      if (refs[i].type.kind == "Namespace") found[i] = std::optional(Object(name_space));
    return found;
  }
  kubernetes::ObjectList list(const kubernetes::ResourceType&, std::string_view,
                              const kubernetes::ListOptions&) override {
    return {};
  }
  bool serves(const kubernetes::ResourceType&) override { return false; }
  std::optional<atlas::Cluster> get_cluster(std::string_view) override { return std::nullopt; }
};

struct Active : testing::FakeWorld<OnlyNamespace> {
  Active() {
    settings.dns.domain = "litedesk.com";
    settings.dns.strategy = "none";
    Tenant tenant;
    tenant.slug = "acme";
    tenant.company = "Acme";
    tenant.owner.email = "owner@acme.example";
    tenant.status.phase = Phase::active;
    store.create(to_document(tenant, nullptr));
  }
  Part part(const std::string& name) {
    const auto status = instance_status(world, "acme");
    const auto found =
        std::find_if(status.parts.begin(), status.parts.end(), [&](const Part& each) { return each.name == name; });
    REQUIRE(found != status.parts.end());
    return *found;
  }
};

}  // namespace

TEST_CASE("a namespace that is being deleted says what holds it, in the API server's words") {
  struct Case {
    Json metadata, conditions;
    const char* message;
  };
  const std::vector<Case> cases{
      {Json::object(), Json::array(), "instance-acme is being deleted"},
      {Json::object(),
       Json::array({{{"type", "NamespaceContentRemaining"},
                     {"status", "True"},
                     {"message", "Some resources are remaining: configmaps. has 1 resource instances"}},
                    {{"type", "NamespaceDeletionContentFailure"}, {"status", "False"}, {"message", "all is well"}},
                    {{"type", "NamespaceFinalizersRemaining"},
                     {"status", "True"},
                     {"message", "Some content in the namespace has finalizers remaining: example.com/hold"}}}),
       "instance-acme is being deleted: Some resources are remaining: configmaps. has 1 resource instances; Some "
       "content "
       "in the namespace has finalizers remaining: example.com/hold"},
      {Json{{"finalizers", {"example.com/backup"}}}, Json(),
       "instance-acme is being deleted: finalizer example.com/backup"},
  };
  for (const auto& each : cases) {
    Active fake;
    auto& object = fake.providers.name_space;
    object["metadata"].update(each.metadata);
    object["metadata"]["deletionTimestamp"] = "2026-11-23T12:00:00Z";
    object["status"]["conditions"] = each.conditions;
    const auto part = fake.part("namespace");
    CHECK(part.state == "failed");
    CHECK(part.reason == "Terminating");
    CHECK(part.message == std::string(each.message));
    CHECK(part.since == "2026-11-23T12:00:00Z");
  }
}

TEST_CASE("a namespace that is there and stays is well") {
  Active fake;
  CHECK(fake.part("namespace").state == "ok");
}
