#include "kubernetes_cluster_support.hpp"

using namespace litedesk;
using namespace litedesk::sandbox;
using namespace litedesk::sandbox::tests;

namespace {

const std::string maps = acme + "/configmaps";

std::vector<std::string> names(const Json& list) {
  std::vector<std::string> result;
  for (const auto& item : at(list, "items")) result.push_back(kube::name_of(item));
  return result;
}

}  // namespace

TEST_CASE("every answer carries the API server's own headers, refusals and plain pages too") {
  TestCluster cluster;
  const auto header = [](const Reply& reply, const std::string& wanted) {
    for (const auto& [name, value] : reply.headers)
      if (name == wanted) return value;
    return std::string();
  };
  for (const auto* target : {"/api/v1/namespaces", "/api/v1/namespaces/none", "/apis/nothing.io/v1/things", "/version",
                             "/api/v1/namespaces?watch=1"}) {
    INFO(target);
    const auto reply = cluster.raw("GET", target);
    CHECK(header(reply, "Audit-Id").size() == 36);
    CHECK(header(reply, "Cache-Control") == "no-cache, private");
    CHECK_FALSE(header(reply, "X-Kubernetes-Pf-Flowschema-Uid").empty());
    CHECK_FALSE(header(reply, "X-Kubernetes-Pf-Prioritylevel-Uid").empty());
  }
  for (const auto& reply : {cluster.api().throttled(), cluster.api().failed(503), cluster.api().broken("why")})
    CHECK(header(reply, "Audit-Id").size() == 36);
  CHECK(header(cluster.raw("GET", "/none"), "X-Content-Type-Options") == "nosniff");

  // A client may name the request; a stranger belongs to no queue.
  const auto stranger =
      cluster.api().handle(make_call("GET", "/api/v1/pods", "", {{"authorization", "Bearer x"}, {"audit-id", "mine"}}));
  CHECK(stranger.status == 401);
  CHECK(header(stranger, "Audit-Id") == "mine");
  CHECK(header(stranger, "X-Kubernetes-Pf-Flowschema-Uid").empty());
}

TEST_CASE("a version that a group lacks is a Status; of a group of CRDs, or none, it is a plain page") {
  TestCluster cluster;
  CHECK(cluster.send("GET", "/apis/apps/v7").reason() == "NotFound");
  CHECK(cluster.send("GET", "/apis/apps/v7/things").reason() == "NotFound");
  CHECK(cluster.raw("GET", "/apis/cert-manager.io/v7").body == "404 page not found\n");
  CHECK(cluster.raw("GET", "/apis/nothing.io/v1").body == "404 page not found\n");
}

