#include <doctest/doctest.h>
#include <openssl/evp.h>

#include "providers/system/hash.hpp"
#include "sandbox_support.hpp"

using namespace litedesk;
using namespace litedesk::sandbox;
using tests::make_call;

namespace {

const std::string project = "/api/atlas/v2/groups/" + std::string(atlas_project);
const std::string version = "application/vnd.atlas.2023-01-01+json";

std::string md5(const std::string& text) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int length = 0;
  REQUIRE(EVP_Digest(text.data(), text.size(), digest, &length, EVP_md5(), nullptr) == 1);
  return system::to_hex({digest, length});
}

std::string value_of(const Reply& reply, const std::string& name) {
  for (const auto& [header, value] : reply.headers)
    if (header == name) return value;
  return {};
}

std::string basic(const std::string& id, const std::string& secret) {
  return "Basic " + system::base64_encode(id + ":" + secret);
}

struct Service {
  tests::TemporaryFolder folder;
  tests::HandClock clock;
  State state{folder / "state.db"};
  std::unique_ptr<Api> api = make_atlas_api({state, clock, 1.0, "litedesk.com", tests::keys});
  std::string token;

  Reply oauth(const std::string& endpoint, const std::string& form, const std::string& authorization) {
    return api->handle(
        make_call("POST", "/api/oauth/" + endpoint, form,
                  {{"authorization", authorization}, {"content-type", "application/x-www-form-urlencoded"}}));
  }
  std::string new_token() {
    const auto reply = oauth("token", "grant_type=client_credentials",
                             basic(tests::keys.atlas_client_id, tests::keys.atlas_client_secret));
    REQUIRE(reply.status == 200);
    return Json::parse(reply.body).at("access_token").get<std::string>();
  }
  Reply send(const std::string& method, const std::string& target, const std::string& body = {},
             const std::string& accept = version, const std::string& content_type = version) {
    if (token.empty()) token = new_token();
    std::multimap<std::string, std::string> headers = {{"authorization", "Bearer " + token}, {"accept", accept}};
    if (!body.empty()) headers.emplace("content-type", content_type);
    return api->handle(make_call(method, target, body, headers));
  }
  Json json(const std::string& method, const std::string& target, const std::string& body = {},
            const std::string& accept = version) {
    return Json::parse(send(method, target, body, accept, accept).body);
  }
  // "404 CODE", checked to be a whole error.
  static std::string error(const Reply& reply) {
    const auto body = Json::parse(reply.body);
    CHECK(reply.content_type == "application/json");
    CHECK(body.at("error") == reply.status);
    CHECK(body.at("detail").is_string());
    CHECK(body.at("reason").is_string());
    CHECK(body.at("parameters").is_array());
    CHECK(value_of(reply, "X-Error-Code") == body.at("errorCode").get<std::string>());
    return std::to_string(reply.status) + " " + body.at("errorCode").get<std::string>();
  }
};

Json user(const std::string& name) {
  return {{"databaseName", "admin"},
          {"groupId", atlas_project},
          {"username", name},
          {"password", "a-long-password"},
          {"roles", {{{"databaseName", name}, {"roleName", "readWrite"}}}},
          {"scopes", {{{"name", "crm"}, {"type", "CLUSTER"}}}}};
}

std::string digest_header(const Call& call, const std::string& challenge, const std::string& key,
                          const std::string& secret) {
  const auto begin = challenge.find("nonce=\"") + 7;
  const auto nonce = challenge.substr(begin, challenge.find('"', begin) - begin);
  const auto first = md5(key + ":MMS Public API:" + secret);
  const auto second = md5(call.method + ":" + call.target);
  const auto response = md5(first + ":" + nonce + ":00000001:c0ffee:auth:" + second);
  return "Digest username=\"" + key + R"(", realm="MMS Public API", nonce=")" + nonce + R"(", uri=")" + call.target +
         R"(", cnonce="c0ffee", nc=00000001, qop=auth, response=")" + response + R"(", algorithm=MD5)";
}

}  // namespace

