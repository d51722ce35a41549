// The client against a real Kubernetes API server: what it promises in client.hpp, and what it expects of the server.
//   LITEDESK_TEST_KUBECONFIG=... build/tests/contract_kubernetes
#define DOCTEST_CONFIG_IMPLEMENT
#include <atomic>
#include <barrier>
#include <chrono>
#include <thread>

#include <doctest/doctest.h>

#include "providers/error.hpp"
#include "providers/system/clock.hpp"
#include "tests/contract/contract.hpp"
#include "tests/contract/kubernetes_support.hpp"

using namespace litedesk;
using namespace litedesk::kubernetes;
using contract::Cluster;

namespace {

template <class E, class Action>
E error_of(const Action& action) {
  try {
    action();
  } catch (const E& error) {
    return error;
  }
  throw std::logic_error("nothing was thrown");
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string reason_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    const auto* info = api_error_info(error);
    return info == nullptr ? std::string("no Status: ") + error.what() : info->reason;
  }
  return "nothing was thrown";
}

}  // namespace

int main(int argc, char** argv) {
  const auto* const name = "contract_kubernetes";
  if (contract::test_kubeconfig().empty())
    return test::skip(name, "set LITEDESK_TEST_KUBECONFIG to the kubeconfig of a test cluster's administrator");
  const auto server = contract::test_cluster().server;
  if (!server.starts_with("https://127.0.0.1:") && !server.starts_with("https://localhost:"))
    return test::skip(name, "these tests write and delete: " + server + " is not on this machine");
  return doctest::Context(argc, argv).run();
}

TEST_CASE("the server tells its version and what it serves") {
  Cluster cluster;
  CHECK(cluster.client.server_version().starts_with("v1."));
  CHECK(cluster.client.serves(type_of("apps/v1", "Deployment")));
  CHECK(cluster.client.serves(type_of("v1", "Pod")));
  CHECK_FALSE(cluster.client.serves({"nobody.example", "v1", "Widget", "widgets", true}));
  CHECK_FALSE(cluster.client.serves({"apps", "v1", "Widget", "widgets", true}));
}

TEST_CASE("what is not there is nothing, for an object, a namespace and a kind that is not served") {
  Cluster cluster;
  CHECK_FALSE(cluster.client.get(cluster.ref("cm", "absent")));
  CHECK_FALSE(cluster.client.get({*find_type("cm"), "no-such-namespace", "absent"}));
  CHECK_FALSE(cluster.client.get({{"nobody.example", "v1", "Widget", "widgets", true}, cluster.name_space, "x"}));
  CHECK_FALSE(cluster.client.get({{"apps", "v1", "Widget", "widgets", true}, cluster.name_space, "x"}));
  cluster.client.apply(cluster.config_map("one"), {});
  const std::vector<ObjectRef> refs = {
      cluster.ref("cm", "one"), cluster.ref("cm", "two"), {*find_type("ns"), "", cluster.name_space}};
  const auto results = cluster.client.get_all(refs);
  REQUIRE(results.size() == 3);
  CHECK(std::get<0>(results[0])->name() == "one");
  CHECK_FALSE(std::get<0>(results[1]));
  CHECK(std::get<0>(results[2])->kind() == "Namespace");
}

TEST_CASE("requests that begin at any moment on one connection all come to their end") {
  Cluster cluster;
  // Several frames' worth, without a Content-Length: its end comes in a frame of its own.
  cluster.client.apply(cluster.config_map("large", std::string(9000, 'x')), {});
  constexpr int readers = 4, rounds = 400;
  std::atomic<int> wrong = 0;
  std::atomic<std::chrono::milliseconds::rep> slowest = 0;
  {
    // In rounds, so that nothing else wakes whom the transport forgot.
    std::barrier round(readers);
    std::vector<std::jthread> threads;
    for (int reader = 0; reader < readers; ++reader)
      threads.emplace_back([&, reader] {
        for (int i = 0; i < rounds; ++i) {
          round.arrive_and_wait();
          (void)system::real_clock().wait(std::chrono::milliseconds((i * (reader + 1)) % 7), {});
          const auto begin = std::chrono::steady_clock::now();
          const auto read = cluster.client.get(cluster.ref("cm", "large"));
          if (!read || read->text("data.key").size() != 9000) ++wrong;
          const auto took =
              std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin).count();
          auto most = slowest.load();
          while (took > most && !slowest.compare_exchange_weak(most, took)) continue;
        }
      });
  }
  CHECK(wrong == 0);
  MESSAGE(readers * rounds << " reads, the slowest took " << slowest.load() << " ms");
  // One that is forgotten waits for its deadline of half a minute.
  CHECK(slowest < 10'000);
}