TEST_CASE("refusals are Status objects with the reason, the code and the words of the API server") {
  TestCluster cluster;
  cluster.make_namespace();
  cluster.send("POST", maps, config_map("one", {{"a", "1"}}));
  struct Case {
    const char* method;
    std::string target;
    Json body;
    int status;
    std::string reason;
    std::string message;
  };
  auto elsewhere = config_map("x", {{"a", "1"}});
  elsewhere["metadata"]["namespace"] = "other";
  auto stale = config_map("one", {{"a", "2"}});
  stale["metadata"]["resourceVersion"] = "1";
  auto bad_label = config_map("x", {{"a", "1"}}, {{"owner", "a@b.c"}});
  const Case cases[] = {
      {"GET", maps + "/nope", nullptr, 404, "NotFound", "configmaps \"nope\" not found"},
      {"GET", deployments + "/nope", nullptr, 404, "NotFound", "deployments.apps \"nope\" not found"},
      {"GET", "/api/v1/nopes", nullptr, 404, "NotFound", "the server could not find the requested resource"},
      {"POST", maps, config_map("one", {}), 409, "AlreadyExists", "configmaps \"one\" already exists"},
      {"POST", maps, elsewhere, 400, "BadRequest",
       "the namespace of the provided object does not match the namespace sent on the request"},
      {"POST", maps, bad_label, 422, "Invalid",
       "ConfigMap \"x\" is invalid: metadata.labels: Invalid value: \"a@b.c\": a valid label must be an empty string "
       "or consist of "
       "alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. "
       "'MyValue',  or "
       "'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"},
      {"POST", "/api/v1/configmaps", config_map("x", {}), 405, "MethodNotAllowed",
       "the server does not allow this method on the requested resource"},
      {"POST", "/api/v1/namespaces/nope/configmaps", config_map("x", {}), 404, "NotFound",
       "namespaces \"nope\" not found"},
      {"PUT", maps + "/one", stale, 409, "Conflict",
       "Operation cannot be fulfilled on configmaps \"one\": the object has been modified; please apply your changes "
       "to the latest "
       "version and try again"},
      {"PUT", maps + "/one", config_map("two", {}), 400, "BadRequest",
       "the name of the object (two) does not match the name on the URL (one)"},
      {"PUT", maps + "/nope", config_map("nope", {}), 404, "NotFound", "configmaps \"nope\" not found"},
      {"DELETE", maps + "/nope", nullptr, 404, "NotFound", "configmaps \"nope\" not found"},
      {"GET", maps + "?labelSelector=a%3D%3D%3Db", nullptr, 400, "BadRequest",
       "unable to parse requirement: found '=', expected: identifier"},
      {"GET", maps + "?fieldSelector=data.x%3Db", nullptr, 400, "BadRequest",
       "\"data.x\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\""},
      {"GET", maps + "?continue=zzz", nullptr, 400, "BadRequest", "invalid continue token: continue key is not valid"},
      {"POST", maps + "?dryRun=Some", config_map("x", {}), 422, "Invalid",
       "CreateOptions.meta.k8s.io \"\" is invalid: dryRun: Unsupported value: [\"Some\"]: supported values: \"All\""},
  };
  for (const auto& c : cases) {
    CAPTURE(c.method);
    CAPTURE(c.target);
    const auto answer = cluster.send(c.method, c.target, c.body);
    CHECK(answer.status == c.status);
    CHECK(text(answer.body, "kind") == "Status");
    CHECK(answer.reason() == c.reason);
    CHECK(answer.message() == c.message);
    CHECK(at(answer.body, "code") == c.status);
  }
}

TEST_CASE("a wrong token is refused, and so is none") {
  TestCluster cluster;
  auto call = make_call("GET", "/api/v1/namespaces", {}, {{"authorization", "Bearer wrong"}});
  const auto refused = cluster.api().handle(call);
  CHECK(refused.status == 401);
  CHECK(Json::parse(refused.body)["reason"] == "Unauthorized");
  call.headers.clear();
  CHECK(cluster.api().handle(call).status == 401);
  call.headers.emplace("authorization", "Bearer " + tests::keys.kubernetes_token);
  CHECK(cluster.api().handle(call).status == 200);
}

TEST_CASE("an unknown field is refused when asked to be strict, and warned of otherwise") {
  TestCluster cluster;
  cluster.make_namespace();
  auto object = deployment("web", "web:1");
  object["spec"]["template"]["spec"]["containers"][0]["imag"] = "x";
  const auto refused = cluster.send("POST", deployments + "?fieldValidation=Strict", object);
  CHECK(refused.status == 400);
  CHECK(refused.message() ==
        "Deployment in version \"v1\" cannot be handled as a Deployment: strict decoding error: unknown field "
        "\"spec.template.spec.containers[0].imag\"");
  const auto warned = cluster.send("POST", deployments, object);
  CHECK(warned.status == 201);
  CHECK(warned.warnings ==
        std::vector<std::string>{"299 - \"unknown field \\\"spec.template.spec.containers[0].imag\\\"\""});
  const auto patched = cluster.merge(deployments + "/web?fieldValidation=Strict", {{"spec", {{"foo", 1}}}});
  CHECK(patched.status == 422);
  CHECK(patched.message().ends_with("strict decoding error: unknown field \"spec.foo\""));
}

TEST_CASE("a merge patch with an old version is a conflict") {
  TestCluster cluster;
  cluster.make_namespace();
  cluster.send("POST", maps, config_map("one", {{"a", "1"}}));
  const auto version = text(cluster.get(maps + "/one"), "metadata.resourceVersion");
  CHECK(cluster.merge(maps + "/one", {{"metadata", {{"resourceVersion", version}}}, {"data", {{"a", "2"}}}}).status ==
        200);
  const auto stale =
      cluster.merge(maps + "/one", {{"metadata", {{"resourceVersion", version}}}, {"data", {{"a", "3"}}}});
  CHECK(stale.status == 409);
  CHECK(stale.reason() == "Conflict");
  CHECK(cluster.get(maps + "/one")["data"]["a"] == "2");
}

