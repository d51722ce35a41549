#include "providers/atlas/client.hpp"

#include <functional>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "providers/error.hpp"
#include "tests/unit/providers/atlas/fixture.hpp"

using namespace litedesk;
using namespace litedesk::atlas;
using namespace litedesk::atlas::testing;

TEST_CASE("a user is read by an encoded path with its version's media type and a digest key") {
  Fixture f;
  f.transport.answer(200, user_json(acme()));
  const auto user = f.client.get_user("user_acme/b");
  REQUIRE(user.has_value());
  CHECK(*user == acme());
  const auto& request = f.transport.sent.at(0);
  CHECK(request.url == base + "/databaseUsers/admin/user_acme%2Fb");
  CHECK(request.method == http::Method::get);
  CHECK(request.api == http::Api::atlas);
  CHECK(header(request, "accept") == users_type);
  CHECK(header(request, "content-type").empty());
  CHECK(header(request, "authorization").empty());
  REQUIRE(request.digest.has_value());
  CHECK(request.digest->username == "publickey");
  CHECK(request.digest->password == Secret("very-secret-private-key"));
}

TEST_CASE("only the API's own word makes a user or a cluster absent") {
  struct Case {
    int status;
    const char* code;
    bool user_absent, cluster_absent;
  };
  for (const auto& c : {Case{404, "USERNAME_NOT_FOUND", true, false}, Case{404, "USER_NOT_FOUND", true, false},
                        Case{404, "CLUSTER_NOT_FOUND", false, true}, Case{404, "GROUP_NOT_FOUND", false, false},
                        Case{404, "RESOURCE_NOT_FOUND", false, false}}) {
    CAPTURE(c.code);
    Fixture f;
    for (int i = 0; i < 3; ++i) f.transport.answer(c.status, error_json(c.status, c.code, "not there"));
    if (c.user_absent) {
      CHECK_FALSE(f.client.get_user("u").has_value());
      CHECK_FALSE(f.client.remove_user("u"));
    } else {
      CHECK_THROWS_AS(static_cast<void>(f.client.get_user("u")), NotFound);
      CHECK_THROWS_AS(static_cast<void>(f.client.remove_user("u")), NotFound);
    }
    if (c.cluster_absent)
      CHECK_FALSE(f.client.get_cluster("crm").has_value());
    else
      CHECK_THROWS_AS(static_cast<void>(f.client.get_cluster("crm")), NotFound);
  }
  Fixture proxy;
  proxy.transport.answer(404, "<html>Not Found</html>", {{"Content-Type", "text/html"}});
  CHECK_THROWS_AS(static_cast<void>(proxy.client.get_user("u")), NotFound);
}

TEST_CASE("creating a user sends every field once, and is not repeated blindly") {
  Fixture f;
  f.transport.answer(201, user_json(acme()));
  CHECK(f.client.create_user(acme(), password) == acme());
  const auto& request = f.transport.sent.at(0);
  CHECK(request.url == base + "/databaseUsers");
  CHECK(request.method == http::Method::post);
  CHECK(request.repeat == http::Repeat::unsafe);
  CHECK(header(request, "content-type") == users_type);
  CHECK(header(request, "accept") == users_type);
  CHECK(Json::parse(request.body) ==
        Json::parse(R"({"groupId": "5f0000000000000000000001", "databaseName": "admin", "username": "user_acme",
      "password": "correct horse battery", "description": "litedesk tenant acme",
      "roles": [{"databaseName": "litedesk_acme", "roleName": "readWrite"}, {"databaseName": "litedesk_acme", "roleName": "dbAdmin"}],
      "scopes": [{"name": "crm", "type": "CLUSTER"}], "labels": [{"key": "litedesk-tenant", "value": "acme"}]})"));
}

TEST_CASE("updating a user states what shall be, and may be repeated") {
  Fixture f;
  f.transport.answer(200, user_json(acme()));
  f.transport.answer(200, user_json(acme()));
  CHECK(f.client.update_user(acme(), std::nullopt) == acme());
  CHECK(f.client.update_user(acme(), password) == acme());
  const auto& request = f.transport.sent.at(0);
  CHECK(request.url == base + "/databaseUsers/admin/user_acme");
  CHECK(request.method == http::Method::patch);
  CHECK(request.repeat == http::Repeat::safe);
  CHECK_FALSE(Json::parse(request.body).contains("password"));
  CHECK(Json::parse(f.transport.sent.at(1).body)["password"] == "correct horse battery");
}

