#include <mutex>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "providers/http/client.hpp"
#include "tests/unit/providers/http/servers.hpp"

using namespace litedesk;
using namespace litedesk::http;
using namespace std::chrono_literals;
using test::Answered;
using test::Asked;
using test::Server;

namespace {

// Knows whether a request carried an answer to the challenge; whether the answer is right is libcurl's own business.
struct Atlas {
  std::mutex mutex;
  std::vector<std::string> seen;  // "401 POST ", "200 POST body"
  Server server{[this](const Asked& asked) {
    const std::lock_guard lock(mutex);
    const auto credentials = asked.header("Authorization");
    const bool known = credentials.find("username=\"public\"") != std::string::npos;
    seen.push_back((known ? "200 " : "401 ") + asked.method + " " + asked.body);
    if (known) return Answered{};
    return Answered{
        401,
        R"({"errorCode": "UNEXPECTED_ERROR"})",
        {{"WWW-Authenticate",
          R"(Digest realm="MMS Public API", domain="", nonce="abc", algorithm=MD5, qop="auth", stale=false)"}},
        "application/json",
        {}};
  }};

  Request request(Method method, std::string body, std::string username = "public") const {
    Request request;
    request.method = method;
    request.url = server.url("/api");
    request.body = std::move(body);
    request.timeout = 20s;
    request.digest = DigestCredentials{std::move(username), Secret("private")};
    return request;
  }
};

}  // namespace

TEST_CASE("a digest costs one more round trip, once: the server's nonce is kept for the next requests") {
  Atlas atlas;
  Client client{ClientOptions{}};
  const auto response = client.send(atlas.request(Method::post, "body"), {});
  CHECK(response.status == 200);
  CHECK(response.attempts == 1);
  CHECK_FALSE(response.repeated_after_loss);
  CHECK(find(response.headers, "www-authenticate").empty());
  CHECK(client.send(atlas.request(Method::patch, "more"), {}).status == 200);
  CHECK(client.send(atlas.request(Method::get, ""), {}).status == 200);
  CHECK(client.send(atlas.request(Method::del, ""), {}).status == 200);
  CHECK(atlas.seen ==
        std::vector<std::string>{"401 POST ", "200 POST body", "200 PATCH more", "200 GET ", "200 DELETE "});
}

TEST_CASE("a key that is refused after the challenge is an answer of 401 with the body") {
  Atlas atlas;
  Client client{ClientOptions{}};
  const auto response = client.send(atlas.request(Method::get, "", "stranger"), {});
  CHECK(response.status == 401);
  CHECK(response.body.find("UNEXPECTED_ERROR") != std::string::npos);
  CHECK(atlas.seen.size() == 2);
  CHECK(client.send(atlas.request(Method::get, ""), {}).status == 200);
  CHECK(atlas.seen.size() == 4);  // other credentials have a nonce of their own
}
