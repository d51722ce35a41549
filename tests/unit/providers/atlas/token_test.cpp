#include <fstream>
#include <sstream>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "providers/atlas/client.hpp"
#include "providers/error.hpp"
#include "providers/system/hash.hpp"
#include "tests/unit/providers/atlas/fixture.hpp"

using namespace litedesk;
using namespace litedesk::atlas;
using namespace litedesk::atlas::testing;

TEST_CASE("a service account's token is asked for once, used for all, and kept with mode 0600 for the next run") {
  const Folder folder;
  {
    Fixture f(service_account(), folder.path.string());
    f.transport.answer(200, token_json("token-1"));
    f.transport.answer(200, user_json(acme()));
    f.transport.answer(200, user_json(acme()));
    static_cast<void>(f.client.get_user("a"));
    static_cast<void>(f.client.get_user("b"));
    REQUIRE(f.transport.sent.size() == 3);
    const auto& asked = f.transport.sent[0];
    CHECK(asked.url == "https://cloud.mongodb.com/api/oauth/token");
    CHECK(asked.api == http::Api::oauth);
    CHECK(asked.body == "grant_type=client_credentials");
    CHECK(header(asked, "content-type") == "application/x-www-form-urlencoded");
    CHECK(header(asked, "authorization") ==
          "Basic " + system::base64_encode("mdb_sa_id_1234:mdb_sa_sk_very%2Bsecret%2F1"));
    CHECK(http::mutates(asked) == false);
    CHECK(header(f.transport.sent[1], "authorization") == "Bearer token-1");
    CHECK_FALSE(f.transport.sent[1].digest.has_value());
    CHECK(header(f.transport.sent[2], "authorization") == "Bearer token-1");
  }
  const auto files = folder.files();
  REQUIRE(files.size() == 1);
  CHECK(files[0].filename().string().find("mdb_sa_id") == std::string::npos);
  CHECK((fs::status(files[0]).permissions() & fs::perms::all) == (fs::perms::owner_read | fs::perms::owner_write));

  Fixture next(service_account(), folder.path.string());
  next.transport.answer(200, user_json(acme()));
  static_cast<void>(next.client.get_user("a"));
  CHECK(header(next.transport.sent.at(0), "authorization") == "Bearer token-1");

  // Another account, or the same at another server, has its own.
  Fixture other({"mdb_sa_id_other", Secret("mdb_sa_sk_x")}, folder.path.string());
  other.transport.answer(200, token_json("token-2"));
  other.transport.answer(200, user_json(acme()));
  static_cast<void>(other.client.get_user("a"));
  CHECK(folder.files().size() == 2);
}

TEST_CASE("a token is renewed five minutes before its end") {
  const Folder folder;
  Fixture f(service_account(), folder.path.string());
  f.transport.answer(200, token_json("token-1", 3600));
  f.transport.answer(200, user_json(acme()));
  static_cast<void>(f.client.get_user("a"));
  f.clock.time += std::chrono::minutes(54);
  f.transport.answer(200, user_json(acme()));
  static_cast<void>(f.client.get_user("a"));
  f.clock.time += std::chrono::minutes(1);
  f.transport.answer(200, token_json("token-2"));
  f.transport.answer(200, user_json(acme()));
  static_cast<void>(f.client.get_user("a"));
  CHECK(header(f.transport.sent.back(), "authorization") == "Bearer token-2");
  CHECK(f.transport.sent.size() == 5);
}

TEST_CASE("a token's life may be any number, and none of them overflows") {
  struct Row {
    const char* seconds;
    int asked_again;  // before the second request
  };
  for (const auto& row : {Row{"9223372036854775807", 0}, Row{"1e300", 0}, Row{"18446744073709551615", 0},
                          Row{"\"soon\"", 0}, Row{"-9223372036854775808", 1}, Row{"0", 1}}) {
    CAPTURE(row.seconds);
    const Folder folder;
    Fixture f(service_account(), folder.path.string());
    for (int i = 0; i < 2; ++i) {
      if (i == 0 || row.asked_again > 0)
        f.transport.answer(200, std::string(R"({"access_token": "t", "expires_in": )") + row.seconds + "}");
      f.transport.answer(200, user_json(acme()));
      static_cast<void>(f.client.get_user("a"));
    }
    CHECK(f.transport.sent.size() == static_cast<std::size_t>(3 + row.asked_again));
  }
}

TEST_CASE("a refused token is dropped and fetched once, here and on disk") {
  const Folder folder;
  Fixture f(service_account(), folder.path.string());
  f.transport.answer(200, token_json("revoked"));
  f.transport.answer(401, error_json(401, "UNEXPECTED_ERROR", "no"));
  f.transport.answer(200, token_json("fresh"));
  f.transport.answer(200, user_json(acme()));
  CHECK(f.client.get_user("a").has_value());
  CHECK(header(f.transport.sent.back(), "authorization") == "Bearer fresh");
  const auto files = folder.files();
  REQUIRE(files.size() == 1);
  std::ifstream in(files[0]);
  std::stringstream text;
  text << in.rdbuf();
  CHECK(text.str().find("fresh") != std::string::npos);

  Fixture g(service_account());
  g.transport.answer(200, token_json("one"));
  g.transport.answer(401, error_json(401, "UNEXPECTED_ERROR", "no"));
  g.transport.answer(200, token_json("two"));
  g.transport.answer(401, error_json(401, "UNEXPECTED_ERROR", "no"));
  CHECK_THROWS_AS(static_cast<void>(g.client.get_user("a")), AuthError);
  CHECK(g.transport.sent.size() == 4);
}