TEST_CASE("apply creates, changes, and leaves alone what is as it should be") {
  Cluster cluster;
  const auto created = cluster.client.apply(cluster.config_map("x", "1"), {});
  CHECK_FALSE(created.uid().empty());
  CHECK(cluster.client.apply(cluster.config_map("x", "1"), {}).resource_version() == created.resource_version());
  const auto changed = cluster.client.apply(cluster.config_map("x", "2"), {});
  CHECK(changed.uid() == created.uid());
  CHECK(changed.text("data.key") == "2");
  // What was read may be applied again.
  CHECK(cluster.client.apply(*cluster.client.get(cluster.ref("cm", "x")), {}).uid() == created.uid());
}

TEST_CASE("a probe of another kind takes the place of the old one, with what was filled in below it") {
  Cluster cluster;
  auto object = cluster.deployment("probed", "app:1");
  auto& container = object.json()["spec"]["template"]["spec"]["containers"][0];
  container["livenessProbe"] = {{"httpGet", {{"path", "/health"}, {"port", 80}}}, {"periodSeconds", 7}};
  const auto first = cluster.client.apply(object, {});
  CHECK(first.at("spec.template.spec.containers")[0]["livenessProbe"]["httpGet"]["scheme"] == "HTTP");
  container["livenessProbe"] = {{"tcpSocket", {{"port", 80}}}};
  const auto second = cluster.client.apply(object, {});
  const auto probe = second.at("spec.template.spec.containers")[0]["livenessProbe"];
  CHECK_FALSE(probe.contains("httpGet"));
  CHECK(probe["periodSeconds"] == 10);
}

TEST_CASE("a dry run says what would be and stores nothing") {
  Cluster cluster;
  ApplyOptions dry;
  dry.dry_run = true;
  const auto planned = cluster.client.apply(cluster.deployment("x", "app:1"), dry);
  CHECK(planned.text("spec.strategy.type") == "RollingUpdate");  // defaults are filled in
  CHECK_FALSE(cluster.client.get(cluster.ref("deploy", "x")));
  auto elsewhere = cluster.config_map("x");
  elsewhere.json()["metadata"]["namespace"] = "no-such-namespace";
  CHECK(reason_of([&] { cluster.client.apply(elsewhere, dry); }) == "NotFound");
  cluster.client.apply(cluster.config_map("kept"), {});
  DeleteOptions dry_deletion;
  dry_deletion.dry_run = true;
  CHECK(cluster.client.remove(cluster.ref("cm", "kept"), dry_deletion));
  CHECK(cluster.client.get(cluster.ref("cm", "kept")));
}

TEST_CASE("a misspelt field is refused by its name") {
  Cluster cluster;
  auto object = cluster.deployment("x", "app:1");
  object.json()["spec"]["replicsa"] = 2;
  const auto error = error_of<ValidationError>([&] { cluster.client.apply(object, {}); });
  CAPTURE(error.cause());
  CHECK(contains(error.cause(), "replicsa"));
  auto map = cluster.config_map("x");
  map.json()["dta"] = Json::object();
  CHECK(reason_of([&] { cluster.client.create(map); }) == "BadRequest");
  cluster.client.apply(cluster.config_map("x"), {});
  CHECK_THROWS_AS(cluster.client.merge_patch(cluster.ref("cm", "x"), {{"dta", 1}}), ValidationError);
  auto invalid = cluster.deployment("y", "app:1");
  invalid.json()["spec"]["replicas"] = -1;
  const auto refused = error_of<ValidationError>([&] { cluster.client.apply(invalid, {}); });
  CHECK(contains(refused.cause(), "spec.replicas"));
}

TEST_CASE("fields that another manager owns are a conflict that names it, until they are taken over") {
  Cluster cluster;
  ApplyOptions other;
  other.field_manager = "somebody-else";
  cluster.client.apply(cluster.config_map("x", "theirs"), other);
  const auto error = error_of<Conflict>([&] { cluster.client.apply(cluster.config_map("x", "ours"), {}); });
  CAPTURE(error.cause());
  CHECK(contains(error.cause(), "somebody-else"));
  CHECK(contains(error.cause(), ".data.key"));
  ApplyOptions force;
  force.force = true;
  CHECK(cluster.client.apply(cluster.config_map("x", "ours"), force).text("data.key") == "ours");
}