TEST_CASE("a user's removal is known even when its answer was lost") {
  Fixture f;
  f.transport.answer(204, "");
  CHECK(f.client.remove_user("user_acme"));
  CHECK(f.transport.sent.at(0).method == http::Method::del);
  f.transport.answer([](const http::Request&) {
    http::Response response;
    response.status = 404;
    response.body = error_json(404, "USERNAME_NOT_FOUND", "gone");
    response.repeated_after_loss = true;
    return response;
  });
  CHECK(f.client.remove_user("user_acme"));
}

TEST_CASE("when a creation's outcome is unknown, what is there decides") {
  const auto lost = [](const http::Request&) -> http::Response { throw Unavailable("the connection broke"); };
  const auto late = [](const http::Request&) -> http::Response { throw Timeout("no answer"); };
  const auto answer = [](int status, std::string body, bool after_loss = false) -> test::FakeTransport::Answer {
    return [=](const http::Request&) {
      http::Response response;
      response.status = status;
      response.body = body;
      response.repeated_after_loss = after_loss;
      return response;
    };
  };
  auto stranger = acme();
  stranger.labels.clear();
  auto turned = acme();
  std::swap(turned.roles[0], turned.roles[1]);
  const auto there = answer(200, user_json(acme()));
  const auto reordered = answer(200, user_json(turned));
  const auto strange = answer(200, user_json(stranger));
  const auto absent = answer(404, error_json(404, "USERNAME_NOT_FOUND", "no"));
  const auto made = answer(201, user_json(acme()));
  const auto patched = answer(200, user_json(acme()));
  const auto taken = answer(409, error_json(409, "USER_ALREADY_EXISTS", "taken"));
  const auto broken = answer(500, error_json(500, "UNEXPECTED_ERROR", "oops"));

  struct Case {
    const char* what;
    std::vector<test::FakeTransport::Answer> answers;
    std::string methods;
    ErrorCode end;  // `usage`: it succeeds
  };
  constexpr auto fine = ErrorCode::usage;
  const Case cases[] = {
      {"it took effect: the password is set again", {lost, there, patched}, "POST GET PATCH", fine},
      {"the roles come in another order", {lost, reordered, patched}, "POST GET PATCH", fine},
      {"it did not: once more", {lost, absent, made}, "POST GET POST", fine},
      {"no answer in time, and it took effect", {late, there, patched}, "POST GET PATCH", fine},
      {"a server error, and it took effect", {broken, there, patched}, "POST GET PATCH", fine},
      {"a server error twice", {broken, absent, broken, absent}, "POST GET POST GET", ErrorCode::unavailable},
      {"lost twice, then there", {lost, absent, lost, there, patched}, "POST GET POST GET PATCH", fine},
      {"lost, and another user is there", {lost, strange}, "POST GET", ErrorCode::unavailable},
      {"lost, and looking fails too", {late, lost}, "POST GET", ErrorCode::timeout},
      {"the first took effect late", {lost, absent, taken, there, patched}, "POST GET POST GET PATCH", fine},
      {"taken at the first attempt", {taken}, "POST", ErrorCode::conflict},
      {"taken after a loss by ourselves",
       {answer(409, error_json(409, "USER_ALREADY_EXISTS", "taken"), true), there, patched},
       "POST GET PATCH",
       fine},
      {"taken after a loss by another",
       {answer(409, error_json(409, "USER_ALREADY_EXISTS", "taken"), true), strange},
       "POST GET",
       ErrorCode::conflict},
      {"refused at the first attempt",
       {answer(400, error_json(400, "WEAK_PASSWORD", "weak"))},
       "POST",
       ErrorCode::validation},
  };
  for (const auto& c : cases) {
    CAPTURE(c.what);
    Fixture f;
    for (const auto& each : c.answers) f.transport.answer(each);
    auto end = fine;
    try {
      CHECK(equivalent(f.client.create_user(acme(), password), acme()));
    } catch (const Error& error) {
      end = error.code();
    }
    CHECK(end == c.end);
    CHECK(f.transport.left() == 0);
    std::string methods;
    for (const auto& request : f.transport.sent) {
      methods += (methods.empty() ? "" : " ") + std::string(http::to_string(request.method));
      if (request.method == http::Method::patch)
        CHECK(Json::parse(request.body)["password"] == "correct horse battery");
    }
    CHECK(methods == c.methods);
  }
}

