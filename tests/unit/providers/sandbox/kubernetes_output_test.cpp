#include "providers/sandbox/kubernetes_output.hpp"

#include "kubernetes_cluster_support.hpp"

using namespace litedesk;
using namespace litedesk::sandbox;
using namespace litedesk::sandbox::tests;

TEST_CASE("ages are written as kubectl writes them") {
  const std::pair<kube::Millis, const char*> cases[] = {
      {0, "0s"},           {59'000, "59s"},     {119'000, "119s"},     {120'000, "2m"},
      {350'000, "5m50s"},  {600'000, "10m"},    {10'800'000, "3h"},    {12'000'000, "3h20m"},
      {36'000'000, "10h"}, {172'800'000, "2d"}, {180'000'000, "2d2h"}, {864'000'000, "10d"}};
  for (const auto& [given, expected] : cases) CHECK(kube::human_duration(given) == expected);
}

TEST_CASE("the form of an answer follows the Accept header") {
  CHECK(kube::form_of("") == kube::Form::object);
  CHECK(kube::form_of("application/vnd.kubernetes.protobuf,application/json") == kube::Form::object);
  CHECK(kube::form_of("application/json;as=Table;v=v1;g=meta.k8s.io,application/json") == kube::Form::table);
  CHECK(kube::form_of("application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io") == kube::Form::metadata);
  CHECK_THROWS_AS(static_cast<void>(kube::form_of("application/vnd.kubernetes.protobuf")), kube::StatusError);
}

TEST_CASE("pods are listed as a table with what kubectl shows of them") {
  TestCluster cluster;
  cluster.make_namespace();
  cluster.apply(deployments + "/web", deployment("web", "web:crash"));
  cluster.pass(2);
  const auto table =
      cluster.send("GET", acme + "/pods", nullptr, "", "application/json;as=Table;v=v1;g=meta.k8s.io").body;
  const auto& cells = table["rows"][0]["cells"];
  CHECK(cells[1] == "0/1");
  CHECK(cells[2] == "CrashLoopBackOff");
  CHECK(cells[3] == "1 (1s ago)");
  CHECK(cells.size() == table["columnDefinitions"].size());
}

TEST_CASE("every kind has as many cells as columns") {
  TestCluster cluster;
  cluster.make_namespace();
  cluster.apply(deployments + "/web", deployment("web", "web:1"));
  for (const auto& group :
       {std::string("/api/v1"), std::string("/apis/apps/v1"), std::string("/apis/networking.k8s.io/v1"),
        std::string("/apis/cert-manager.io/v1"), std::string("/apis/storage.k8s.io/v1")}) {
    const auto served = cluster.get(group);
    for (const auto& resource : served["resources"]) {
      const auto name = text(resource, "name");
      if (name.find('/') != std::string::npos) continue;
      CAPTURE(name);
      const auto table =
          cluster.send("GET", group + "/" + name, nullptr, "", "application/json;as=Table;v=v1;g=meta.k8s.io").body;
      for (const auto& row : table["rows"]) CHECK(row["cells"].size() == table["columnDefinitions"].size());
    }
  }
}

TEST_CASE("discovery, old and aggregated, names the same resources") {
  TestCluster cluster;
  const auto aggregated = cluster.raw(
      "GET", "/apis", {}, "", "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json");
  CHECK(aggregated.content_type == "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList");
  const auto groups = Json::parse(aggregated.body);
  for (const auto& group : groups["items"]) {
    for (const auto& version : group["versions"]) {
      std::vector<std::string> wanted;
      for (const auto& resource : version["resources"]) wanted.push_back(text(resource, "resource"));
      std::vector<std::string> found;
      const auto plain = cluster.get(fmt::format("/apis/{}/{}", kube::name_of(group), text(version, "version")));
      for (const auto& resource : plain["resources"])
        if (text(resource, "name").find('/') == std::string::npos) found.push_back(text(resource, "name"));
      CHECK(found == wanted);
    }
  }
}

TEST_CASE("questions about who one is and what one may are answered") {
  TestCluster cluster;
  const auto may = cluster.send("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
                                {{"apiVersion", "authorization.k8s.io/v1"},
                                 {"kind", "SelfSubjectAccessReview"},
                                 {"spec", {{"resourceAttributes", {{"verb", "get"}, {"resource", "pods"}}}}}});
  CHECK(may.status == 201);
  CHECK(at(may.body, "status.allowed") == true);
  const auto who = cluster.send("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews",
                                {{"apiVersion", "authentication.k8s.io/v1"}, {"kind", "SelfSubjectReview"}});
  CHECK(at(who.body, "status.userInfo.username") == "sandbox");
  CHECK(cluster.send("GET", "/apis/authentication.k8s.io/v1/selfsubjectreviews").status == 405);
}

TEST_CASE("health and version") {
  TestCluster cluster;
  CHECK(cluster.raw("GET", "/readyz").body == "ok");
  CHECK(cluster.raw("GET", "/livez?verbose").body.ends_with("livez check passed\n"));
  CHECK(text(cluster.get("/version"), "gitVersion").starts_with("v1."));
  CHECK(cluster.raw("GET", "/openapi/v3").status == 404);
}