TEST_CASE("a JSON patch is applied whole or not at all") {
  TestCluster cluster;
  cluster.make_namespace();
  cluster.send("POST", maps, config_map("one", {{"a", "1"}}));
  const auto patch = [&](const Json& operations) {
    return cluster.send("PATCH", maps + "/one", operations, "application/json-patch+json");
  };
  CHECK(patch(Json::array({{{"op", "add"}, {"path", "/data/b"}, {"value", "2"}}})).body["data"] ==
        Json{{"a", "1"}, {"b", "2"}});
  const auto refused = patch(Json::array(
      {{{"op", "add"}, {"path", "/data/c"}, {"value", "3"}}, {{"op", "test"}, {"path", "/data/a"}, {"value", "z"}}}));
  CHECK(refused.status == 422);
  CHECK_FALSE(cluster.get(maps + "/one")["data"].contains("c"));
}

TEST_CASE("a dry run answers as the real one would and stores nothing") {
  TestCluster cluster;
  cluster.make_namespace();
  const auto before = cluster.state().revision();
  const auto made = cluster.apply(deployments + "/web", deployment("web", "web:1"), "litedesk", "&dryRun=All");
  CHECK(made.status == 201);
  CHECK(at(made.body, "spec.strategy.rollingUpdate.maxSurge") == "25%");
  CHECK_FALSE(made.body["metadata"].contains("resourceVersion"));
  CHECK(cluster.send("DELETE", "/api/v1/namespaces/acme", {{"dryRun", {"All"}}}).status == 200);
  CHECK(cluster.send("DELETE", "/api/v1/namespaces/acme?dryRun=All").status == 200);
  CHECK(cluster.send("GET", deployments + "/web").status == 404);
  CHECK(at(cluster.get("/api/v1/namespaces/acme"), "status.phase") == "Active");
  CHECK(cluster.state().revision() == before);
}

TEST_CASE("when a deletion has a body its query is not read") {
  TestCluster cluster;
  cluster.make_namespace();
  cluster.send("POST", maps, config_map("one", {{"a", "1"}}));
  CHECK(cluster.send("DELETE", maps + "/one?dryRun=All", {{"kind", "DeleteOptions"}, {"apiVersion", "v1"}}).status ==
        200);
  CHECK(cluster.send("GET", maps + "/one").status == 404);
}

TEST_CASE("a deletion says what was deleted, and heeds its preconditions") {
  TestCluster cluster;
  cluster.make_namespace();
  cluster.send("POST", maps, config_map("one", {{"a", "1"}}));
  const auto uid = text(cluster.get(maps + "/one"), "metadata.uid");
  const auto refused = cluster.send("DELETE", maps + "/one", {{"preconditions", {{"uid", "other"}}}});
  CHECK(refused.status == 409);
  CHECK(refused.message() ==
        fmt::format("Operation cannot be fulfilled on ConfigMap \"one\": the UID in the precondition (other) does not "
                    "match the UID in record ({}). The object might have been deleted and then recreated",
                    uid));
  CHECK(cluster.send("DELETE", maps + "/one", {{"preconditions", {{"resourceVersion", "1"}}}}).status == 409);
  const auto gone = cluster.send("DELETE", maps + "/one", {{"preconditions", {{"uid", uid}}}});
  CHECK(gone.status == 200);
  CHECK(text(gone.body, "status") == "Success");
  CHECK(at(gone.body, "details") == Json{{"name", "one"}, {"kind", "configmaps"}, {"uid", uid}});
}

TEST_CASE("an object with finalizers stays until they are gone") {
  TestCluster cluster;
  cluster.make_namespace();
  auto object = config_map("one", {{"a", "1"}});
  object["metadata"]["finalizers"] = {"example.com/hold"};
  cluster.send("POST", maps, object);
  const auto held = cluster.send("DELETE", maps + "/one");
  CHECK(text(held.body, "kind") == "ConfigMap");
  CHECK(text(held.body, "metadata.deletionTimestamp") == "2026-01-02T03:04:05Z");
  CHECK(cluster.send("GET", maps + "/one").status == 200);
  CHECK(cluster.merge(maps + "/one", {{"metadata", {{"finalizers", nullptr}}}}).status == 200);
  CHECK(cluster.send("GET", maps + "/one").status == 404);
}

