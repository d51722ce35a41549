#include "providers/kubernetes/client.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "providers/system/sealed.hpp"
#include "tests/unit/providers/kubernetes/support.hpp"

using namespace litedesk;
using namespace litedesk::kubernetes;
using kubernetes::test::contains;
using kubernetes::test::error_of;
using kubernetes::test::FakeTransport;
using kubernetes::test::header;
using kubernetes::test::json;
using kubernetes::test::status_body;

namespace {

struct Fixture {
  FakeTransport transport;
  std::vector<std::string> warnings;
  Client client;

  explicit Fixture(ClusterConfig config = test::cluster_with_token())
      : client(transport, std::move(config), options()) {}

  ClientOptions options() {
    ClientOptions result;
    result.on_warning = [this](const std::string& text) { warnings.push_back(text); };
    return result;
  }
  [[nodiscard]] const http::Request& last() const { return transport.requests.back(); }
};

ObjectRef pod(const std::string& name) {
  return {type_of("v1", "Pod"), "a", name};
}
Object config_map(const std::string& name) {
  return Object(Json{{"apiVersion", "v1"},
                     {"kind", "ConfigMap"},
                     {"metadata", {{"name", name}, {"namespace", "a"}}},
                     {"data", {{"k", "v"}}}});
}
const auto not_found = status_body(404, "NotFound", "pods \\\"x\\\" not found");

}  // namespace

TEST_CASE("a request says what it accepts, who asks, and what it is for") {
  auto config = test::cluster_with_token();
  config.impersonation = {{"Impersonate-User", "jane"}, {"Impersonate-Group", "a"}, {"Impersonate-Group", "b"}};
  config.disable_compression = true;
  Fixture fixture(config);
  fixture.transport.answers = {json(200, R"({"kind":"Pod","metadata":{"name":"x"}})")};
  const auto object = fixture.client.get(pod("x"));
  REQUIRE(object);
  CHECK(object->name() == "x");
  const auto& request = fixture.last();
  CHECK(request.method == http::Method::get);
  CHECK(request.url == "https://api.example:6443/api/v1/namespaces/a/pods/x");
  CHECK(header(request, "Accept") == "application/json");
  CHECK(header(request, "Authorization") == "Bearer s3cret-token");
  CHECK(header(request, "Impersonate-User") == "jane");
  CHECK(header(request, "Accept-Encoding") == "identity");
  CHECK(request.api == http::Api::kubernetes);
  CHECK(request.summary == "get Pod a/x");
  CHECK(request.timeout == std::chrono::seconds(30));
  REQUIRE(request.tls);
}

TEST_CASE("what is not there is nothing, and what cannot be known is an error") {
  Fixture fixture;
  fixture.transport.answers = {json(404, not_found),
                               test::unserved(),
                               test::unserved(),
                               test::text(404, "404 page not found\n"),
                               test::text(404, "<html>gone</html>", "text/html"),
                               json(403, status_body(403, "Forbidden", "no")),
                               test::text(200, "<html>Sign in</html>", "text/html"),
                               json(200, "")};
  CHECK_FALSE(fixture.client.get(pod("x")));
  const ObjectRef certificate{type_of("cert-manager.io/v1", "Certificate"), "a", "x"};
  CHECK_FALSE(fixture.client.get(certificate));
  CHECK_THROWS_AS((void)fixture.client.get(pod("x")), Unavailable);
  CHECK_THROWS_AS((void)fixture.client.get(certificate), Unavailable);
  CHECK_THROWS_AS((void)fixture.client.get(pod("x")), Unavailable);
  const auto refused = error_of<PermissionDenied>([&] { (void)fixture.client.get(pod("x")); });
  CHECK(refused.resource() == "kubernetes Pod a/x");
  CHECK(contains(refused.hint(), "context \"production\" of /home/me/.kube/config"));
  const auto html = error_of<Unavailable>([&] { (void)fixture.client.get(pod("x")); });
  CHECK(html.cause() == "an HTML page: Sign in");
  CHECK_THROWS_AS((void)fixture.client.get(pod("x")), Unavailable);
}

