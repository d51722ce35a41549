#include "kubernetes_cluster_support.hpp"

using namespace litedesk;
using namespace litedesk::sandbox;
using namespace litedesk::sandbox::tests;

namespace {

const std::string map = acme + "/configmaps/settings";

Json owners(const Json& object) {
  Json result = Json::object();
  if (const auto& entries = at(object, "metadata.managedFields"); entries.is_array())
    for (const auto& entry : entries)
      result[text(entry, "manager") + "/" + text(entry, "operation")] = entry["fieldsV1"];
  return result;
}

}  // namespace

TEST_CASE("applying creates with 201, the same again changes nothing, and a field that is applied no more goes") {
  TestCluster cluster;
  cluster.make_namespace();
  const auto first = cluster.apply(map, config_map("settings", {{"a", "1"}, {"b", "2"}}));
  CHECK(first.status == 201);
  CHECK(owners(first.body) ==
        Json{{"litedesk/Apply", {{"f:data", {{"f:a", Json::object()}, {"f:b", Json::object()}}}}}});
  cluster.pass(5);
  const auto again = cluster.apply(map, config_map("settings", {{"a", "1"}, {"b", "2"}}));
  CHECK(again.status == 200);
  CHECK(text(again.body, "metadata.resourceVersion") == text(first.body, "metadata.resourceVersion"));
  const auto less = cluster.apply(map, config_map("settings", {{"a", "1"}}));
  CHECK(less.body["data"] == Json{{"a", "1"}});
}

TEST_CASE("a probe that is of another kind from now on takes the old one's defaults with it") {
  TestCluster cluster;
  cluster.make_namespace();
  const std::string path = deployments + "/app";
  auto object = deployment("app", "app:1");
  auto& container = object["spec"]["template"]["spec"]["containers"][0];
  container["livenessProbe"] = {{"httpGet", {{"path", "/health"}, {"port", 80}}}, {"periodSeconds", 7}};
  const auto first = cluster.apply(path, object);
  REQUIRE(first.status == 201);
  CHECK(at(first.body, "spec.template.spec.containers")[0]["livenessProbe"]["httpGet"]["scheme"] == "HTTP");
  container["livenessProbe"] = {{"tcpSocket", {{"port", 80}}}};
  const auto second = cluster.apply(path, object);
  CHECK(second.status == 200);
  const auto probe = at(second.body, "spec.template.spec.containers")[0]["livenessProbe"];
  CHECK_FALSE(probe.contains("httpGet"));
  CHECK(probe["periodSeconds"] == 10);
}

TEST_CASE("a field of another manager is a conflict in the API's words, and force takes it over") {
  TestCluster cluster;
  cluster.make_namespace();
  cluster.apply(map, config_map("settings", {{"a", "1"}, {"b", "2"}}), "first");
  const auto refused = cluster.apply(map, config_map("settings", {{"a", "x"}, {"b", "y"}}), "second");
  CHECK(refused.status == 409);
  CHECK(refused.reason() == "Conflict");
  CHECK(refused.message() == "Apply failed with 2 conflicts: conflicts with \"first\":\n- .data.a\n- .data.b");
  const auto& causes = at(refused.body, "details.causes");
  REQUIRE(causes.size() == 2);
  CHECK(causes[0] ==
        Json{{"reason", "FieldManagerConflict"}, {"message", "conflict with \"first\""}, {"field", ".data.a"}});

  const auto forced = cluster.apply(map, config_map("settings", {{"a", "x"}}), "second", "&force=true");
  CHECK(forced.status == 200);
  CHECK(forced.body["data"] == Json{{"a", "x"}, {"b", "2"}});
  CHECK(owners(forced.body) == Json{{"first/Apply", {{"f:data", {{"f:b", Json::object()}}}}},
                                    {"second/Apply", {{"f:data", {{"f:a", Json::object()}}}}}});
}

TEST_CASE("the same value is shared without a conflict, and stays while one of its owners has it") {
  TestCluster cluster;
  cluster.make_namespace();
  cluster.apply(map, config_map("settings", {{"a", "1"}}), "first");
  CHECK(cluster.apply(map, config_map("settings", {{"a", "1"}, {"b", "2"}}), "second").status == 200);
  const auto one = cluster.apply(map, config_map("settings", {{"b", "2"}}), "second");
  CHECK(one.body["data"] == Json{{"a", "1"}, {"b", "2"}});
  const auto none =
      cluster.apply(map, {{"apiVersion", "v1"}, {"kind", "ConfigMap"}, {"metadata", {{"name", "settings"}}}}, "first");
  CHECK(none.body["data"] == Json{{"b", "2"}});
}

