#include "kubernetes_cluster_support.hpp"

using namespace litedesk;
using namespace litedesk::sandbox;
using namespace litedesk::sandbox::tests;

namespace {

const std::string definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const std::string foos = "/apis/x.io/v1/foos";

Json definition() {
  const Json schema = Json::parse(R"({
    "type": "object", "required": ["spec"],
    "properties": {
      "spec": {"type": "object", "required": ["a"], "properties": {
        "a": {"type": "string", "enum": ["x", "y"]},
        "b": {"type": "integer", "maximum": 3},
        "c": {"type": "string", "maxLength": 5, "pattern": "^[a-z]*$"},
        "d": {"type": "string", "default": "given"},
        "list": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
                 "items": {"type": "object", "properties": {"name": {"type": "string"}, "value": {"type": "string"}}}}}},
      "status": {"type": "object", "properties": {"phase": {"type": "string"}}}}})");
  return {{"apiVersion", "apiextensions.k8s.io/v1"},
          {"kind", "CustomResourceDefinition"},
          {"metadata", {{"name", "foos.x.io"}}},
          {"spec",
           {{"group", "x.io"},
            {"scope", "Cluster"},
            {"names", {{"kind", "Foo"}, {"plural", "foos"}, {"shortNames", {"fo"}}}},
            {"versions",
             Json::array(
                 {{{"name", "v1"},
                   {"served", true},
                   {"storage", true},
                   {"additionalPrinterColumns",
                    Json::array({{{"name", "A"}, {"type", "string"}, {"jsonPath", ".spec.a"}},
                                 {{"name", "Age"}, {"type", "date"}, {"jsonPath", ".metadata.creationTimestamp"}}})},
                   {"schema", {{"openAPIV3Schema", schema}}}}})}}}};
}

Json foo(const Json& spec) {
  return {{"apiVersion", "x.io/v1"}, {"kind", "Foo"}, {"metadata", {{"name", "one"}}}, {"spec", spec}};
}

}  // namespace

TEST_CASE("a defined kind is served at once, found by discovery, and gone with its definition") {
  TestCluster cluster;
  CHECK(cluster.raw("GET", "/apis/x.io/v1").status == 404);
  CHECK(cluster.apply(definitions + "/foos.x.io", definition()).status == 201);
  const auto live = cluster.get(definitions + "/foos.x.io");
  CHECK(condition(live, "Established") == "True");
  CHECK(at(live, "spec.names.listKind") == "FooList");
  CHECK(at(live, "status.storedVersions") == Json::array({"v1"}));
  CHECK(cluster.get("/apis/x.io/v1")["resources"][0]["shortNames"] == Json::array({"fo"}));
  CHECK(cluster.send("POST", foos, foo({{"a", "x"}})).status == 201);
  CHECK(cluster.send("DELETE", definitions + "/foos.x.io").status == 200);
  CHECK(cluster.raw("GET", "/apis/x.io/v1").status == 404);
  cluster.apply(definitions + "/foos.x.io", definition());
  CHECK(cluster.get(foos)["items"].empty());
}

TEST_CASE("a custom resource is held to its schema") {
  TestCluster cluster;
  cluster.apply(definitions + "/foos.x.io", definition());
  const std::pair<Json, std::string> cases[] = {
      {{{"a", "q"}, {"b", 7}},
       "Foo.x.io \"one\" is invalid: [spec.a: Unsupported value: \"q\": supported values: \"x\", \"y\", spec.b: "
       "Invalid value: 7: spec.b in "
       "body should be less than or equal to 3]"},
      {{{"a", "x"}, {"b", "q"}},
       "Foo.x.io \"one\" is invalid: spec.b: Invalid value: \"string\": spec.b in body must be of type integer: "
       "\"string\""},
      {Json::object(), "Foo.x.io \"one\" is invalid: spec.a: Required value"},
      {{{"a", "x"}, {"c", "abcdef"}}, "Foo.x.io \"one\" is invalid: spec.c: Too long: may not be more than 5 bytes"},
      {{{"a", "x"}, {"c", "A"}},
       "Foo.x.io \"one\" is invalid: spec.c: Invalid value: \"A\": spec.c in body should match '^[a-z]*$'"},
  };
  for (const auto& [spec, message] : cases) {
    const auto refused = cluster.send("POST", foos, foo(spec));
    CHECK(refused.status == 422);
    CHECK(refused.message() == message);
  }
  const auto made = cluster.send("POST", foos, foo({{"a", "x"}, {"z", 1}}));
  CHECK(made.status == 201);
  CHECK(made.body["spec"] == Json{{"a", "x"}, {"d", "given"}});
  CHECK(made.warnings.size() == 1);
  CHECK(cluster.send("POST", foos + "?fieldValidation=Strict", foo({{"a", "x"}, {"z", 1}})).status == 400);
}