TEST_CASE("an answer that is nested deeply is none, and overflows nothing") {
  Fixture fixture;
  const std::string deep = std::string(80'000, '[') + std::string(80'000, ']');
  fixture.transport.answers = {json(200, deep), json(200, R"({"metadata":{"name":"x"},"spec":)" + deep + "}"),
                               json(500, R"({"kind":"Status","message":)" + deep + "}")};
  for (int i = 0; i < 3; ++i) CHECK_THROWS_AS((void)fixture.client.get(pod("x")), Error);
}

TEST_CASE("several are read in one go, each with its own result") {
  Fixture fixture;
  fixture.transport.answers = {json(200, R"({"metadata":{"name":"a"}})"), json(404, not_found),
                               json(403, status_body(403, "Forbidden", "no")),
                               test::lost(Unavailable({.message = "cannot connect"}))};
  const std::vector<ObjectRef> refs = {pod("a"), pod(""), pod("b"), pod("c"), pod("d")};
  const auto results = fixture.client.get_all(refs);
  REQUIRE(results.size() == 5);
  CHECK(std::get<0>(results[0])->name() == "a");
  CHECK_THROWS_AS(std::rethrow_exception(std::get<1>(results[1])), ValidationError);
  CHECK_FALSE(std::get<0>(results[2]));
  CHECK_THROWS_AS(std::rethrow_exception(std::get<1>(results[3])), PermissionDenied);
  CHECK_THROWS_AS(std::rethrow_exception(std::get<1>(results[4])), Unavailable);
  CHECK(fixture.transport.requests.size() == 4);
  CHECK(fixture.client.get_all({}).empty());
}

TEST_CASE("server-side apply is strict, is safe to repeat, and never brings managedFields") {
  Fixture fixture;
  fixture.transport.answers = {json(201, "{}"), json(200, "{}"), json(200, "{}")};
  auto object = config_map("x");
  object.json()["metadata"]["managedFields"] = Json::array({1});
  fixture.client.apply(object, {});
  auto request = fixture.last();
  CHECK(request.method == http::Method::patch);
  CHECK(request.url ==
        "https://api.example:6443/api/v1/namespaces/a/configmaps/x?fieldManager=litedesk&fieldValidation=Strict");
  CHECK(header(request, "Content-Type") == "application/apply-patch+yaml");
  CHECK(Json::parse(request.body) == config_map("x").json());
  CHECK(request.repeat == http::Repeat::safe);
  CHECK(http::mutates(request));
  ApplyOptions options;
  options.force = true;
  options.dry_run = true;
  options.field_manager = "me & you";
  fixture.client.apply(object, options);
  request = fixture.last();
  CHECK(request.url.ends_with("?fieldManager=me%20%26%20you&fieldValidation=Strict&force=true&dryRun=All"));
  CHECK_FALSE(http::mutates(request));
  const std::vector<Object> objects = {object, Object(Json{{"kind", "Widget"}})};
  const auto results = fixture.client.apply_all(objects, {});
  CHECK(results[0].index() == 0);
  CHECK_THROWS_AS(std::rethrow_exception(std::get<1>(results[1])), ValidationError);
}

TEST_CASE("a Secret is read sealed, compares as it did, and is sent open") {
  Fixture fixture;
  const auto answer = [](const char* value) {
    return json(200, fmt::format(R"({{"kind":"Secret","apiVersion":"v1","metadata":{{"name":"x","namespace":"a"}},)"
                                 R"("data":{{"k":"{}","other":"b3RoZXI="}}}})",
                                 value));
  };
  fixture.transport.answers = {answer("b3Blbg=="), answer("b3Blbg=="), answer("Y2hhbmdlZA=="),
                               json(200, R"({"items":[{"metadata":{"name":"x"},"data":{"k":"b3Blbg=="}}]})"),
                               answer("b3Blbg==")};
  const ObjectRef ref{type_of("v1", "Secret"), "a", "x"};
  const auto one = *fixture.client.get(ref), same = *fixture.client.get(ref), changed = *fixture.client.get(ref);
  CHECK(one.json().dump().find("b3Blbg") == std::string::npos);
  CHECK(system::unseal(one.text("data.k")) == Secret("b3Blbg=="));
  CHECK(one == same);
  CHECK(one.text("data.k") != changed.text("data.k"));
  CHECK(one.text("data.other") == changed.text("data.other"));
  CHECK(fixture.client.list(ref.type, "a", {}).items.at(0).text("data.k") == one.text("data.k"));
  static_cast<void>(fixture.client.apply(one, {}));
  CHECK(Json::parse(fixture.last().body)["data"] == Json{{"k", "b3Blbg=="}, {"other", "b3RoZXI="}});
}

TEST_CASE("a refused Secret is refused without its values") {
  Fixture fixture;
  Object secret(Json{{"apiVersion", "v1"},
                     {"kind", "Secret"},
                     {"metadata", {{"name", "x"}, {"namespace", "a"}}},
                     {"stringData", {{"password", "hunter22"}}}});
  fixture.transport.answers = {json(422, status_body(422, "Invalid", "bad value hunter22"))};
  CHECK(error_of<ValidationError>([&] { fixture.client.apply(secret, {}); }).cause() == "bad value ***");
}

TEST_CASE("create is a POST that is never repeated, and a review changes nothing") {
  Fixture fixture;
  fixture.transport.answers = {json(201, "{}"), json(201, R"({"status":{"allowed":true}})"),
                               json(409, status_body(409, "AlreadyExists", "it exists"))};
  fixture.client.create(config_map("x"));
  CHECK(fixture.last().method == http::Method::post);
  CHECK(fixture.last().url ==
        "https://api.example:6443/api/v1/namespaces/a/configmaps?fieldManager=litedesk&fieldValidation=Strict");
  CHECK(http::mutates(fixture.last()));
  CHECK(fixture.last().repeat == http::Repeat::by_method);
  fixture.client.create(Object(
      Json{{"apiVersion", "authorization.k8s.io/v1"}, {"kind", "SelfSubjectAccessReview"}, {"spec", Json::object()}}));
  CHECK_FALSE(http::mutates(fixture.last()));
  CHECK_THROWS_AS(fixture.client.create(config_map("x")), Conflict);
  CHECK_THROWS_AS(
      fixture.client.create(Object(Json{{"apiVersion", "v1"}, {"kind", "Pod"}, {"metadata", {{"name", "x"}}}})),
      ValidationError);
}

TEST_CASE("a deletion puts everything into its body") {
  Fixture fixture;
  fixture.transport.answers = {json(200, R"({"kind":"Status","status":"Success","details":{"uid":"u1"}})"),
                               json(200, R"({"kind":"Pod","metadata":{"uid":"u2"}})"), json(404, not_found)};
  DeleteOptions options;
  options.uid = "u1";
  options.resource_version = "7";
  options.dry_run = true;
  CHECK(fixture.client.remove(pod("x"), options) == "u1");
  CHECK(fixture.last().method == http::Method::del);
  CHECK(fixture.last().url == "https://api.example:6443/api/v1/namespaces/a/pods/x");
  CHECK(
      Json::parse(fixture.last().body) ==
      Json::parse(
          R"({"apiVersion":"v1","kind":"DeleteOptions","propagationPolicy":"Background","preconditions":{"uid":"u1","resourceVersion":"7"},"dryRun":["All"]})"));
  CHECK_FALSE(http::mutates(fixture.last()));
  CHECK(fixture.client.remove(pod("x"), {}) == "u2");
  CHECK_FALSE(Json::parse(fixture.last().body).contains("preconditions"));
  CHECK_FALSE(fixture.client.remove(pod("x"), {}));
}

TEST_CASE("a deletion whose first answer was lost has happened") {
  Fixture fixture;
  auto gone = json(404, not_found);
  gone.repeated_after_loss = true;
  fixture.transport.answers = {gone, gone, gone};
  DeleteOptions options;
  options.uid = "u1";
  CHECK(fixture.client.remove(pod("x"), options) == "u1");
  options = {};
  options.resource_version = "7";
  CHECK(fixture.client.remove(pod("x"), options) == "");
  CHECK_FALSE(fixture.client.remove(pod("x"), {}));
}

TEST_CASE("a loss before a 401 is not forgotten over the renewed credential") {
  const test::Folder folder;
  auto config = test::cluster_with_token();
  config.token_file = folder.write("token", "old");
  auto refused = json(401, status_body(401, "Unauthorized", "Unauthorized"));
  refused.repeated_after_loss = true;
  DeleteOptions options;
  options.uid = "u1";
  Fixture fixture(config);
  fixture.transport.on_request = [&](const http::Request&) { folder.write("token", "new"); };
  fixture.transport.answers = {refused, json(404, not_found)};
  CHECK(fixture.client.remove(pod("x"), options) == "u1");
}

TEST_CASE("a server that is not verified is warned of, once") {
  auto config = test::cluster_with_token();
  config.tls.insecure_skip_verify = true;
  const Fixture fixture(config);
  REQUIRE(fixture.warnings.size() == 1);
  CHECK(contains(fixture.warnings[0], "insecure-skip-tls-verify"));
  CHECK(contains(fixture.warnings[0], "https://api.example:6443"));
}

TEST_CASE("a conflict on deletion is one unless the very object is already being deleted") {
  const auto conflict = json(409, status_body(409, "Conflict", "Precondition failed"));
  struct Row {
    const char* live;
    bool deleting;
  };
  for (const auto& row : {Row{R"({"metadata":{"uid":"u1","deletionTimestamp":"2026-01-02T03:04:05Z"}})", true},
                          Row{R"({"metadata":{"uid":"u1"}})", false},
                          Row{R"({"metadata":{"uid":"u2","deletionTimestamp":"2026-01-02T03:04:05Z"}})", false}}) {
    CAPTURE(row.live);
    Fixture fixture;
    fixture.transport.answers = {conflict, json(200, row.live)};
    DeleteOptions options;
    options.uid = "u1";
    if (row.deleting) {
      CHECK(fixture.client.remove(pod("x"), options) == "u1");
    } else {
      CHECK_THROWS_AS(fixture.client.remove(pod("x"), options), Conflict);
    }
  }
}

TEST_CASE("a merge patch is strict, and a lost answer is looked up") {
  const auto patch = Json::parse(R"({"metadata":{"resourceVersion":"7"},"status":{"phase":"active","lock":null}})");
  Fixture fixture;
  fixture.transport.answers = {json(200, R"({"metadata":{"name":"x"}})")};
  fixture.client.merge_patch(pod("x"), patch);
  CHECK(header(fixture.last(), "Content-Type") == "application/merge-patch+json");
  CHECK(contains(fixture.last().url, "?fieldManager=litedesk&fieldValidation=Strict"));
  CHECK(Json::parse(fixture.last().body) == patch);
  auto conflict = json(409, status_body(409, "Conflict", "the object has been modified"));
  fixture.transport.answers = {conflict};
  CHECK_THROWS_AS(fixture.client.merge_patch(pod("x"), patch), Conflict);
  conflict.repeated_after_loss = true;
  // Our own first sending, and somebody else's write.
  fixture.transport.answers = {conflict,
                               json(200, R"({"metadata":{"resourceVersion":"8"},"status":{"phase":"active"}})")};
  CHECK(fixture.client.merge_patch(pod("x"), patch).resource_version() == "8");
  fixture.transport.answers = {
      conflict, json(200, R"({"metadata":{"resourceVersion":"8"},"status":{"phase":"active","lock":{"id":1}}})")};
  CHECK_THROWS_AS(fixture.client.merge_patch(pod("x"), patch), Conflict);
}

TEST_CASE("a list follows its pages and says what its items are") {
  Fixture fixture;
  fixture.transport.answers = {
      json(
          200,
          R"({"kind":"PodList","metadata":{"resourceVersion":"9","continue":"to&ken"},"items":[{"metadata":{"name":"a"}}]})"),
      json(200, R"({"kind":"PodList","metadata":{"resourceVersion":"9","continue":"more"},"items":[]})"),
      json(200, R"({"kind":"PodList","metadata":{"resourceVersion":"9"},"items":[{"metadata":{"name":"b"}}]})")};
  ListOptions options;
  options.label_selector = "app=a,b!=c";
  options.field_selector = "metadata.name=x";
  options.page_size = 1;
  const auto list = fixture.client.list(type_of("v1", "Pod"), "a", options);
  CHECK(list.resource_version == "9");
  REQUIRE(list.items.size() == 2);
  CHECK(list.items[1].ref().to_string() == "Pod b");
  CHECK(fixture.transport.requests[0].url ==
        "https://api.example:6443/api/v1/namespaces/a/"
        "pods?limit=1&labelSelector=app%3Da%2Cb%21%3Dc&fieldSelector=metadata.name%3Dx");
  CHECK(contains(fixture.transport.requests[1].url, "&continue=to%26ken&"));
}

TEST_CASE("a list whose snapshot has gone starts again, and not for ever") {
  const auto page =
      json(200, R"({"metadata":{"resourceVersion":"1","continue":"t"},"items":[{"metadata":{"name":"old"}}]})");
  const auto expired = json(410, status_body(410, "Expired", "The provided continue parameter is too old"));
  Fixture fixture;
  fixture.transport.answers = {
      page, expired, json(200, R"({"metadata":{"resourceVersion":"2"},"items":[{"metadata":{"name":"new"}}]})")};
  const auto list = fixture.client.list(type_of("v1", "Pod"), "a", {});
  REQUIRE(list.items.size() == 1);
  CHECK(list.items[0].name() == "new");
  CHECK(list.resource_version == "2");
  for (int i = 0; i < 20; ++i) {
    fixture.transport.answers.push_back(page);
    fixture.transport.answers.push_back(expired);
  }
  CHECK_THROWS_AS((void)fixture.client.list(type_of("v1", "Pod"), "a", {}), Conflict);
  fixture.transport.answers = {json(200, R"({"kind":"Pod"})")};
  CHECK_THROWS_AS((void)fixture.client.list(type_of("v1", "Pod"), "a", {}), Unavailable);
}

TEST_CASE("a kind is served when its group version names it") {
  const auto resources = json(
      200,
      R"({"kind":"APIResourceList","resources":[{"name":"certificates/status","kind":"Certificate"},{"name":"certificates","kind":"Certificate"}]})");
  Fixture fixture;
  fixture.transport.answers = {resources, resources, test::unserved(),
                               json(503, status_body(503, "ServiceUnavailable", "no"))};
  CHECK(fixture.client.serves(type_of("cert-manager.io/v1", "Certificate")));
  CHECK(fixture.last().url == "https://api.example:6443/apis/cert-manager.io/v1");
  CHECK_FALSE(fixture.client.serves(type_of("cert-manager.io/v1", "Issuer")));
  CHECK_FALSE(fixture.client.serves(type_of("cert-manager.io/v1", "Issuer")));
  CHECK_THROWS_AS((void)fixture.client.serves(type_of("v1", "Pod")), Unavailable);
  CHECK(fixture.last().url == "https://api.example:6443/api/v1");
}

TEST_CASE("logs are text, or nothing while there are none") {
  Fixture fixture;
  fixture.transport.answers = {
      test::text(200, "one\ntwo\n"),
      json(400, status_body(400, "BadRequest", "container \\\"c\\\" in pod \\\"p\\\" is waiting to start")),
      json(404, not_found),
      json(400, status_body(400, "BadRequest", "a container name must be specified for pod p, choose one of: [a b]"))};
  LogOptions options;
  options.container = "c";
  options.previous = true;
  options.tail_lines = 5;
  CHECK(fixture.client.logs("a", "p", options) == "one\ntwo\n");
  CHECK(fixture.last().url ==
        "https://api.example:6443/api/v1/namespaces/a/pods/p/"
        "log?container=c&previous=true&tailLines=5&limitBytes=1048576");
  CHECK_FALSE(fixture.client.logs("a", "p", {}));
  CHECK_FALSE(fixture.client.logs("a", "p", {}));
  CHECK(contains(error_of<ValidationError>([&] { (void)fixture.client.logs("a", "p", {}); }).cause(),
                 "choose one of: [a b]"));
}

TEST_CASE("each warning is shown once") {
  Fixture fixture;
  auto answer = json(200, "{}");
  answer.headers = {{"Warning", "299 - \"deprecated\""}, {"Warning", "299 - \"other\""}};
  fixture.transport.answers = {answer, answer};
  (void)fixture.client.get(pod("x"));
  (void)fixture.client.get(pod("y"));
  CHECK(fixture.warnings == std::vector<std::string>{"deprecated", "other"});
}

TEST_CASE("a refused token is renewed once and the request sent again") {
  const test::Folder folder;
  auto config = test::cluster_with_token();
  config.token_file = folder.write("token", "old");
  Fixture fixture(config);
  const auto refused = json(401, status_body(401, "Unauthorized", "Unauthorized"));
  fixture.transport.on_request = [&](const http::Request&) { folder.write("token", "new"); };
  fixture.transport.answers = {refused, json(200, "{}")};
  CHECK_NOTHROW(fixture.client.apply(config_map("x"), {}));
  REQUIRE(fixture.transport.requests.size() == 2);
  CHECK(header(fixture.transport.requests[0], "Authorization") == "Bearer old");
  CHECK(header(fixture.transport.requests[1], "Authorization") == "Bearer new");
  CHECK(fixture.transport.requests[0].body == fixture.transport.requests[1].body);
  // The same token again: there is nothing to try.
  fixture.transport.answers = {refused};
  const auto error = error_of<AuthError>([&] { fixture.client.apply(config_map("x"), {}); });
  CHECK(contains(error.hint(), "sign in again"));
  CHECK_FALSE(contains(std::string(error.what()) + error.hint(), "new"));
}

TEST_CASE("of several, those that were refused are sent again together") {
  const test::Folder folder;
  auto config = test::cluster_with_token();
  config.token_file = folder.write("token", "old");
  Fixture fixture(config);
  fixture.transport.on_request = [&](const http::Request&) { folder.write("token", "new"); };
  const auto refused = json(401, status_body(401, "Unauthorized", "Unauthorized"));
  fixture.transport.answers = {refused, json(200, R"({"metadata":{"name":"b"}})"), refused,
                               json(200, R"({"metadata":{"name":"a"}})"), json(404, not_found)};
  const std::vector<ObjectRef> refs = {pod("a"), pod("b"), pod("c")};
  const auto results = fixture.client.get_all(refs);
  CHECK(std::get<0>(results[0])->name() == "a");
  CHECK(std::get<0>(results[1])->name() == "b");
  CHECK_FALSE(std::get<0>(results[2]));
  CHECK(fixture.transport.requests.size() == 5);
}

TEST_CASE("over plain http no credential is sent, and a 401 says so") {
  auto config = test::cluster_with_token();
  config.server = "http://api.example";
  Fixture fixture(config);
  fixture.transport.answers = {json(401, status_body(401, "Unauthorized", "Unauthorized"))};
  CHECK(contains(error_of<AuthError>([&] { (void)fixture.client.get(pod("x")); }).hint(), "plain http"));
  CHECK(header(fixture.last(), "Authorization") == "");
}

TEST_CASE("the server's version is its gitVersion") {
  Fixture fixture;
  fixture.transport.answers = {json(200, R"({"major":"1","gitVersion":"v1.36.3"})"), json(200, "{}")};
  CHECK(fixture.client.server_version() == "v1.36.3");
  CHECK_THROWS_AS((void)fixture.client.server_version(), Unavailable);
}