TEST_CASE("several are applied in one go, each with its own result") {
  Cluster cluster;
  std::vector<Object> objects;
  for (int i = 0; i < 20; ++i) objects.push_back(cluster.config_map("map-" + std::to_string(i)));
  objects[7].json()["wrong"] = 1;
  const auto results = cluster.client.apply_all(objects, {});
  REQUIRE(results.size() == 20);
  for (std::size_t i = 0; i < results.size(); ++i) {
    CAPTURE(i);
    if (i == 7) {
      CHECK_THROWS_AS(std::rethrow_exception(std::get<1>(results[i])), ValidationError);
    } else {
      REQUIRE(results[i].index() == 0);
      CHECK(std::get<0>(results[i]).name() == objects[i].name());
    }
  }
}

TEST_CASE("a list follows its pages, selects, and says what its items are") {
  Cluster cluster;
  std::vector<Object> objects;
  for (int i = 0; i < 7; ++i) {
    objects.push_back(cluster.config_map("map-" + std::to_string(i)));
    objects.back().json()["metadata"]["labels"] = {{"odd", i % 2 == 1 ? "yes" : "no"}};
  }
  for (const auto& result : cluster.client.apply_all(objects, {})) REQUIRE(result.index() == 0);
  ListOptions options;
  options.page_size = 2;
  options.label_selector = "odd";
  const auto all = cluster.client.list(*find_type("cm"), cluster.name_space, options);
  CHECK(all.items.size() == 7);
  CHECK_FALSE(all.resource_version.empty());
  for (const auto& item : all.items) CHECK(item.ref().type.kind == "ConfigMap");
  options.label_selector = "odd=yes";
  CHECK(cluster.client.list(*find_type("cm"), cluster.name_space, options).items.size() == 3);
  options.field_selector = "metadata.name=map-3";
  CHECK(cluster.client.list(*find_type("cm"), "", options).items.size() == 1);
  CHECK(cluster.client.list(*find_type("cm"), "no-such-namespace", {}).items.empty());
  options.label_selector = "not a selector!";
  CHECK_THROWS_AS((void)cluster.client.list(*find_type("cm"), cluster.name_space, options), ValidationError);
  CHECK_THROWS_AS(
      (void)cluster.client.list({"nobody.example", "v1", "Widget", "widgets", true}, cluster.name_space, {}), NotFound);
}

TEST_CASE("a deletion is bound to the uid and the version that were read") {
  Cluster cluster;
  const auto object = cluster.client.apply(cluster.config_map("x"), {});
  DeleteOptions options;
  options.uid = "00000000-0000-0000-0000-000000000000";
  const auto error = error_of<Conflict>([&] { cluster.client.remove(object.ref(), options); });
  CHECK(contains(error.cause(), "UID"));
  options.uid = object.uid();
  options.resource_version = "1";
  CHECK_THROWS_AS(cluster.client.remove(object.ref(), options), Conflict);
  CHECK(cluster.client.get(object.ref()));
  options.resource_version = object.resource_version();
  CHECK(cluster.client.remove(object.ref(), options) == object.uid());
  CHECK_FALSE(cluster.client.get(object.ref()));
  CHECK_FALSE(cluster.client.remove(object.ref(), options));
}

TEST_CASE("what is being deleted already is deleted by a second deletion as well") {
  Cluster cluster;
  auto held = cluster.config_map("held");
  held.json()["metadata"]["finalizers"] = {"litedesk.io/test"};
  const auto object = cluster.client.apply(held, {});
  DeleteOptions options;
  options.uid = object.uid();
  CHECK(cluster.client.remove(object.ref(), options) == object.uid());
  CHECK(cluster.client.get(object.ref())->deleting());
  CHECK(cluster.client.remove(object.ref(), options) == object.uid());
  const ObjectRef name_space{*find_type("ns"), "", cluster.name_space};
  const auto uid = cluster.client.get(name_space)->uid();
  CHECK(cluster.client.remove(name_space, {}) == uid);
  // The finalizer keeps it.
  CHECK(cluster.client.remove(name_space, {}) == uid);
  const auto error = error_of<PermissionDenied>([&] { cluster.client.apply(cluster.config_map("late"), {}); });
  CHECK(contains(error.hint(), "is being deleted"));
  cluster.client.merge_patch(object.ref(), {{"metadata", {{"finalizers", nullptr}}}});
  CHECK_FALSE(cluster.client.get(object.ref()));
}