TEST_CASE("generation counts changes of the spec alone") {
  TestCluster cluster;
  cluster.make_namespace();
  cluster.send("POST", deployments, deployment("web", "web:1"));
  CHECK(
      cluster.merge(deployments + "/web", {{"metadata", {{"labels", {{"a", "b"}}}}}}).body["metadata"]["generation"] ==
      1);
  CHECK(cluster.merge(deployments + "/web", {{"spec", {{"replicas", 2}}}}).body["metadata"]["generation"] == 2);
  CHECK(cluster.merge(deployments + "/web/status", {{"status", {{"collisionCount", 1}}}})
            .body["metadata"]["generation"] == 2);
}

TEST_CASE("what must not change is refused") {
  TestCluster cluster;
  cluster.make_namespace();
  cluster.send("POST", deployments, deployment("web", "web:1"));
  const auto refused =
      cluster.merge(deployments + "/web", {{"spec",
                                            {{"selector", {{"matchLabels", {{"app", "x"}}}}},
                                             {"template", {{"metadata", {{"labels", {{"app", "x"}}}}}}}}}});
  CHECK(refused.status == 422);
  CHECK(refused.message() ==
        "Deployment.apps \"web\" is invalid: spec.selector: Invalid value: {\"matchLabels\":{\"app\":\"x\"}}: field is "
        "immutable");
}

TEST_CASE("a workload that cannot be is refused with every cause") {
  TestCluster cluster;
  cluster.make_namespace();
  auto object = deployment("web", "web:1");
  object["spec"].erase("selector");
  object["spec"]["template"]["spec"]["containers"][0].erase("image");
  const auto refused = cluster.send("POST", deployments, object);
  CHECK(refused.status == 422);
  std::vector<std::string> fields;
  for (const auto& cause : at(refused.body, "details.causes")) fields.push_back(text(cause, "field"));
  CHECK(fields == std::vector<std::string>{"spec.selector", "spec.template.metadata.labels",
                                           "spec.template.spec.containers[0].image"});
}

TEST_CASE("lists are selected by labels and fields") {
  TestCluster cluster;
  cluster.make_namespace();
  cluster.send("POST", maps, config_map("one", {}, {{"tier", "a"}}));
  cluster.send("POST", maps, config_map("two", {}, {{"tier", "b"}, {"old", ""}}));
  cluster.send("POST", maps, config_map("three", {}));
  const std::pair<std::string, std::vector<std::string>> cases[] = {
      {"labelSelector=tier%3Da", {"one"}},
      {"labelSelector=tier%3D%3Db", {"two"}},
      {"labelSelector=tier", {"one", "two"}},
      {"labelSelector=tier%2C!old", {"one"}},
      {"labelSelector=tier%20in%20(a%2Cb)", {"one", "two"}},
      {"labelSelector=tier%20notin%20(a)", {"kube-root-ca.crt", "three", "two"}},
      {"labelSelector=tier!%3Da", {"kube-root-ca.crt", "three", "two"}},
      {"fieldSelector=metadata.name%3Dthree", {"three"}},
      {"fieldSelector=metadata.name!%3Dthree&labelSelector=tier", {"one", "two"}},
  };
  for (const auto& pair : cases) {
    const auto& query = pair.first;
    const auto& expected = pair.second;
    CAPTURE(query);
    CHECK(names(cluster.get(maps + "?" + query)) == expected);
  }
}

TEST_CASE("a list comes in pages, and the last one has no token") {
  TestCluster cluster;
  cluster.make_namespace();
  for (const auto* name : {"a", "b", "c", "d"}) cluster.send("POST", maps, config_map(name, {}));
  std::vector<std::string> all;
  std::string token;
  int pages = 0;
  do {
    const auto page = cluster.get(maps + "?limit=2" + (token.empty() ? "" : "&continue=" + token));
    CHECK(page["kind"] == "ConfigMapList");
    for (const auto& name : names(page)) all.push_back(name);
    if (pages == 0) CHECK(at(page, "metadata.remainingItemCount") == 3);
    token = text(page, "metadata.continue");
    ++pages;
  } while (!token.empty() && pages < 10);
  CHECK(pages == 3);
  CHECK(all == std::vector<std::string>{"a", "b", "c", "d", "kube-root-ca.crt"});
}

TEST_CASE("items of a list are typed by the list alone, but for custom resources") {
  TestCluster cluster;
  CHECK_FALSE(cluster.get("/api/v1/namespaces")["items"][0].contains("kind"));
  CHECK(cluster.get("/apis/cert-manager.io/v1/clusterissuers")["items"][0]["kind"] == "ClusterIssuer");
}