TEST_CASE("a call without credentials gets a digest challenge, and its answer passes") {
  Service service;
  auto call = make_call("GET", project + "/clusters/crm/status?pretty=true", "", {{"accept", version}});
  const auto refused = service.api->handle(call);
  CHECK(Service::error(refused) == "401 UNEXPECTED_ERROR");
  const auto challenge = value_of(refused, "WWW-Authenticate");
  CHECK(challenge.starts_with(R"(Digest realm="MMS Public API", domain="", nonce=")"));
  CHECK(challenge.ends_with(R"(algorithm=MD5, qop="auth", stale=false)"));

  const auto with = [&](const std::string& key, const std::string& secret) {
    auto next = call;
    next.headers.emplace("authorization", digest_header(call, challenge, key, secret));
    return service.api->handle(next);
  };
  CHECK(with(tests::keys.atlas_public_key, tests::keys.atlas_private_key).status == 200);
  CHECK(with(tests::keys.atlas_public_key, "wrong").status == 401);
  CHECK(with("wrongkey", tests::keys.atlas_private_key).status == 401);

  auto elsewhere = call;
  elsewhere.headers.emplace(
      "authorization", digest_header(call, challenge, tests::keys.atlas_public_key, tests::keys.atlas_private_key));
  elsewhere.target = project;
  CHECK(service.api->handle(elsewhere).status == 401);
}

TEST_CASE("an old nonce, and one of another server, is stale rather than wrong") {
  Service service;
  auto call = make_call("GET", project, "", {{"accept", version}});
  const auto challenge = value_of(service.api->handle(call), "WWW-Authenticate");
  call.headers.emplace("authorization",
                       digest_header(call, challenge, tests::keys.atlas_public_key, tests::keys.atlas_private_key));
  CHECK(service.api->handle(call).status == 200);
  SUBCASE("old") {
    service.clock.move(std::chrono::minutes(5));
  }
  SUBCASE("another server's") {
    service.api = make_atlas_api({service.state, service.clock, 1.0, "litedesk.com", tests::keys});
  }
  const auto refused = service.api->handle(call);
  CHECK(refused.status == 401);
  CHECK(value_of(refused, "WWW-Authenticate").ends_with("stale=true"));
}

TEST_CASE("a token is for an hour, also at another server on the same state, until it is revoked") {
  Service service;
  const auto client = basic(tests::keys.atlas_client_id, tests::keys.atlas_client_secret);
  const auto reply = service.oauth("token", "grant_type=client_credentials", client);
  const auto body = Json::parse(reply.body);
  CHECK(body.at("token_type") == "Bearer");
  CHECK(body.at("expires_in") == 3600);
  service.token = body.at("access_token");
  CHECK(service.send("GET", project).status == 200);
  service.api = make_atlas_api({service.state, service.clock, 1.0, "litedesk.com", tests::keys});
  CHECK(service.send("GET", project).status == 200);
  SUBCASE("an hour passes") {
    service.clock.move(std::chrono::hours(1));
  }
  SUBCASE("revoked") {
    CHECK(service.oauth("revoke", "token=" + service.token + "&token_type_hint=access_token", client).status == 200);
  }
  CHECK(Service::error(service.send("GET", project)) == "401 UNEXPECTED_ERROR");
}

TEST_CASE("a token is for its own client, and no more than a hundred live at once") {
  Service service;
  const std::string form = "grant_type=client_credentials";
  const auto client = basic(tests::keys.atlas_client_id, tests::keys.atlas_client_secret);
  CHECK(Json::parse(service.oauth("token", form, basic(tests::keys.atlas_client_id, "wrong")).body).at("error") ==
        "invalid_client");
  CHECK(service.oauth("token", form, "").status == 401);
  CHECK(service.oauth("token", "grant_type=password", client).status == 400);
  for (int i = 0; i < 100; ++i) REQUIRE(service.oauth("token", form, client).status == 200);
  const auto full = service.oauth("token", form, client);
  CHECK(full.status == 403);
  CHECK(Json::parse(full.body).at("error") == "access_denied");
  service.clock.move(std::chrono::hours(1));
  CHECK(service.oauth("token", form, client).status == 200);
}

TEST_CASE("a version must be asked for, and one that is served") {
  Service service;
  struct Case {
    const char *accept, *outcome;
  };
  const auto clusters = project + "/clusters";
  for (const auto& tried :
       {Case{"", "406 INVALID_VERSION_HEADER"}, Case{"application/json", "406 INVALID_VERSION_HEADER"},
        Case{"application/vnd.atlas.preview+json", "406 INVALID_VERSION_HEADER"},
        Case{"application/vnd.atlas.2024-8-5+json", "400 INVALID_VERSION_DATE"},
        Case{"application/vnd.atlas.2024-13-05+json", "400 INVALID_VERSION_DATE"},
        Case{"application/vnd.atlas.2023-01-01+json", "410 VERSION_GONE"}}) {
    const auto& accept = tried.accept;
    const auto& outcome = tried.outcome;
    INFO(accept);
    CHECK(Service::error(service.send("GET", clusters, "", accept)) == outcome);
  }
  for (const auto* accept : {"application/vnd.atlas.2024-08-05+json", "application/vnd.atlas.2025-01-01+json"}) {
    const auto reply = service.send("GET", clusters, "", accept);
    CHECK(reply.status == 200);
    CHECK(reply.content_type == "application/vnd.atlas.2024-08-05+json;charset=utf-8");
  }
  CHECK(Service::error(service.send("POST", project + "/databaseUsers", "{}", version, "application/json")) ==
        "415 UNSUPPORTED_MEDIA_TYPE");
}

TEST_CASE("the project, its cluster and its limits are there") {
  Service service;
  CHECK(service.json("GET", "/api/atlas/v2").at("appName") == "MongoDB Atlas");
  CHECK(service.json("GET", "/api/atlas/v2/").at("appName") == "MongoDB Atlas");
  CHECK(service.json("GET", project).at("clusterCount") == 1);
  CHECK(service.json("GET", "/api/atlas/v2/groups/byName/litedesk-sandbox").at("id") == atlas_project);
  const auto cluster = service.json("GET", project + "/clusters/crm", "", "application/vnd.atlas.2024-08-05+json");
  CHECK(cluster.at("stateName") == "IDLE");
  CHECK(cluster.at("connectionStrings").at("standardSrv") == "mongodb+srv://crm.sandbox.mongodb.net");
  CHECK(cluster.at("replicationSpecs").at(0).at("regionConfigs").at(0).at("electableSpecs").at("instanceSize") ==
        "M10");
  CHECK(service.json("GET", project + "/clusters", "", "application/vnd.atlas.2024-08-05+json").at("totalCount") == 1);
  CHECK(service.json("GET", project + "/limits").is_array());
  const auto limit = service.json("GET", project + "/limits/atlas.project.security.databaseAccess.users");
  CHECK(limit.at("value") == 100);
  CHECK(limit.at("currentUsage") == 0);
}

TEST_CASE("what is not there says which part of the path it is") {
  Service service;
  const std::string other = "/api/atlas/v2/groups/5f00000000000000000000ff";
  struct Case {
    std::string method, target, outcome;
  };
  for (const auto& tried :
       {Case{"GET", other, "404 GROUP_NOT_FOUND"}, Case{"GET", other + "/databaseUsers/admin/a", "404 GROUP_NOT_FOUND"},
        Case{"DELETE", other + "/databaseUsers/admin/a", "404 GROUP_NOT_FOUND"},
        Case{"GET", "/api/atlas/v2/groups/byName/none", "404 GROUP_NAME_NOT_FOUND"},
        Case{"GET", project + "/clusters/none/status", "404 CLUSTER_NOT_FOUND"},
        Case{"GET", project + "/databaseUsers/admin/none", "404 USERNAME_NOT_FOUND"},
        Case{"DELETE", project + "/databaseUsers/admin/none", "404 USER_NOT_FOUND"},
        Case{"GET", project + "/accessList/1.2.3.4", "404 ATLAS_NETWORK_PERMISSION_ENTRY_NOT_FOUND"},
        Case{"GET", project + "/backups", "404 RESOURCE_NOT_FOUND"},
        Case{"GET", "/elsewhere", "404 RESOURCE_NOT_FOUND"},
        Case{"DELETE", project + "/clusters/crm", "405 METHOD_NOT_ALLOWED"},
        Case{"POST", project + "/clusters", "405 METHOD_NOT_ALLOWED"}}) {
    const auto& method = tried.method;
    const auto& target = tried.target;
    const auto& outcome = tried.outcome;
    INFO(method << " " << target);
    CHECK(Service::error(service.send(method, target)) == outcome);
  }
}

TEST_CASE("a database user is made, read, changed and removed, and its password never comes back") {
  Service service;
  const auto users = project + "/databaseUsers";
  auto sent = user("acme");
  sent["labels"] = {{{"key", "tenant"}, {"value", "acme"}}};
  sent["description"] = "of acme";
  const auto made = service.send("POST", users, sent.dump());
  CHECK(made.status == 201);
  for (const auto& body :
       {made.body, service.send("GET", users + "/admin/acme").body, service.send("GET", users).body}) {
    CHECK(body.find("assword") == std::string::npos);
    CHECK(body.find("a-long-password") == std::string::npos);
  }
  const auto read = service.json("GET", users + "/admin/acme");
  CHECK(read.at("roles") == sent.at("roles"));
  CHECK(read.at("scopes") == sent.at("scopes"));
  CHECK(read.at("labels") == sent.at("labels"));
  CHECK(read.at("description") == "of acme");
  CHECK(read.at("groupId") == atlas_project);
  CHECK(Service::error(service.send("POST", users, sent.dump())) == "409 USER_ALREADY_EXISTS");

  const auto kept = [&] { return service.state.get("atlas/users", atlas_project, "admin/acme")->body; };
  CHECK(kept().at("passwordSha256") == system::sha256_hex("a-long-password"));
  CHECK(kept().dump().find("a-long-password") == std::string::npos);

  const auto changed =
      service.json("PATCH", users + "/admin/acme",
                   R"({"password":"another-long-one","roles":[{"databaseName":"acme","roleName":"read"}]})");
  CHECK(changed.at("roles").at(0).at("roleName") == "read");
  CHECK(changed.at("scopes") == sent.at("scopes"));
  CHECK(kept().at("passwordSha256") == system::sha256_hex("another-long-one"));

  const auto removed = service.send("DELETE", users + "/admin/acme");
  CHECK(removed.status == 204);
  CHECK(removed.body.empty());
  CHECK(service.json("GET", users).at("totalCount") == 0);
}

TEST_CASE("a name with a slash or a dollar is one encoded segment") {
  Service service;
  REQUIRE(service.send("POST", project + "/databaseUsers", user("a/b").dump()).status == 201);
  CHECK(service.json("GET", project + "/databaseUsers/admin/a%2Fb").at("username") == "a/b");
  CHECK(Service::error(service.send("GET", project + "/databaseUsers/%24external/a%2Fb")) == "404 USERNAME_NOT_FOUND");
}

TEST_CASE("a user that may not be is refused by its own code") {
  Service service;
  const auto with = [](const char* field, const Json& value) {
    auto changed = user("acme");
    changed[field] = value;
    return changed;
  };
  const auto without = [](const char* field) {
    auto changed = user("acme");
    changed.erase(field);
    return changed;
  };
  const auto role = [](const char* database, const char* name) {
    return Json::array({{{"databaseName", database}, {"roleName", name}}});
  };
  struct Case {
    Json sent;
    const char* outcome;
  };
  for (const auto& tried : {
           Case{without("username"), "400 MISSING_ATTRIBUTE"},
           Case{without("password"), "400 MISSING_ATTRIBUTE"},
           Case{without("roles"), "400 MISSING_ATTRIBUTE"},
           Case{with("roles", Json::array()), "400 MISSING_ATTRIBUTE"},
           Case{with("roles", role("acme", "owner")), "400 ATLAS_INVALID_ROLE"},
           Case{with("roles", role("acme", "atlasAdmin")), "400 ATLAS_INVALID_ROLE"},
           Case{with("password", "short"), "400 WEAK_PASSWORD"},
           Case{with("password", "password1"), "400 COMMON_PASSWORD"},
           Case{with("password", 12345678), "400 INVALID_ATTRIBUTE"},
           Case{with("databaseName", "acme"), "400 DATABASE_NAME_INVALID_ADMIN"},
           Case{with("unknown", 1), "400 INVALID_ATTRIBUTE"},
           Case{with("x509Type", 1), "400 INVALID_ATTRIBUTE"},
           Case{with("groupId", "5f00000000000000000000ff"), "400 INVALID_ATTRIBUTE"},
           Case{with("description", std::string(101, 'x')), "400 INVALID_ATTRIBUTE"},
           Case{with("scopes", Json::array({{{"name", "crm"}, {"type", "TABLE"}}})), "400 INVALID_ENUM_VALUE"},
           Case{with("scopes", Json::array({"crm"})), "400 MISSING_ATTRIBUTE"},
           Case{with("labels", Json::array({{{"key", ""}, {"value", "x"}}})), "400 INVALID_ATTRIBUTE"},
           Case{with("deleteAfterDate", "2026-01-01T00:00:00Z"), "400 EXPIRATION_DATE_IN_PAST"},
           Case{with("deleteAfterDate", "2026-01-10T00:00:00Z"), "400 EXPIRATION_DATE_EXCEEDS_MAX"},
           Case{with("deleteAfterDate", "soon"), "400 INVALID_ATTRIBUTE"},
           Case{Json::array(), "400 INVALID_JSON"},
       }) {
    const auto& sent = tried.sent;
    const auto& outcome = tried.outcome;
    INFO(sent.dump());
    CHECK(Service::error(service.send("POST", project + "/databaseUsers", sent.dump())) == outcome);
  }
  CHECK(Service::error(service.send("POST", project + "/databaseUsers", "{")) == "400 INVALID_JSON");
  CHECK(service.json("GET", project + "/databaseUsers").at("totalCount") == 0);
}

TEST_CASE("a user cannot be renamed, nor a permanent one be given an end") {
  Service service;
  REQUIRE(service.send("POST", project + "/databaseUsers", user("acme").dump()).status == 201);
  const auto patch = [&](const char* body) {
    return service.send("PATCH", project + "/databaseUsers/admin/acme", body);
  };
  CHECK(Service::error(patch(R"({"username":"other"})")) == "400 INVALID_ATTRIBUTE");
  CHECK(Service::error(patch(R"({"deleteAfterDate":"2026-01-03T00:00:00Z"})")) == "400 INVALID_ATTRIBUTE");
  CHECK(patch(R"({"username":"acme","databaseName":"admin"})").status == 200);
}

TEST_CASE("a temporary user goes by itself") {
  Service service;
  auto sent = user("guest");
  sent["deleteAfterDate"] = "2026-01-02T04:00:00Z";
  REQUIRE(service.send("POST", project + "/databaseUsers", sent.dump()).status == 201);
  CHECK(service.send("GET", project + "/databaseUsers/admin/guest").status == 200);
  service.clock.move(std::chrono::minutes(56));
  CHECK(service.send("GET", project + "/databaseUsers/admin/guest").status == 404);
  CHECK(service.json("GET", project + "/databaseUsers").at("totalCount") == 0);
}

TEST_CASE("the hundred and first user is one too many, and lists come in pages") {
  Service service;
  const auto users = project + "/databaseUsers";
  for (int i = 0; i < 100; ++i)
    REQUIRE(service.send("POST", users, user("t" + std::to_string(100 + i)).dump()).status == 201);
  const auto full = service.send("POST", users, user("t300").dump());
  CHECK(Service::error(full) == "403 GROUP_USERS_LIMIT_EXCEEDED");
  CHECK(service.json("GET", project + "/limits/atlas.project.security.databaseAccess.users").at("currentUsage") == 100);

  const auto page = service.json("GET", users + "?itemsPerPage=30&pageNum=4");
  CHECK(page.at("totalCount") == 100);
  REQUIRE(page.at("results").size() == 10);
  CHECK(page.at("results").at(0).at("username") == "t190");
  const auto relations = [&](const std::string& query) {
    std::string found;
    const auto listed = service.json("GET", users + query);
    for (const auto& link : listed.at("links")) found += link.at("rel").get<std::string>() + " ";
    return found;
  };
  CHECK(relations("?itemsPerPage=30&pageNum=4") == "self previous ");
  CHECK(relations("?itemsPerPage=30") == "self next ");
  CHECK(service.json("GET", users + "?pageNum=9").at("results").empty());
  CHECK_FALSE(service.json("GET", users + "?includeCount=false").contains("totalCount"));
  CHECK(Service::error(service.send("GET", users + "?itemsPerPage=501")) == "400 INVALID_QUERY_PARAMETER");
  CHECK(Service::error(service.send("GET", users + "?pageNum=0")) == "400 INVALID_QUERY_PARAMETER");
}

TEST_CASE("a cluster's status is PENDING for a second after its users change") {
  Service service;
  const auto status = [&] { return service.json("GET", project + "/clusters/crm/status").at("changeStatus"); };
  CHECK(status() == "APPLIED");
  REQUIRE(service.send("POST", project + "/databaseUsers", user("acme").dump()).status == 201);
  CHECK(status() == "PENDING");
  service.clock.move(std::chrono::milliseconds(999));
  CHECK(status() == "PENDING");
  service.clock.move(std::chrono::milliseconds(1));
  CHECK(status() == "APPLIED");
}

TEST_CASE("the access list takes addresses and blocks, and names one by either form") {
  Service service;
  const auto list = project + "/accessList";
  CHECK(service.send("POST", list, R"([{"ipAddress":"1.2.3.4","comment":"a"},{"cidrBlock":"10.0.0.0/8"}])").status ==
        201);
  CHECK(service.json("GET", list).at("totalCount") == 2);
  CHECK(service.json("GET", list + "/1.2.3.4").at("cidrBlock") == "1.2.3.4/32");
  CHECK(service.json("GET", list + "/1.2.3.4%2F32").at("ipAddress") == "1.2.3.4");
  CHECK(service.json("GET", list + "/1.2.3.4/status").at("STATUS") == "ACTIVE");
  CHECK(service.send("POST", list, R"([{"ipAddress":"1.2.3.4","comment":"b"}])").status == 201);
  CHECK(service.json("GET", list + "/1.2.3.4").at("comment") == "b");
  CHECK(service.send("DELETE", list + "/10.0.0.0%2F8").status == 204);
  CHECK(service.json("GET", list).at("totalCount") == 1);
  for (const auto* bad :
       {R"([{"ipAddress":"1.2.3"}])", R"([{"cidrBlock":"1.2.3.4/33"}])", R"([{"comment":"x"}])", R"({})"})
    CHECK(service.send("POST", list, bad).status == 400);
  CHECK(service.json("GET", list).at("totalCount") == 1);
}

TEST_CASE("an answer can be indented or wrapped") {
  Service service;
  CHECK(service.send("GET", project + "?pretty=true").body.starts_with("{\n"));
  const auto wrapped = service.json("GET", project + "?envelope=true");
  CHECK(wrapped.at("status") == 200);
  CHECK(wrapped.at("content").at("id") == atlas_project);
}

TEST_CASE("faults are told in Atlas' own way") {
  Service service;
  const auto throttled = service.api->throttled();
  CHECK(Service::error(throttled) == "429 RATE_LIMITED_TOKEN_BUCKET");
  CHECK(value_of(throttled, "Retry-After") == "1");
  CHECK(Json::parse(throttled.body).at("parameters").size() == 5);
  CHECK(Service::error(service.api->failed(503)) == "503 UNEXPECTED_ERROR");
  CHECK(Json::parse(service.api->broken("the disk is full").body).at("detail") == "the disk is full");
}