TEST_CASE("a merge patch with a version is a precondition") {
  Cluster cluster;
  const auto first = cluster.client.apply(cluster.config_map("x", "1"), {});
  const auto patch = [&](const std::string& version, const std::string& value) {
    return Json{{"metadata", {{"resourceVersion", version}}}, {"data", {{"key", value}}}};
  };
  const auto second = cluster.client.merge_patch(first.ref(), patch(first.resource_version(), "2"));
  CHECK(second.text("data.key") == "2");
  CHECK(reason_of([&] { cluster.client.merge_patch(first.ref(), patch(first.resource_version(), "3")); }) ==
        "Conflict");
  CHECK(cluster.client.get(first.ref())->text("data.key") == "2");
  CHECK_THROWS_AS(cluster.client.merge_patch(cluster.ref("cm", "absent"), {{"data", {{"a", "b"}}}}), NotFound);
}

TEST_CASE("create refuses a name that is taken") {
  Cluster cluster;
  CHECK_FALSE(cluster.client.create(cluster.config_map("x")).uid().empty());
  CHECK(reason_of([&] { cluster.client.create(cluster.config_map("x")); }) == "AlreadyExists");
}

TEST_CASE("whoever may do nothing is told what was refused, and may still ask") {
  Cluster cluster;
  const auto nobody = contract::client_as("system:serviceaccount:" + cluster.name_space + ":nobody");
  const auto error = error_of<PermissionDenied>([&] { nobody->apply(cluster.config_map("x"), {}); });
  CAPTURE(error.cause());
  CHECK(contains(error.cause(), "configmaps"));
  CHECK(contains(error.cause(), "cannot patch"));
  CHECK(contains(error.hint(), "administrator to grant"));
  CHECK_THROWS_AS((void)nobody->get(cluster.ref("cm", "x")), PermissionDenied);
  CHECK_THROWS_AS(nobody->watch(*find_type("cm"), cluster.name_space, {}, [](const WatchEvent&) { return true; }, {}),
                  PermissionDenied);
  const auto review = nobody->create(Object(Json{
      {"apiVersion", "authorization.k8s.io/v1"},
      {"kind", "SelfSubjectAccessReview"},
      {"spec",
       {{"resourceAttributes", {{"namespace", cluster.name_space}, {"verb", "patch"}, {"resource", "configmaps"}}}}}}));
  CHECK(review.at("status.allowed") == false);
}

TEST_CASE("an exceeded quota and a refused pod have their own words and ways out") {
  Cluster cluster(Json{{"pod-security.kubernetes.io/enforce", "restricted"}});
  auto error = error_of<PermissionDenied>([&] { cluster.client.apply(cluster.pod("x", "app:1"), {}); });
  CHECK(contains(error.cause(), "violates PodSecurity"));
  CHECK(contains(error.hint(), "securityContext"));
  cluster.client.apply(Object(Json{{"apiVersion", "v1"},
                                   {"kind", "ResourceQuota"},
                                   {"metadata", {{"name", "q"}, {"namespace", cluster.name_space}}},
                                   {"spec", {{"hard", {{"services", "0"}}}}}}),
                       {});
  REQUIRE(cluster.wait_for_named(cluster.ref("quota", "q"),
                                 [](const Object& quota) { return quota.at("status.used").is_object(); }));
  const Object service(Json{{"apiVersion", "v1"},
                            {"kind", "Service"},
                            {"metadata", {{"name", "s"}, {"namespace", cluster.name_space}}},
                            {"spec", {{"ports", Json::array({{{"port", 80}}})}}}});
  error = error_of<PermissionDenied>([&] { cluster.client.apply(service, {}); });
  CHECK(contains(error.cause(), "exceeded quota: q"));
  CHECK(contains(error.hint(), "ResourceQuota"));
}

TEST_CASE("warnings of the server are shown, each once") {
  Cluster cluster(Json{{"pod-security.kubernetes.io/warn", "restricted"}});
  cluster.client.apply(cluster.pod("a", "app:1"), {});
  REQUIRE(cluster.warnings.size() == 1);
  CHECK(contains(cluster.warnings[0], "would violate PodSecurity"));
  cluster.client.apply(cluster.pod("b", "app:1"), {});
  CHECK(cluster.warnings.size() == 1);
}