TEST_CASE("a pattern is RE2's: linear in the text, unanchored, and checked with the definition") {
  TestCluster cluster;
  auto crd = definition();
  auto& properties = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"];
  properties["e"] = {{"type", "string"}, {"pattern", "^(a|b)*$"}};
  properties["f"] = {{"type", "string"}, {"pattern", "(a*)*b|\\pL[[:digit:]]"}};
  REQUIRE(cluster.send("POST", definitions, crd).status == 201);
  auto long_one = std::string(200'000, 'a');
  CHECK(cluster.send("POST", foos, foo({{"a", "x"}, {"e", long_one}})).status == 201);
  CHECK(cluster.send("DELETE", foos + "/one").status == 200);
  CHECK(cluster.send("POST", foos, foo({{"a", "x"}, {"f", long_one}}))
            .message()
            .ends_with("spec.f in body should match '(a*)*b|\\pL[[:digit:]]'"));
  CHECK(cluster.send("POST", foos, foo({{"a", "x"}, {"f", "- \u00d67 -"}})).status == 201);
  for (const auto& tried : {std::pair("(?=a)b", "(?=a)b"), std::pair("(", "("), std::pair("a**", "**")}) {
    CAPTURE(tried.first);
    properties["e"]["pattern"] = tried.first;
    const auto refused = cluster.send("PUT", definitions + "/foos.x.io", crd);
    CHECK(refused.status == 422);
    CHECK(
        refused.message().find(fmt::format(
            "spec.validation.openAPIV3Schema.properties[spec].properties[e].pattern: Invalid value: \"{}\": must be a "
            "valid regular expression, but isn't: error parsing regexp: ",
            tried.first)) != std::string::npos);
  }
}

TEST_CASE("without a status subresource one write changes spec and status together") {
  TestCluster cluster;
  cluster.apply(definitions + "/foos.x.io", definition());
  cluster.send("POST", foos, foo({{"a", "x"}}));
  const auto both =
      cluster.merge(foos + "/one?fieldValidation=Strict", {{"spec", {{"a", "y"}}}, {"status", {{"phase", "on"}}}});
  CHECK(both.status == 200);
  CHECK(both.body["spec"]["a"] == "y");
  CHECK(both.body["status"]["phase"] == "on");
  CHECK(both.body["metadata"]["generation"] == 2);
  CHECK(cluster.send("GET", foos + "/one/status").status == 404);
}

TEST_CASE("custom resources merge their lists by the keys of the schema, and take no strategic patch") {
  TestCluster cluster;
  cluster.apply(definitions + "/foos.x.io", definition());
  cluster.apply(foos + "/one", foo({{"a", "x"}, {"list", Json::array({{{"name", "p"}, {"value", "1"}}})}}), "first");
  const auto both =
      cluster.apply(foos + "/one", foo({{"list", Json::array({{{"name", "q"}, {"value", "2"}}})}}), "second");
  CHECK(both.status == 200);
  CHECK(both.body["spec"]["list"].size() == 2);
  const auto refused =
      cluster.send("PATCH", foos + "/one", {{"spec", {{"a", "y"}}}}, "application/strategic-merge-patch+json");
  CHECK(refused.status == 415);
}

TEST_CASE("tables have the columns of the definition") {
  TestCluster cluster;
  cluster.apply(definitions + "/foos.x.io", definition());
  cluster.send("POST", foos, foo({{"a", "x"}}));
  cluster.pass(75);
  const auto table =
      cluster.send("GET", foos, nullptr, "", "application/json;as=Table;v=v1;g=meta.k8s.io,application/json").body;
  CHECK(table["kind"] == "Table");
  CHECK(table["columnDefinitions"][1]["name"] == "A");
  CHECK(table["rows"][0]["cells"] == Json::array({"one", "x", "75s"}));
  CHECK(table["rows"][0]["object"]["kind"] == "PartialObjectMetadata");
}

TEST_CASE("what a cluster-wide custom resource owns goes with it") {
  TestCluster cluster;
  cluster.make_namespace();
  cluster.apply(definitions + "/foos.x.io", definition());
  const auto uid = text(cluster.send("POST", foos, foo({{"a", "x"}})).body, "metadata.uid");
  auto owned = config_map("owned", {});
  owned["metadata"]["ownerReferences"] =
      Json::array({{{"apiVersion", "x.io/v1"}, {"kind", "Foo"}, {"name", "one"}, {"uid", uid}}});
  cluster.send("POST", acme + "/configmaps", owned);
  cluster.send("DELETE", foos + "/one");
  CHECK(cluster.send("GET", acme + "/configmaps/owned").status == 404);
}