TEST_CASE("a conflict with who wrote by other means names the version") {
  TestCluster cluster;
  cluster.make_namespace();
  cluster.send("POST", acme + "/configmaps?fieldManager=hand", config_map("settings", {{"a", "1"}}));
  const auto refused = cluster.apply(map, config_map("settings", {{"a", "x"}}));
  CHECK(refused.message() == "Apply failed with 1 conflict: conflict with \"hand\" using v1: .data.a");
}

TEST_CASE("containers merge by name, and what others added to them is kept") {
  TestCluster cluster;
  cluster.make_namespace();
  auto object = deployment("web", "web:1");
  object["spec"]["template"]["spec"]["containers"][0]["env"] = Json::array({{{"name", "A"}, {"value", "1"}}});
  REQUIRE(cluster.apply(deployments + "/web", object).status == 201);
  const Json side = {
      {"spec",
       {{"template",
         {{"spec",
           {{"containers",
             Json::array({{{"name", "side"}, {"image", "side:1"}},
                          {{"name", "main"}, {"env", Json::array({{{"name", "B"}, {"value", "2"}}})}}})}}}}}}}};
  REQUIRE(cluster.send("PATCH", deployments + "/web", side, "application/strategic-merge-patch+json").status == 200);
  object["spec"]["template"]["spec"]["containers"][0]["image"] = "web:2";
  const auto after = cluster.apply(deployments + "/web", object);
  const auto& containers = at(after.body, "spec.template.spec.containers");
  REQUIRE(containers.size() == 2);
  // In the order of the strategic patch.
  CHECK(containers[0]["name"] == "side");
  CHECK(containers[1]["image"] == "web:2");
  CHECK(containers[1]["env"].size() == 2);
  CHECK(cluster.apply(deployments + "/web", deployment("web", "web:2"))
            .body["spec"]["template"]["spec"]["containers"][1]["env"]
            .size() == 1);
}

TEST_CASE("a conflict inside a list names the item by its key") {
  TestCluster cluster;
  cluster.make_namespace();
  cluster.apply(deployments + "/web", deployment("web", "web:1"), "first");
  const auto refused = cluster.apply(deployments + "/web", deployment("web", "web:2"), "second");
  CHECK(refused.message() ==
        "Apply failed with 1 conflict: conflict with \"first\": .spec.template.spec.containers[name=\"main\"].image");
}

TEST_CASE("quantities are compared by value, whatever their spelling") {
  TestCluster cluster;
  cluster.make_namespace();
  auto object = deployment("web", "web:1");
  object["spec"]["template"]["spec"]["containers"][0]["resources"] = {
      {"requests", {{"cpu", "1000m"}, {"memory", "1024Mi"}}}};
  const auto first = cluster.apply(deployments + "/web", object);
  CHECK(at(first.body, "spec.template.spec.containers")[0]["resources"]["requests"] ==
        Json{{"cpu", "1"}, {"memory", "1Gi"}});
  const auto live = cluster.get(deployments + "/web");
  const auto again = cluster.apply(deployments + "/web", object);
  CHECK(again.body["metadata"]["generation"] == 1);
  CHECK(again.body["metadata"]["resourceVersion"] == live["metadata"]["resourceVersion"]);
}

TEST_CASE("what an applied configuration may not be") {
  TestCluster cluster;
  cluster.make_namespace();
  cluster.apply(map, config_map("settings", {{"a", "1"}}));
  struct Case {
    const char* name;
    std::string target;
    Json object;
    int status;
    std::string message;
  };
  auto unknown = config_map("settings", {{"a", "1"}});
  unknown["foo"] = 1;
  auto owned = config_map("settings", {{"a", "1"}});
  owned["metadata"]["managedFields"] = Json::array({Json::object()});
  auto twice = deployment("web", "web:1");
  twice["spec"]["template"]["spec"]["containers"].push_back({{"name", "main"}, {"image", "b"}});
  const Case cases[] = {
      {"no field manager", map, config_map("settings", {}), 422,
       "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for apply patch"},
      {"another name", map + "?fieldManager=x", config_map("other", {}), 400,
       "the name of the object (other) does not match the name on the URL (settings)"},
      {"managed fields", map + "?fieldManager=x", owned, 400, "metadata.managedFields must be nil"},
      {"an unknown field", map + "?fieldManager=x", unknown, 500,
       "failed to create typed patch object (/settings; /v1, Kind=ConfigMap): .foo: field not declared in schema"},
      {"a wrong type", map + "?fieldManager=x", config_map("settings", {{"a", 1}}), 500,
       "failed to create typed patch object (/settings; /v1, Kind=ConfigMap): .data.a: expected string, got "
       "&value.valueUnstructured{Value:1}"},
      {"the same item twice", deployments + "/web?fieldManager=x", twice, 500,
       "failed to create typed patch object (/web; apps/v1, Kind=Deployment): .spec.template.spec.containers: "
       "duplicate entries for key [name=\"main\"]"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.name);
    const auto answer = cluster.send("PATCH", c.target, c.object, "application/apply-patch+yaml");
    CHECK(answer.status == c.status);
    CHECK(answer.message() == c.message);
  }
}

