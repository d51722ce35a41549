#include "providers/sandbox/kubernetes_cel.hpp"

#include <cstdint>
#include <limits>

#include "kubernetes_cluster_support.hpp"
#include "providers/sandbox/kubernetes_patch.hpp"
#include "providers/system/files.hpp"

using namespace litedesk;
using namespace litedesk::sandbox;
using namespace litedesk::sandbox::tests;

namespace {

// What an expression comes to, or "error", or "unknown" for what is not known of the language.
std::string worth(std::string_view expression, const Json& self, const Json* old_self = nullptr,
                  bool optional_old = false) {
  const auto result = kube::evaluate_cel(expression, {&self, old_self, optional_old});
  if (!result.known) return "unknown";
  return result.value ? result.value->dump() : "error";
}

Json shipped_definition() {
  const auto text = system::read_file(std::string(LITEDESK_SOURCE_DIR) + "/templates/tenant-crd.yaml", "the CRD");
  return kube::parse_body(*text, "CustomResourceDefinition");
}

}  // namespace

TEST_CASE("CEL: fields, literals, logic and comparisons") {
  const Json self = {{"a", "x"}, {"n", 3}, {"list", {"p", "q"}}, {"in", {{"deep", true}}}, {"empty", Json::object()}};
  const std::vector<std::pair<const char*, const char*>> cases = {
      {"self.a == 'x'", "true"},
      {"self.a != \"x\"", "false"},
      {"self.n >= 3 && self.n < 4", "true"},
      {"self.n > 3 || self.in.deep", "true"},
      {"!(self.n == 3)", "false"},
      {"'q' in self.list", "true"},
      {"'a' in self", "true"},
      {"self.a in {'x': ['y'], 'z': []}['x']", "false"},
      {"'y' in {'x': ['y']}[self.a]", "true"},
      {"{'x': ['y']}['z']", "error"},
      {"self.list[1] + '-' + self.a", "\"q-x\""},
      {"self.list[7]", "error"},
      {"size(self.list) == 2 && self.a.size() == 1", "true"},
      {"self.n + 1 - 2", "2"},
      {"self.a == 'x' ? 'yes' : 'no'", "\"yes\""},
      {"self.a.startsWith('x') && self.a.matches('^[a-z]$') && !self.a.contains('y')", "true"},
      {"has(self.a)", "true"},
      {"has(self.none)", "false"},
      {"has(self.none.deeper)", "error"},
      {"self.none == 'x'", "error"},
      // An error on one side does not matter where the other decides.
      {"self.none == 'x' || true", "true"},
      {"false && self.none == 'x'", "false"},
      {"self.none == 'x' && true", "error"},
      {"'it\\'s'", "\"it's\""},
      {"self.list.all(x, x != '')", "unknown"},
      {"self.a ==", "unknown"},
      {"'open", "unknown"},
      {"self.a 5", "unknown"},
      {"other", "unknown"},
      {"", "unknown"},
  };
  for (const auto& tried : cases) {
    INFO(tried.first);
    CHECK(worth(tried.first, self) == tried.second);
  }
  CHECK(worth(std::string(100'000, '('), self) == "unknown");
  CHECK(worth(std::string(100'000, '!') + "true", self) == "unknown");
}

TEST_CASE("CEL: what does not fit into 64 bits is an error, as is what is not there") {
  const Json self = {{"most", std::numeric_limits<std::int64_t>::max()},
                     {"least", std::numeric_limits<std::int64_t>::min()},
                     {"beyond", std::numeric_limits<std::uint64_t>::max()},
                     {"half", 0.5},
                     {"list", {1}},
                     {"text", "x"}};
  const std::vector<std::pair<const char*, const char*>> cases = {
      {"self.most + 1", "integer overflow"},
      {"9223372036854775807 + 1 > 0", "integer overflow"},
      {"self.least - 1", "integer overflow"},
      {"-self.least", "integer overflow"},
      {"-9223372036854775807 - 2", "integer overflow"},
      {"1 + (self.most + 1)", "integer overflow"},
      {"[self.most + 1]", "integer overflow"},
      {"{'a': self.most + 1}", "integer overflow"},
      {"self.list[self.most + 1]", "integer overflow"},
      {"!(self.most + 1 > 0)", "integer overflow"},
      {"self.most + 1 > 0 && true", "integer overflow"},
      {"self.none", "no such key: none"},
      {"self.list[7]", "index out of bounds: 7"},
      {"self.list[-1]", "index out of bounds: -1"},
      {"self.text + 1", "no such overload"},
      {"self.beyond + 1", "no such overload"},
      {"-self.text", "no such overload"},
  };
  for (const auto& tried : cases) {
    INFO(tried.first);
    const auto result = kube::evaluate_cel(tried.first, {&self});
    CHECK(result.known);
    CHECK_FALSE(result.value.has_value());
    CHECK(result.error == tried.second);
  }
  CHECK(worth("self.most - 1", self) == "9223372036854775806");
  CHECK(worth("self.least + 1 == -9223372036854775807", self) == "true");
  CHECK(worth("-9223372036854775808 == self.least", self) == "true");
  CHECK(worth("self.most + 1 > 0 || true", self) == "true");
  CHECK(worth("self.most + self.least", self) == "-1");
  CHECK(worth("- 1 - -1", self) == "0");
  CHECK(worth("-self.half + self.half == self.half - self.half", self) == "true");
  CHECK(worth("9223372036854775808 > 0", self) == "unknown");  // which no CRD may say
  CHECK(worth(std::string(100'000, '-') + "1", self) == "unknown");
}

TEST_CASE("CEL: a rule that comes to no answer is told of in the API server's words") {
  TestCluster cluster;
  REQUIRE(cluster
              .send("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", Json::parse(R"({
    "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "cels.x.io"},
    "spec": {"group": "x.io", "names": {"kind": "Cel", "plural": "cels"}, "scope": "Cluster", "versions": [
      {"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object", "properties": {
        "spec": {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
                 "x-kubernetes-validations": [{"rule": "!has(self.a) || self.a + 1 > 0"},
                                              {"rule": "!has(self.b) || -self.b != 3", "message": "neg"}]}}}}}]}})"))
              .status == 201);
  const auto refusal = [&](const char* spec) {
    return cluster
        .send(
            "POST", "/apis/x.io/v1/cels",
            {{"apiVersion", "x.io/v1"}, {"kind", "Cel"}, {"metadata", {{"name", "one"}}}, {"spec", Json::parse(spec)}})
        .message();
  };
  CHECK(
      refusal(R"({"a": 9223372036854775807})") ==
      "Cel.x.io \"one\" is invalid: spec: Invalid value: \"object\": integer overflow evaluating rule: !has(self.a) || "
      "self.a + 1 > 0");
  CHECK(refusal(R"({"b": -9223372036854775808})") ==
        "Cel.x.io \"one\" is invalid: spec: Invalid value: \"object\": integer overflow evaluating rule: neg");
  CHECK(refusal(R"({"a": 9223372036854775808})").find("spec.a in body must be of type integer: \"number\"") !=
        std::string::npos);
}

TEST_CASE("CEL: the old value, which may be none") {
  const Json self = "b";
  const Json old = "a";
  CHECK(worth("self == oldSelf", self, &old) == "false");
  CHECK(worth("self == oldSelf", self) == "error");
  CHECK(worth("oldSelf.hasValue()", self, nullptr, true) == "false");
  CHECK(worth("!oldSelf.hasValue() || oldSelf.value() == 'x'", self, nullptr, true) == "true");
  CHECK(worth("oldSelf.value()", self, nullptr, true) == "error");
  CHECK(worth("oldSelf.value()", self, &old, true) == "\"a\"");
  CHECK(worth("oldSelf.orValue('z')", self, nullptr, true) == "\"z\"");
}

TEST_CASE("the Tenant's own rules refuse what the API server refuses, in its words") {
  TestCluster cluster;
  REQUIRE(
      cluster.send("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", shipped_definition()).status ==
      201);
  const std::string tenants = "/apis/litedesk.io/v1alpha1/tenants";
  const auto tenant = [](const std::string& name, const std::string& slug, const std::string& phase = "") {
    Json object = {{"apiVersion", "litedesk.io/v1alpha1"},
                   {"kind", "Tenant"},
                   {"metadata", {{"name", name}}},
                   {"spec", {{"slug", slug}, {"displayName", "Acme"}}}};
    if (!phase.empty()) object["status"]["phase"] = phase;
    return object;
  };
  SUBCASE("the name is the slug, which never changes") {
    CHECK(cluster.send("POST", tenants, tenant("one", "other")).message() ==
          "Tenant.litedesk.io \"one\" is invalid: <nil>: Invalid value: metadata.name must be the slug");
    REQUIRE(cluster.send("POST", tenants, tenant("one", "one")).status == 201);
    const auto refused = cluster.merge(tenants + "/one", {{"spec", {{"slug", "two"}}}});
    CHECK(refused.status == 422);
    CHECK(refused.message() ==
          "Tenant.litedesk.io \"one\" is invalid: [<nil>: Invalid value: metadata.name must be the slug, spec.slug: "
          "Invalid value: \"two\": slug is immutable]");
  }
  SUBCASE("an object of the wrong shape is not asked about its rules") {
    CHECK(cluster.send("POST", tenants, tenant("one", "UP")).message() ==
          "Tenant.litedesk.io \"one\" is invalid: [spec.slug: Invalid value: \"UP\": spec.slug in body should be at "
          "least 3 chars long, <nil>: Invalid value: metadata.name must be the slug]");
    auto without = tenant("one", "one");
    without["spec"].erase("displayName");
    CHECK(cluster.send("POST", tenants, without).message() ==
          "Tenant.litedesk.io \"one\" is invalid: [spec.displayName: Required value, <nil>: Invalid value: null: some "
          "validation rules were not checked because the object was invalid; correct the existing errors to complete "
          "validation]");
  }
  SUBCASE("only legal transitions of the life cycle") {
    const std::map<std::string, std::string> legal = {{"provisioning", "provisioning active failed"},
                                                      {"active", "active suspended provisioning terminated"},
                                                      {"suspended", "suspended active terminated"},
                                                      {"failed", "failed provisioning terminated"},
                                                      {"terminated", "terminated"}};
    for (const auto& before : legal)
      for (const auto& after : legal) {
        const auto& from = before.first;
        const auto& to = after.first;
        INFO(from << " -> " << to);
        REQUIRE(cluster.send("POST", tenants, tenant("one", "one", from)).status == 201);
        const auto answer = cluster.merge(tenants + "/one", {{"status", {{"phase", to}}}});
        CHECK((answer.status == 200) == (before.second.find(to) != std::string::npos));
        if (answer.status != 200)
          CHECK(answer.message() == fmt::format("Tenant.litedesk.io \"one\" is invalid: status.phase: Forbidden: "
                                                "illegal transition {} -> {}",
                                                from, to));
        REQUIRE(cluster.send("DELETE", tenants + "/one").status == 200);
      }
  }
  SUBCASE("a phase does not go, and the first one is provisioning") {
    REQUIRE(cluster.send("POST", tenants, tenant("one", "one")).status == 201);
    CHECK(cluster.merge(tenants + "/one", {{"status", {{"phase", "active"}}}}).message() ==
          "Tenant.litedesk.io \"one\" is invalid: <nil>: Forbidden: illegal transition (none) -> active");
    CHECK(cluster.merge(tenants + "/one", {{"status", {{"phase", "provisioning"}}}}).status == 200);
    CHECK(cluster.merge(tenants + "/one", {{"status", {{"phase", nullptr}}}}).status == 422);
  }
  SUBCASE("there is no status subresource to write") {
    REQUIRE(cluster.send("POST", tenants, tenant("one", "one")).status == 201);
    CHECK(cluster.send("GET", tenants + "/one/status").message() == "tenants.litedesk.io \"one\" not found");
    CHECK(cluster.merge(tenants + "/one/status", {{"status", Json::object()}}).message() ==
          "tenants.litedesk.io \"one\" not found");
  }
}