TEST_CASE("a collection is deleted by its labels") {
  TestCluster cluster;
  cluster.make_namespace();
  cluster.send("POST", maps, config_map("one", {}, {{"tier", "a"}}));
  cluster.send("POST", maps, config_map("two", {}));
  CHECK(cluster.send("DELETE", maps + "?labelSelector=tier%3Da").status == 200);
  CHECK(names(cluster.get(maps)) == std::vector<std::string>{"kube-root-ca.crt", "two"});
  CHECK(cluster.send("DELETE", "/api/v1/namespaces").status == 405);
}

TEST_CASE("what kubectl sends as protobuf is understood where it is known, and refused where it is not") {
  TestCluster cluster;
  const std::string unknown_kind("k8s\0\x0a\x0c\x0a\x02v1\x12\x06Strange\x12\x00", 18);
  CHECK(cluster.raw("POST", "/api/v1/namespaces", unknown_kind, "application/vnd.kubernetes.protobuf").status == 415);
  std::string body("k8s\0", 4);
  body += std::string("\x0a\x0f\x0a\x02v1\x12\x09Namespace", 17);  // runtime.Unknown.typeMeta
  body += std::string("\x12\x09\x0a\x07\x0a\x05hello", 11);        // runtime.Unknown.raw: metadata.name
  const auto made = cluster.raw("POST", "/api/v1/namespaces", body, "application/vnd.kubernetes.protobuf");
  CHECK(made.status == 201);
  CHECK(Json::parse(made.body)["metadata"]["name"] == "hello");
  for (std::size_t cut = 4; cut < body.size(); ++cut)
    CHECK(
        cluster.raw("POST", "/api/v1/namespaces", body.substr(0, cut), "application/vnd.kubernetes.protobuf").status >=
        400);
}

TEST_CASE("faults are worded as the API server words them") {
  TestCluster cluster;
  const auto throttled = cluster.api().throttled();
  CHECK(throttled.status == 429);
  CHECK(throttled.content_type.starts_with("text/plain"));
  for (const int status : {409, 500, 503}) {
    const auto reply = cluster.api().failed(status);
    CHECK(reply.status == status);
    CHECK(Json::parse(reply.body)["code"] == status);
  }
}

TEST_CASE("a JSON patch nests nothing deeper than a body may be") {
  TestCluster cluster;
  cluster.make_namespace();
  cluster.send("POST", maps, config_map("one", {}));
  // Each step puts a copy of the whole below itself.
  Json copies = Json::array({{{"op", "add"}, {"path", "/metadata/x"}, {"value", Json::object()}}});
  for (int i = 0; i < 300; ++i) copies.push_back({{"op", "copy"}, {"from", "/metadata"}, {"path", "/metadata/x"}});
  Json below = Json::array();
  std::string path = "/metadata/x";
  for (int i = 0; i < 300; ++i, path += "/x")
    below.push_back({{"op", "add"}, {"path", path}, {"value", Json::object()}});
  for (const auto& patch : {copies, below}) {
    const auto refused = cluster.send("PATCH", maps + "/one", patch, "application/json-patch+json");
    CHECK(refused.status == 400);
    CHECK(refused.message().find("nested too deeply") != std::string::npos);
  }
  CHECK(cluster.send("GET", maps + "/one").status == 200);
}

