#include "kubernetes_cluster_support.hpp"

using namespace litedesk;
using namespace litedesk::sandbox;
using namespace litedesk::sandbox::tests;

namespace {

const std::string maps = acme + "/configmaps";

std::vector<std::string> told(const std::vector<Json>& events) {
  std::vector<std::string> result;
  for (const auto& event : events) result.push_back(text(event, "type") + " " + kube::name_of(event["object"]));
  return result;
}

std::string list_version(TestCluster& cluster, const std::string& target) {
  return text(cluster.get(target), "metadata.resourceVersion");
}

}  // namespace

TEST_CASE("a watch tells what happened since the version of a list, in order, with growing versions") {
  TestCluster cluster;
  cluster.make_namespace();
  const auto watch = cluster.raw("GET", maps + "?watch=1&resourceVersion=" + list_version(cluster, maps));
  cluster.send("POST", maps, config_map("one", {{"a", "1"}}));
  cluster.merge(maps + "/one", {{"data", {{"a", "2"}}}});
  cluster.send("DELETE", maps + "/one");
  const auto events = cluster.events(watch);
  CHECK(told(events) == std::vector<std::string>{"ADDED one", "MODIFIED one", "DELETED one"});
  std::int64_t last = 0;
  for (const auto& event : events) {
    CHECK(event["object"]["kind"] == "ConfigMap");
    const auto version = std::stoll(text(event["object"], "metadata.resourceVersion"));
    CHECK(version > last);
    last = version;
  }
}

TEST_CASE("a watch without a version begins with what is there") {
  TestCluster cluster;
  cluster.make_namespace();
  cluster.send("POST", maps, config_map("one", {}));
  CHECK(told(cluster.events(cluster.raw("GET", maps + "?watch=true"))) ==
        std::vector<std::string>{"ADDED kube-root-ca.crt", "ADDED one"});
}

TEST_CASE("initial events end with a bookmark that says so") {
  TestCluster cluster;
  cluster.make_namespace();
  const auto events = cluster.events(cluster.raw(
      "GET", maps + "?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"));
  REQUIRE(events.size() == 2);
  CHECK(events[1]["type"] == "BOOKMARK");
  CHECK(at(events[1], "object.metadata.annotations") == Json{{"k8s.io/initial-events-end", "true"}});
}

TEST_CASE("what comes to match a selector is added, and what ceases to is deleted") {
  TestCluster cluster;
  cluster.make_namespace();
  cluster.send("POST", maps, config_map("one", {}));
  const auto watch =
      cluster.raw("GET", maps + "?watch=1&labelSelector=on&resourceVersion=" + list_version(cluster, maps));
  cluster.merge(maps + "/one", {{"data", {{"a", "1"}}}});
  cluster.merge(maps + "/one", {{"metadata", {{"labels", {{"on", "1"}}}}}});
  cluster.merge(maps + "/one", {{"metadata", {{"labels", {{"on", "2"}}}}}});
  cluster.merge(maps + "/one", {{"metadata", {{"labels", {{"on", nullptr}}}}}});
  cluster.send("DELETE", maps + "/one");
  CHECK(told(cluster.events(watch)) == std::vector<std::string>{"ADDED one", "MODIFIED one", "DELETED one"});
}

TEST_CASE("a watch of one object by its name hears of no other") {
  TestCluster cluster;
  cluster.make_namespace();
  const auto watch = cluster.raw(
      "GET", maps + "?watch=1&fieldSelector=metadata.name%3Dtwo&resourceVersion=" + list_version(cluster, maps));
  cluster.send("POST", maps, config_map("one", {}));
  cluster.send("POST", maps, config_map("two", {}));
  CHECK(told(cluster.events(watch)) == std::vector<std::string>{"ADDED two"});
}

