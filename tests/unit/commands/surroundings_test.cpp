#include "commands/surroundings.hpp"

#include <doctest/doctest.h>

#include "providers/error.hpp"
#include "tests/unit/commands/fake_world.hpp"

using namespace litedesk;
using kubernetes::Object;

namespace {

Object webhook(Json rule, Json selector) {
  Json hook = {{"name", "eyes.example.com"}, {"rules", Json::array({std::move(rule)})}};
  if (!selector.is_null()) hook["namespaceSelector"] = std::move(selector);
  return Object({{"apiVersion", "admissionregistration.k8s.io/v1"},
                 {"kind", "MutatingWebhookConfiguration"},
                 {"metadata", {{"name", "eyes"}}},
                 {"webhooks", Json::array({hook})}});
}

bool is_shown(const Object& configuration) {
  Surroundings around;
  around.webhooks = {configuration};
  return !foreign_objects(around, {}, {{"litedesk.io/tier", "starter"}}, "instance-acme").empty();
}

Json rule(const char* group, const char* resource) {
  return {{"apiGroups", Json::array({group})}, {"resources", Json::array({resource})}};
}

Json expression(const char* key, const char* operation, Json values = Json::array()) {
  return {{"matchExpressions", Json::array({{{"key", key}, {"operator", operation}, {"values", std::move(values)}}})}};
}

// A cluster that holds these, and refuses to list one kind.
class Cluster : public testing::NoProviders {
 public:
  std::vector<Object> objects;
  std::string refused, unserved;

  kubernetes::ObjectList list(const kubernetes::ResourceType& type, std::string_view name_space,
                              const kubernetes::ListOptions&) override {
    if (type.kind == refused) throw PermissionDenied("forbidden");
    if (type.kind == unserved) throw NotFound("no such resource");
    kubernetes::ObjectList found;
    for (const auto& object : objects)
      if (object.kind() == type.kind && object.name_space() == name_space) found.items.push_back(object);
    return found;
  }
};

Object in_namespace(const char* kind, const char* name, Json more = Json::object()) {
  Json json = {{"apiVersion", "v1"}, {"kind", kind}, {"metadata", {{"name", name}, {"namespace", "instance-acme"}}}};
  json.update(more, true);
  return Object(std::move(json));
}

}  // namespace

TEST_CASE("a webhook is shown when it sees pods or Secrets of the namespace") {
  CHECK(is_shown(webhook(rule("", "secrets"), nullptr)));
  CHECK(is_shown(webhook(rule("", "pods"), Json::object())));
  CHECK(is_shown(webhook(rule("*", "*"), nullptr)));
  CHECK(is_shown(webhook(rule("*", "*/*"), nullptr)));
  CHECK_FALSE(is_shown(webhook(rule("cert-manager.io", "*/*"), nullptr)));
  CHECK_FALSE(is_shown(webhook(rule("", "configmaps"), nullptr)));
  auto cluster_wide = rule("*", "*");
  cluster_wide["scope"] = "Cluster";
  CHECK_FALSE(is_shown(webhook(cluster_wide, nullptr)));
}

TEST_CASE("a webhook's namespaceSelector is read as the API server reads it") {
  const auto pods = rule("", "pods");
  CHECK(is_shown(webhook(pods, {{"matchLabels", {{"litedesk.io/tier", "starter"}}}})));
  CHECK_FALSE(is_shown(webhook(pods, {{"matchLabels", {{"litedesk.io/tier", "trial"}}}})));
  CHECK(is_shown(webhook(pods, {{"matchLabels", {{"kubernetes.io/metadata.name", "instance-acme"}}}})));
  CHECK(is_shown(webhook(pods, expression("litedesk.io/tier", "In", {"trial", "starter"}))));
  CHECK_FALSE(is_shown(webhook(pods, expression("litedesk.io/tier", "NotIn", {"starter"}))));
  CHECK(is_shown(webhook(pods, expression("absent", "NotIn", {"x"}))));
  CHECK_FALSE(is_shown(webhook(pods, expression("absent", "In", {"x"}))));
  CHECK(is_shown(webhook(pods, expression("litedesk.io/tier", "Exists"))));
  CHECK_FALSE(is_shown(webhook(pods, expression("absent", "Exists"))));
  CHECK(is_shown(webhook(pods, expression("absent", "DoesNotExist"))));
  CHECK(is_shown(webhook(pods, expression("absent", "SomethingNew"))));
}

TEST_CASE("a role binding says whom it lets do what") {
  testing::FakeWorld<Cluster> fake;
  fake.providers.objects = {
      in_namespace(
          "RoleBinding", "eve",
          {{"roleRef", {{"kind", "ClusterRole"}, {"name", "edit"}}},
           {"subjects", Json::array({{{"kind", "User"}, {"name", "eve"}}, {{"kind", "Group"}, {"name", "all"}}})}}),
      in_namespace("RoleBinding", "ours")};
  const auto foreign =
      foreign_objects(read_surroundings(fake.world, "instance-acme"), {"RoleBinding ours"}, {}, "instance-acme");
  REQUIRE(foreign.size() == 1);
  CHECK(to_string(foreign[0]) ==
        "RoleBinding eve was not made by litedesk: it lets User eve, Group all use ClusterRole edit here");
}

TEST_CASE("what may not be listed is said, and hides nothing else") {
  testing::FakeWorld<Cluster> fake;
  fake.providers.refused = "RoleBinding";
  fake.providers.objects = {in_namespace("NetworkPolicy", "allow-all")};
  const auto around = read_surroundings(fake.world, "instance-acme");
  CHECK(around.unread == std::vector<std::string>{"role bindings"});
  CHECK(around.policies.size() == 1);
}

TEST_CASE("who takes a namespace over is told of all that stands in it") {
  testing::FakeWorld<Cluster> fake;
  fake.providers.refused = "Lease";
  fake.providers.unserved = "Certificate";
  fake.providers.objects = {in_namespace("Secret", "planted"),
                            in_namespace("Secret", "database"),
                            in_namespace("ServiceAccount", "default"),
                            in_namespace("ConfigMap", "kube-root-ca.crt"),
                            in_namespace("Event", "backend.17"),
                            in_namespace("Pod", "web-1", {{"metadata", {{"ownerReferences", Json::array({1})}}}}),
                            in_namespace("RoleBinding", "eve")};
  const auto others = other_objects(fake.world, "instance-acme", {"Secret database"});
  CHECK(std::set<std::string>(others.begin(), others.end()) ==
        std::set<std::string>{"Secret planted", "RoleBinding eve", "Lease (not permitted to list)"});
}