TEST_CASE("what Atlas would refuse is not sent") {
  struct Case {
    const char* what;
    std::function<void(DatabaseUser&)> change;
    const char* password;
  };
  const Case cases[] = {
      {"no name", [](DatabaseUser& user) { user.username.clear(); }, "long enough"},
      {"a description of 101 characters", [](DatabaseUser& user) { user.description = std::string(101, 'x'); },
       "long enough"},
      {"no role", [](DatabaseUser& user) { user.roles.clear(); }, "long enough"},
      {"a label without a key", [](DatabaseUser& user) { user.labels[""] = "x"; }, "long enough"},
      {"a password of 7 characters", [](DatabaseUser&) {}, "seven77"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.what);
    Fixture f;
    auto user = acme();
    c.change(user);
    CHECK_THROWS_AS(f.client.create_user(user, Secret(c.password)), ValidationError);
    CHECK(f.transport.sent.empty());
  }
  Fixture accents;
  accents.transport.answer(201, user_json(acme()));
  auto user = acme();
  user.description.clear();
  for (int i = 0; i < 100; ++i) user.description += "\xC3\xA9";
  CHECK_NOTHROW(accents.client.create_user(user, password));
}

TEST_CASE("a role on one collection or a scope of another kind is not taken for the plain one") {
  Fixture f;
  f.transport.answer(
      200,
      R"({"username": "u", "databaseName": "admin", "roles": [{"databaseName": "d", "roleName": "read", "collectionName": "c"}],
                              "scopes": [{"name": "lake", "type": "DATA_LAKE"}, {"name": "crm", "type": "CLUSTER"}], "labels": null})");
  const auto user = f.client.get_user("u");
  REQUIRE(user.has_value());
  CHECK(user->roles == std::vector<Role>{{"d.c", "read"}});
  CHECK(user->clusters == std::vector<std::string>{"DATA_LAKE:lake", "crm"});
  CHECK(user->labels.empty());
}

TEST_CASE("lists follow the pages by number, whatever the links name") {
  const auto list = [](int from, int count, bool next) {
    Json document = {{"results", Json::array()}, {"links", Json::array()}};
    for (int i = from; i < from + count; ++i) document["results"].push_back({{"username", "u" + std::to_string(i)}});
    if (next) document["links"].push_back({{"rel", "next"}, {"href", "https://elsewhere.example/"}});
    return document.dump();
  };
  Fixture f;
  f.transport.answer(200, list(0, 500, true));
  f.transport.answer(200, list(500, 100, true));  // shorter than asked for, and there is more
  f.transport.answer(200, list(600, 3, false));
  CHECK(f.client.list_users().size() == 603);
  REQUIRE(f.transport.sent.size() == 3);
  CHECK(f.transport.sent[0].url == base + "/databaseUsers?itemsPerPage=500&pageNum=1&includeCount=false");
  CHECK(f.transport.sent[2].url == base + "/databaseUsers?itemsPerPage=500&pageNum=3&includeCount=false");

  Fixture empty;
  empty.transport.answer(200, R"({"results": []})");
  CHECK(empty.client.list_clusters().empty());
  Fixture strange;
  strange.transport.answer(200, R"({"hello": 1})");
  CHECK_THROWS_AS(static_cast<void>(strange.client.list_users()), Unavailable);
}