TEST_CASE("bodies that are no objects are refused and harm nothing") {
  TestCluster cluster;
  cluster.make_namespace();
  const std::string bodies[] = {
      "",
      "null",
      "[]",
      "3",
      "{",
      "{\"metadata\":3}",
      "{\"metadata\":{\"name\":3}}",
      "{\"metadata\":{\"name\":\"x\",\"labels\":[1]}}",
      "{\"metadata\":{\"name\":\"x\",\"finalizers\":{}}}",
      "{\"metadata\":{\"name\":\"x\"},\"data\":[]}",
      "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"name\":\"x\"}}",
      std::string(100'000, '['),
      std::string(30'000, '[') + std::string(30'000, ']'),
      ",",
      "--- ,\n",
      "a: \"\\uD800\"\n",
      "a: &a [x, x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a]\n"
      "c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b]\nd: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c]\n"
      "e: &e [*d, *d, *d, *d, *d, *d, *d, *d, *d]\nf: &f [*e, *e, *e, *e, *e, *e, *e, *e, *e]\n"
      "g: &g [*f, *f, *f, *f, *f, *f, *f, *f, *f]\nh: &h [*g, *g, *g, *g, *g, *g, *g, *g, *g]\n",
      std::string("\0\x01\xff\xfe", 4),
      "metadata: {name: \"\xff\"}\n"};
  for (const auto& body : bodies) {
    CAPTURE(body.substr(0, 60));
    CHECK(cluster.raw("POST", maps, body).status == 400);
    CHECK(cluster.raw("PUT", maps + "/x", body).status >= 400);
    for (const auto* type : {"application/apply-patch+yaml", "application/merge-patch+json",
                             "application/json-patch+json", "application/strategic-merge-patch+json"})
      if (body != "[]" || std::string_view(type) != "application/json-patch+json")  // a patch that changes nothing
        CHECK(cluster.raw("PATCH", maps + "/kube-root-ca.crt?fieldManager=x", body, type).status >= 400);
  }
  CHECK(names(cluster.get(maps)) == std::vector<std::string>{"kube-root-ca.crt"});
}

TEST_CASE("a body or a limit that is none is refused") {
  TestCluster cluster;
  cluster.make_namespace();
  CHECK(cluster.raw("POST", acme + "/configmaps", "{}", "text/html").status == 415);
  const auto patch = cluster.send("PATCH", acme + "/configmaps/x", Json::object(), "application/json");
  CHECK(patch.status == 415);
  CHECK(patch.message() == "415: Unsupported Media Type");
  CHECK(cluster.send("GET", acme + "/configmaps?limit=many").message() ==
        "strconv.ParseInt: parsing \"many\": invalid syntax");
}

TEST_CASE("a list of exactly an older version is no longer there") {
  TestCluster cluster;
  cluster.make_namespace();
  const auto version = text(cluster.get(acme + "/configmaps"), "metadata.resourceVersion");
  const auto exactly = "/configmaps?resourceVersionMatch=Exact&resourceVersion=";
  CHECK(cluster.send("GET", acme + exactly + version).status == 200);
  cluster.send("POST", acme + "/configmaps", config_map("one", {}));
  CHECK(cluster.send("GET", acme + exactly + version).reason() == "Expired");
  CHECK(cluster.send("GET", acme + "/configmaps?resourceVersionMatch=Exact").status == 422);
  CHECK(cluster.send("GET", acme + "/configmaps?resourceVersionMatch=Some&resourceVersion=1").status == 422);
}

TEST_CASE("a body larger than an API server takes is 413") {
  TestCluster cluster;
  cluster.make_namespace();
  const auto answer =
      cluster.send("POST", acme + "/configmaps", config_map("big", {{"a", std::string(3'200'000, 'x')}}));
  CHECK(answer.status == 413);
  CHECK(answer.reason() == "RequestEntityTooLarge");
  CHECK(answer.message() == "Request entity too large: limit is 3145728");
}

TEST_CASE("empty maps and lists of the built-in kinds are left out; what a CRD declares is kept") {
  TestCluster cluster;
  cluster.make_namespace();
  auto map = config_map("one", Json::object(), Json::object());
  map["metadata"]["finalizers"] = Json::array();
  const auto made = cluster.send("POST", acme + "/configmaps", map).body;
  CHECK_FALSE(made.contains("data"));
  for (const auto* field : {"labels", "finalizers"}) CHECK_FALSE(made["metadata"].contains(field));
  auto web = deployment("web", "web:1");
  auto& container = web["spec"]["template"]["spec"]["containers"][0];
  container["env"] = Json::array();
  container["resources"] = {{"limits", Json::object()}};
  const auto applied = cluster.apply(deployments + "/web", web).body;
  const auto& shown = at(applied, "spec.template.spec.containers")[0];
  CHECK_FALSE(shown.contains("env"));
  CHECK(shown["resources"] == Json::object());
}

TEST_CASE("a strategic patch keeps the order that it states") {
  TestCluster cluster;
  cluster.make_namespace();
  auto web = deployment("web", "web:1");
  web["spec"]["template"]["spec"]["containers"][0]["env"] =
      Json::parse(R"([{"name": "A", "value": "1"}, {"name": "B", "value": "2"}, {"name": "C", "value": "3"}])");
  REQUIRE(cluster.send("POST", deployments, web).status == 201);
  const auto names_after = [&](const char* patch) {
    const auto answer =
        cluster.send("PATCH", deployments + "/web",
                     {{"spec", {{"template", {{"spec", {{"containers", Json::array({Json::parse(patch)})}}}}}}}},
                     "application/strategic-merge-patch+json");
    std::string names;
    for (const auto& item : at(answer.body, "spec.template.spec.containers")[0]["env"]) names += text(item, "name");
    return names;
  };
  CHECK(names_after(R"({"name": "main", "env": [{"name": "A", "$patch": "delete"}, {"name": "D", "value": "4"}]})") ==
        "DBC");
  CHECK(names_after(R"({"name": "main", "$setElementOrder/env": [{"name": "B"}, {"name": "C"}, {"name": "D"}],
                        "env": [{"name": "D", "value": "5"}]})") == "BCD");
}

TEST_CASE("a strategic patch that cannot be worked with is refused as an API server refuses it, and changes nothing") {
  TestCluster cluster;
  cluster.make_namespace();
  REQUIRE(cluster.send("POST", deployments, deployment("web", "web:1")).status == 201);
  const auto before = cluster.get(deployments + "/web");
  const auto in_pod = [](const std::string& part) { return R"({"spec": {"template": {"spec": )" + part + "}}}"; };
  struct Row {
    std::string patch;
    int status;
    std::string message;
  };
  const std::vector<Row> rows = {
      {R"({"$patch": 1})", 500, "unknown patch type: %!s(int64=1) in map: map[$patch:1]"},
      {R"({"$patch": null})", 500, "unknown patch type: %!s(<nil>) in map: map[$patch:<nil>]"},
      {R"({"spec": {"$patch": "x"}})", 500, "unknown patch type: x in map: map[$patch:x]"},
      {R"({"spec": {"$patch": true}})", 500, "unknown patch type: %!s(bool=true) in map: map[$patch:true]"},
      {R"({"metadata": {"labels": {"$patch": [1]}}})", 500,
       "unknown patch type: [%!s(int64=1)] in map: map[$patch:[1]]"},
      {in_pod(R"({"containers": [{"name": "x", "$patch": 1}]})"), 500,
       "unknown patch type: %!s(int64=1) in map: map[$patch:1 name:x]"},
      {in_pod(R"({"containers": [{"$patch": "merge", "name": "x"}]})"), 500,
       "merging lists cannot yet be specified in the patch"},
      {in_pod(R"({"containers": [{"$patch": "delete"}]})"), 500,
       "map: map[$patch:delete] does not contain declared merge key: name"},
      {in_pod(R"({"containers": [{"image": "q"}]})"), 500,
       "map: map[image:q] does not contain declared merge key: name"},
      {in_pod(R"({"$setElementOrder/containers": 1, "containers": [{"name": "main"}]})"), 500,
       "expected a []interface {}, but received a int64"},
      {R"({"spec": {"strategy": {"$retainKeys": 1}}})", 400, "invalid patch format of retainKeys"},
      {R"({"spec": {"strategy": {"$retainKeys": ["x"], "type": "Recreate"}}})", 400,
       "invalid patch format of retainKeys"},
      {"[1]", 400, "json: cannot unmarshal array into Go value of type map[string]interface {}"},
      {"1", 400, "json: cannot unmarshal number into Go value of type map[string]interface {}"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.patch);
    const auto answer =
        cluster.send("PATCH", deployments + "/web", Json::parse(row.patch), "application/strategic-merge-patch+json");
    CHECK(answer.status == row.status);
    CHECK(answer.message() == row.message);
    CHECK(answer.reason() == (row.status == 400 ? "BadRequest" : ""));
  }
  CHECK(cluster
            .send("PATCH", deployments + "/web", Json::parse(in_pod(R"({"containers": [1]})")),
                  "application/strategic-merge-patch+json")
            .message()
            .starts_with("list element types are not identical: "));
  CHECK(cluster.get(deployments + "/web") == before);
  // These are right.
  for (const auto* patch : {R"({"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}})",
                            R"({"metadata": {"labels": {"$patch": "replace", "a": "b"}}})"})
    CHECK(cluster.send("PATCH", deployments + "/web", Json::parse(patch), "application/strategic-merge-patch+json")
              .status == 200);
  CHECK(at(cluster.get(deployments + "/web"), "metadata.labels") == Json{{"a", "b"}});
}