TEST_CASE("only a refusal that may be the token's costs a token, and new ones are not refused one after the other") {
  for (const auto* code : {"USER_UNAUTHORIZED", "NOT_IN_GROUP"}) {
    CAPTURE(code);
    Fixture f(service_account());
    f.transport.answer(200, token_json("one"));
    f.transport.answer(401, error_json(401, code, "no"));
    CHECK_THROWS_AS(static_cast<void>(f.client.get_user("a")), AuthError);
    CHECK(f.transport.sent.size() == 2);
  }

  Fixture f(service_account());
  f.transport.answer(200, token_json("one"));
  f.transport.answer(401, error_json(401, "UNEXPECTED_ERROR", "no"));
  f.transport.answer(200, token_json("two"));
  for (int i = 0; i < 4; ++i) f.transport.answer(401, error_json(401, "UNEXPECTED_ERROR", "no"));
  for (int i = 0; i < 4; ++i) CHECK_THROWS_AS(static_cast<void>(f.client.get_user("a")), AuthError);
  CHECK(f.transport.sent.size() == 7);
  f.clock.time += std::chrono::minutes(2);
  f.transport.answer(401, error_json(401, "UNEXPECTED_ERROR", "no"));
  f.transport.answer(200, token_json("three"));
  f.transport.answer(200, user_json(acme()));
  CHECK(f.client.get_user("a").has_value());
}

TEST_CASE("a token file that cannot be read costs a token, and no more") {
  const Folder folder;
  Fixture first(service_account(), folder.path.string());
  first.transport.answer(200, token_json("token-1"));
  first.transport.answer(200, user_json(acme()));
  static_cast<void>(first.client.get_user("a"));
  const auto file = folder.files().at(0);
  fs::remove(file);
  fs::create_directory(file);
  Fixture f(service_account(), folder.path.string());
  f.transport.answer(200, token_json("token-2"));
  f.transport.answer(200, user_json(acme()));
  CHECK_NOTHROW(static_cast<void>(f.client.get_user("a")));
  CHECK(f.warnings.size() == 1);  // that the new one could not be kept
}

TEST_CASE("a token file that is half-written, of another form or past its time counts as none") {
  const Folder folder;
  Fixture first(service_account(), folder.path.string());
  first.transport.answer(200, token_json("token-1"));
  first.transport.answer(200, user_json(acme()));
  static_cast<void>(first.client.get_user("a"));
  const auto file = folder.files().at(0);
  for (const auto* text : {"", "{\"access_tok", "[]", "{\"access_token\": 1, \"expires\": \"2030-01-01T00:00:00Z\"}",
                           "{\"access_token\": \"t\", \"expires\": \"soon\"}",
                           "{\"access_token\": \"t\", \"expires\": \"2026-01-02T03:09:05Z\"}"}) {
    CAPTURE(text);
    std::ofstream(file, std::ios::trunc) << text;
    Fixture f(service_account(), folder.path.string());
    f.transport.answer(200, token_json("new"));
    f.transport.answer(200, user_json(acme()));
    static_cast<void>(f.client.get_user("a"));
    CHECK(header(f.transport.sent.back(), "authorization") == "Bearer new");
  }
}

TEST_CASE("a cache that cannot be written is told and does not stop the work") {
  const Folder folder;
  std::ofstream(folder.path / "file") << "";
  Fixture f(service_account(), (folder.path / "file" / "below").string());
  f.transport.answer(200, token_json("token-1"));
  f.transport.answer(200, user_json(acme()));
  bool unreadable = false;
  try {
    CHECK(f.client.get_user("a").has_value());
  } catch (const Error&) {
    unreadable = true;
  }
  CHECK_FALSE(unreadable);
  CHECK(f.warnings.size() == 1);
}

TEST_CASE("refusals of the token endpoint are told apart") {
  struct Case {
    int status;
    const char* body;
    ErrorCode expected;
    const char* cause;
  };
  for (const auto& c :
       {Case{401, R"({"error": "invalid_client", "error_description": "Client authentication failed"})",
             ErrorCode::authentication, "invalid_client: Client authentication failed"},
        Case{403, R"({"error": "access_denied", "error_description": "Access Token limit reached"})",
             ErrorCode::rate_limited, "access_denied: Access Token limit reached"},
        Case{429,
             R"({"detail": "limited to 50", "errorCode": "RATE_LIMITED", "parameters": ["/api/oauth/token", 50, 1]})",
             ErrorCode::rate_limited, "RATE_LIMITED: limited to 50"},
        Case{200, R"({"hello": 1})", ErrorCode::unavailable, ""}}) {
    CAPTURE(c.body);
    Fixture f(service_account());
    f.transport.answer(c.status, c.body);
    try {
      static_cast<void>(f.client.get_user("a"));
      FAIL_CHECK("no error");
    } catch (const Error& error) {
      CHECK(error.code() == c.expected);
      CHECK(error.cause() == c.cause);
      CHECK((std::string(error.what()) + error.hint()).find("mdb_sa_sk_") == std::string::npos);
    }
  }
}