TEST_CASE("clusters, their change status and the project's limits are read with their own versions") {
  Fixture f;
  f.transport.answer(
      200, R"({"name": "crm", "stateName": "IDLE", "paused": false, "mongoDBVersion": "8.0.4", "adaptiveCapacity": null,
      "connectionStrings": {"standardSrv": "mongodb+srv://crm.ab12c.mongodb.net"},
      "replicationSpecs": [{"regionConfigs": [{"electableSpecs": {"instanceSize": "M10", "nodeCount": 3}}]}]})");
  f.transport.answer(
      200,
      R"({"name": "new", "stateName": "CREATING", "connectionStrings": {}, "paused": null, "replicationSpecs": null})");
  f.transport.answer(200, R"({"changeStatus": "PENDING"})");
  f.transport.answer(200, R"({"changeStatus": "APPLIED"})");
  f.transport.answer(
      200,
      R"({"name": "atlas.project.security.databaseAccess.users", "value": 100, "currentUsage": 97, "maximumLimit": 100})");
  const auto crm = f.client.get_cluster("crm");
  REQUIRE(crm.has_value());
  CHECK(crm->state == "IDLE");
  CHECK(crm->instance_size == "M10");
  CHECK(crm->standard_srv == "mongodb+srv://crm.ab12c.mongodb.net");
  CHECK(crm->mongodb_version == "8.0.4");
  const auto fresh = f.client.get_cluster("new");
  REQUIRE(fresh.has_value());
  CHECK(fresh->standard_srv.empty());
  CHECK_FALSE(f.client.changes_applied("crm", {}));
  CHECK(f.client.changes_applied("crm", {}));
  const auto limit = f.client.limit("atlas.project.security.databaseAccess.users");
  CHECK(limit.value == 100);
  CHECK(limit.current_usage == 97);
  CHECK(header(f.transport.sent.at(0), "accept") == "application/vnd.atlas.2024-08-05+json");
  CHECK(f.transport.sent.at(2).url == base + "/clusters/crm/status");
  CHECK(header(f.transport.sent.at(2), "accept") == users_type);
  CHECK(f.transport.sent.at(4).url == base + "/limits/atlas.project.security.databaseAccess.users");
}

TEST_CASE("each refusal has its error, with the API's words, a way on, and no secret") {
  struct Case {
    int status;
    std::string body;
    ErrorCode expected;
    std::string cause;
    const char* hint;
    const char* code;
  };
  const Case cases[] = {
      {401, error_json(401, "UNEXPECTED_ERROR", "You are not authorized for this resource."), ErrorCode::authentication,
       "UNEXPECTED_ERROR: You are not authorized for this resource.", "check the public and private key (publickey)",
       "UNEXPECTED_ERROR"},
      {403,
       error_json(403, "IP_ADDRESS_NOT_ON_ACCESS_LIST", "IP address 203.0.113.9 is not allowed",
                  Json::array({"203.0.113.9"})),
       ErrorCode::permission_denied, "IP_ADDRESS_NOT_ON_ACCESS_LIST: IP address 203.0.113.9 is not allowed",
       "accessLists create --apiKey <the id of key publickey> --ip 203.0.113.9", "IP_ADDRESS_NOT_ON_ACCESS_LIST"},
      {403, error_json(403, "ORG_REQUIRES_WHITELIST", "no", nullptr), ErrorCode::permission_denied,
       "ORG_REQUIRES_WHITELIST: no", "--currentIp", "ORG_REQUIRES_WHITELIST"},
      {403, error_json(403, "GROUP_USERS_LIMIT_EXCEEDED", "full"), ErrorCode::failed,
       "GROUP_USERS_LIMIT_EXCEEDED: full", "as many database users as it may", "GROUP_USERS_LIMIT_EXCEEDED"},
      {402, error_json(402, "NO_PAYMENT_INFORMATION_FOUND", "pay"), ErrorCode::failed,
       "NO_PAYMENT_INFORMATION_FOUND: pay", "billing", "NO_PAYMENT_INFORMATION_FOUND"},
      {404, error_json(404, "GROUP_NOT_FOUND", "no project", Json::array({project})), ErrorCode::not_found,
       "GROUP_NOT_FOUND: no project", "check the project id", "GROUP_NOT_FOUND"},
      {409, error_json(409, "USER_ALREADY_EXISTS", "taken"), ErrorCode::conflict, "USER_ALREADY_EXISTS: taken", "",
       "USER_ALREADY_EXISTS"},
      {400,
       R"({"error": 400, "errorCode": "VALIDATION_ERROR", "detail": "Bad", "badRequestDetail": {"fields": [{"field": "roles", "description": "too many"}]}})",
       ErrorCode::validation, "VALIDATION_ERROR: Bad (roles: too many)", "", "VALIDATION_ERROR"},
      {400, error_json(400, "WEAK_PASSWORD", "correct horse battery is weak, as is very-secret-private-key"),
       ErrorCode::validation, "WEAK_PASSWORD: (masked) is weak, as is (masked)", "", "WEAK_PASSWORD"},
      {400, error_json(400, "INVALID_ATTRIBUTE", "saw mdb_sa_sk_abc123, hm"), ErrorCode::validation,
       "INVALID_ATTRIBUTE: saw (masked), hm", "", "INVALID_ATTRIBUTE"},
      {405, error_json(405, "WRITES_NOT_ALLOWED_DURING_APP_UPGRADES", "later"), ErrorCode::unavailable,
       "WRITES_NOT_ALLOWED_DURING_APP_UPGRADES: later", "being upgraded", "WRITES_NOT_ALLOWED_DURING_APP_UPGRADES"},
      {406, error_json(406, "INVALID_VERSION_DATE", "?"), ErrorCode::failed, "INVALID_VERSION_DATE: ?",
       "newer litedesk", "INVALID_VERSION_DATE"},
      {429, error_json(429, "RATE_LIMITED_TOKEN_BUCKET", "slow", Json::array({"/p", 55, 10, 5, 60})),
       ErrorCode::rate_limited, "RATE_LIMITED_TOKEN_BUCKET: slow", "in 55 seconds", "RATE_LIMITED_TOKEN_BUCKET"},
      {502, "<html>Bad gateway</html>", ErrorCode::unavailable, "HTTP 502, text/html", "status.mongodb.com", ""},
  };
  for (const auto& c : cases) {
    CAPTURE(c.cause);
    Fixture f;
    f.transport.answer(c.status, c.body,
                       {{"Content-Type", c.body.starts_with("<") ? "text/html" : "application/json"}});
    try {
      static_cast<void>(f.client.update_user(acme(), password));
      FAIL_CHECK("no error");
    } catch (const Error& error) {
      CHECK(error.code() == c.expected);
      CHECK(error.message() == "cannot update database user user_acme");
      CHECK(error.resource() == "atlas DatabaseUser user_acme");
      CHECK(error.cause() == c.cause);
      CHECK(error.hint().find(c.hint) != std::string::npos);
      CHECK(atlas_error_code(error) == c.code);
      CHECK((std::string(error.what()) + error.hint()).find("very-secret") == std::string::npos);
    }
  }
  CHECK(atlas_error_code(Unavailable(ErrorDetails{.message = "m", .hint = "", .resource = "", .cause = "SSL: broken"}))
            .empty());
  CHECK(atlas_error_code(std::runtime_error("x")).empty());
}