TEST_CASE("a version that is no longer in the log is Expired") {
  TestCluster cluster;
  cluster.make_namespace();
  const auto first = list_version(cluster, maps);
  cluster.state().write([&] {
    for (int i = 0; i < 10'200; ++i) cluster.state().put("other", "", "x", {{"i", i}});
  });
  const auto events = cluster.events(cluster.raw("GET", maps + "?watch=1&resourceVersion=" + first));
  REQUIRE(events.size() == 1);
  CHECK(events[0]["type"] == "ERROR");
  CHECK(events[0]["object"]["code"] == 410);
  CHECK(events[0]["object"]["reason"] == "Expired");
}

TEST_CASE("a watch ends after its time, with a bookmark if wanted") {
  TestCluster cluster;
  cluster.make_namespace();
  const auto watch = cluster.raw(
      "GET", maps + "?watch=1&timeoutSeconds=5&allowWatchBookmarks=1&resourceVersion=" + list_version(cluster, maps));
  CHECK(cluster.events(watch).empty());
  cluster.pass(6);
  const auto events = cluster.events(watch);
  REQUIRE(events.size() == 1);
  CHECK(events[0]["type"] == "BOOKMARK");
  CHECK_FALSE(watch.stream([](std::string_view) { return true; }));
}

TEST_CASE("a watch sees what moves by itself, each step at its time") {
  TestCluster cluster;
  cluster.make_namespace();
  const auto pods = acme + "/pods";
  const auto watch = cluster.raw("GET", pods + "?watch=1&resourceVersion=" + list_version(cluster, pods));
  cluster.send("POST", deployments, deployment("web", "web:1"));
  const auto phases = [&] {
    std::vector<std::string> result;
    for (const auto& event : cluster.events(watch)) result.push_back(text(event["object"], "status.phase"));
    return result;
  };
  CHECK(phases() == std::vector<std::string>{"Pending", "Pending"});
  cluster.pass(0.9);
  CHECK(phases().empty());
  cluster.pass(0.2);
  CHECK(phases() == std::vector<std::string>{"Running"});
}

TEST_CASE("a watch sees the writes of another process on the same file") {
  TestCluster cluster;
  cluster.make_namespace();
  const auto watch = cluster.raw("GET", maps + "?watch=1&resourceVersion=" + list_version(cluster, maps));
  const auto other = make_kubernetes_api({cluster.state(), cluster.clock(), 1.0, "litedesk.com", tests::keys});
  other->handle(
      make_call("POST", maps, config_map("one", {}).dump(),
                {{"content-type", "application/json"}, {"authorization", "Bearer " + tests::keys.kubernetes_token}}));
  CHECK(told(cluster.events(watch)) == std::vector<std::string>{"ADDED one"});
}

TEST_CASE("a watch as a table names its columns once") {
  TestCluster cluster;
  cluster.make_namespace();
  const auto watch = cluster.raw("GET", maps + "?watch=1", {}, "", "application/json;as=Table;v=v1;g=meta.k8s.io");
  cluster.send("POST", maps, config_map("one", {{"a", "1"}}));
  const auto events = cluster.events(watch);
  REQUIRE(events.size() == 2);
  CHECK(events[0]["object"]["columnDefinitions"].size() == 3);
  CHECK(events[1]["object"]["columnDefinitions"].empty());
  CHECK(events[1]["object"]["rows"][0]["cells"] == Json::array({"one", 1, "0s"}));
}

TEST_CASE("a version that is no number is refused before the stream begins") {
  TestCluster cluster;
  CHECK(cluster.send("GET", "/api/v1/namespaces?watch=1&resourceVersion=abc").status == 500);
}

TEST_CASE("what leaves a selection is told of as it was in it") {
  TestCluster cluster;
  cluster.make_namespace();
  cluster.send("POST", maps, config_map("one", {{"a", "1"}}, {{"app", "x"}}));
  const auto watch =
      cluster.raw("GET", maps + "?watch=1&labelSelector=app%3Dx&resourceVersion=" + list_version(cluster, maps));
  cluster.merge(maps + "/one", {{"metadata", {{"labels", {{"app", "y"}}}}}});
  const auto events = cluster.events(watch);
  REQUIRE(told(events) == std::vector<std::string>{"DELETED one"});
  CHECK(at(events[0], "object.metadata.labels") == Json{{"app", "x"}});
}

TEST_CASE("a watch from now on tells where its first events end, if it takes bookmarks") {
  TestCluster cluster;
  cluster.make_namespace();
  const auto events = cluster.events(cluster.raw("GET", maps + "?watch=1&allowWatchBookmarks=true"));
  REQUIRE(events.size() == 2);
  CHECK(at(events[1], "object.metadata.annotations") == Json{{"k8s.io/initial-events-end", "true"}});
  CHECK(cluster.send("GET", maps + "?watch=1&sendInitialEvents=true").message() ==
        "ListOptions.meta.k8s.io \"\" is invalid: resourceVersionMatch: Forbidden: sendInitialEvents requires setting "
        "resourceVersionMatch to NotOlderThan");
}