TEST_CASE("replicas that were scaled belong to the scale subresource") {
  TestCluster cluster;
  cluster.make_namespace();
  cluster.apply(deployments + "/web", deployment("web", "web:1"));
  const auto scaled = cluster.merge(deployments + "/web/scale?fieldManager=autoscaler", {{"spec", {{"replicas", 3}}}});
  CHECK(scaled.status == 200);
  CHECK(text(scaled.body, "kind") == "Scale");
  CHECK(cluster.get(deployments + "/web")["spec"]["replicas"] == 3);
  const auto refused = cluster.apply(deployments + "/web", deployment("web", "web:1"));
  CHECK(refused.status == 409);
  CHECK(
      refused.message().find("conflict with \"autoscaler\" with subresource \"scale\" using apps/v1: .spec.replicas") !=
      std::string::npos);
}

TEST_CASE("a secret's plain text is stored encoded, and applying it again changes nothing") {
  TestCluster cluster;
  cluster.make_namespace();
  const Json secret = {
      {"apiVersion", "v1"}, {"kind", "Secret"}, {"metadata", {{"name", "app"}}}, {"stringData", {{"key", "value"}}}};
  const auto first = cluster.apply(acme + "/secrets/app", secret);
  CHECK(first.body["data"] == Json{{"key", "dmFsdWU="}});
  CHECK_FALSE(first.body.contains("stringData"));
  CHECK(first.body["type"] == "Opaque");
  const auto again = cluster.apply(acme + "/secrets/app", secret);
  CHECK(again.body["metadata"]["resourceVersion"] == first.body["metadata"]["resourceVersion"]);
}

TEST_CASE("a YAML body is applied like a JSON one") {
  TestCluster cluster;
  cluster.make_namespace();
  const auto reply = cluster.raw(
      "PATCH", map + "?fieldManager=x",
      "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\ndata:\n  port: \"8080\"\n  on: 'yes'\n",
      "application/apply-patch+yaml");
  CHECK(reply.status == 201);
  CHECK(Json::parse(reply.body)["data"] == Json{{"port", "8080"}, {"on", "yes"}});
}

TEST_CASE("replicas that nobody set stay without an owner when they are scaled") {
  TestCluster cluster;
  cluster.make_namespace();
  auto web = deployment("web", "web:1");
  web["spec"].erase("replicas");
  REQUIRE(cluster.apply(deployments + "/web", web).status == 201);
  const auto scaled = cluster.merge(deployments + "/web/scale", {{"spec", {{"replicas", 3}}}});
  REQUIRE(scaled.status == 200);
  web["spec"]["replicas"] = 1;
  REQUIRE(cluster.apply(deployments + "/web", web, "other").status == 200);
  // From now on they have one.
  REQUIRE(cluster.merge(deployments + "/web/scale", {{"spec", {{"replicas", 3}}}}).status == 200);
  CHECK(cluster.apply(deployments + "/web", web, "other").message() ==
        "Apply failed with 1 conflict: conflict with \"tests\" with subresource \"scale\" using apps/v1: "
        ".spec.replicas");
}

TEST_CASE("an object without owners gets none by an update") {
  TestCluster cluster;
  cluster.make_namespace();
  auto bare = config_map("bare", {});
  bare.erase("data");
  cluster.send("POST", acme + "/configmaps", bare);
  cluster.merge(acme + "/configmaps/bare", {{"data", {{"a", "1"}}}});
  CHECK(at(cluster.get(acme + "/configmaps/bare"), "metadata.managedFields").is_null());
  CHECK(cluster.apply(acme + "/configmaps/bare", config_map("bare", {{"a", "2"}})).message() ==
        "Apply failed with 1 conflict: conflict with \"before-first-apply\" using v1: .data.a");
}