TEST_CASE("missing settings are said before anything is sent") {
  test::FakeTransport transport;
  ClientOptions options;
  Client no_project(transport, api_key(), options);
  CHECK_THROWS_AS(static_cast<void>(no_project.list_users()), UsageError);
  options.project = "litedesk";
  Client odd_project(transport, api_key(), options);
  CHECK_THROWS_AS(static_cast<void>(odd_project.list_users()), UsageError);
  options.project = project;
  Client no_key(transport, {}, options);
  CHECK_THROWS_AS(static_cast<void>(no_key.list_users()), AuthError);
  CHECK(transport.sent.empty());
}

TEST_CASE("credentials go by plain http to this machine only") {
  struct Row {
    const char* url;
    bool sent;
  };
  for (const auto& row : {Row{"http://127.0.0.1:8080", true}, Row{"http://127.0.0.1.evil.example", false},
                          Row{"http://atlas.example", false}, Row{"http://localhost@evil.example", false}}) {
    CAPTURE(row.url);
    test::FakeTransport transport;
    ClientOptions options;
    options.project = project;
    options.url = row.url;
    Client client(transport, api_key(), options);
    if (row.sent) {
      transport.answer(200, user_json(acme()));
      CHECK(client.get_user("a").has_value());
    } else {
      CHECK_THROWS_AS(static_cast<void>(client.get_user("a")), UsageError);
    }
  }
}

TEST_CASE("a poll of the change status ends when it is stopped") {
  Fixture f;
  std::stop_source stop;
  f.transport.answer(200, R"({"changeStatus": "PENDING"})");
  CHECK_FALSE(f.client.changes_applied("crm", stop.get_token()));
  stop.request_stop();
  CHECK(f.transport.stops.size() == 1);
  CHECK(f.transport.stops[0].stop_requested());
}

TEST_CASE("the end of an operation is told once") {
  Fixture f;
  for (int i = 0; i < 2; ++i) f.transport.answer(200, user_json(acme()), {{"Sunset", "Thu, 01 Jul 2027 00:00:00 GMT"}});
  static_cast<void>(f.client.get_user("a"));
  static_cast<void>(f.client.get_user("b"));
  REQUIRE(f.warnings.size() == 1);
  CHECK(f.warnings[0].find("01 Jul 2027") != std::string::npos);
}
