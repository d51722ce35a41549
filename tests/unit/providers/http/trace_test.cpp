#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "providers/error.hpp"
#include "providers/http/client.hpp"
#include "tests/unit/providers/http/servers.hpp"

using namespace litedesk;
using namespace litedesk::http;
using namespace std::chrono_literals;
using test::Answered;
using test::Asked;
using test::Server;

namespace {

const system::SkippingClock skipping;

struct Traced {
  std::vector<std::string> lines;
  [[nodiscard]] std::string all() const {
    std::string text;
    for (const auto& line : lines) text += line + "\n";
    return text;
  }
};

ClientOptions tracing(Traced& traced, bool bodies) {
  ClientOptions options;
  options.clock = &skipping;
  options.trace = [&traced](const TraceEvent& event) { traced.lines.push_back(event.text); };
  options.trace_bodies = bodies;
  return options;
}

Request login(const Server& server) {
  Request request;
  request.method = Method::post;
  request.url = server.url("/login?X-Amz-Signature=hunter2&page=1");
  request.summary = "log in";
  request.headers = {{"Authorization", "Bearer hunter2"}, {"X-Thing", "seen"}};
  request.body = R"({"user": "bob", "password": "hunter2"})";
  return request;
}

Answered welcome(const Asked&) {
  return {200,
          R"({"access_token": "hunter2", "scope": "visible"})",
          {{"Set-Cookie", "session=hunter2"}},
          "application/json",
          {}};
}

bool holds(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("without bodies the trace is a line a request and a line an answer") {
  Server server(welcome);
  Traced traced;
  {
    Client client(tracing(traced, false));
    (void)client.send(login(server), {});
  }
  REQUIRE(traced.lines.size() == 2);
  CHECK(traced.lines[0] == "> #1 POST " + server.url("/login?X-Amz-Signature=***&page=1") + " log in");
  CHECK(traced.lines[1].starts_with("< #1 200 in "));
  CHECK_FALSE(holds(traced.all(), "\n\n"));
}

TEST_CASE("with bodies the trace shows headers and bodies, and no secret of them") {
  Server server(welcome);
  Traced traced;
  {
    Client client(tracing(traced, true));
    (void)client.send(login(server), {});
  }
  const auto text = traced.all();
  CAPTURE(text);
  CHECK_FALSE(holds(text, "hunter2"));
  for (const char* part :
       {"> Authorization: Bearer ***", "> X-Thing: seen", R"("user":"bob")", "< Set-Cookie: ***", "visible"}) {
    CAPTURE(part);
    CHECK(holds(text, part));
  }
}

TEST_CASE("the trace says what failed, that it is tried again, and what came of it") {
  Server server([](const Asked& asked) {
    return asked.number == 1 ? Answered{429, "", {{"Retry-After", "3"}}, "text/plain", {}} : Answered{};
  });
  Traced traced;
  {
    Client client(tracing(traced, false));
    auto request = login(server);
    (void)client.send(request, {});
    request.url = "http://127.0.0.1:" + std::to_string(test::closed_port()) + "/?token=hunter2";
    request.repeat = Repeat::unsafe;
    CHECK_THROWS_AS((void)client.send(request, {}), Unavailable);
  }
  const auto text = traced.all();
  CAPTURE(text);
  CHECK_FALSE(holds(text, "hunter2"));
  for (const char* part : {"< #1 429 in ", "! #1 again in 3", "log in (attempt 2)", "< #1 200 in ",
                           "! #2 cannot connect to http://127.0.0.1:", ": Connection refused", "! #2 again in "}) {
    CAPTURE(part);
    CHECK(holds(text, part));
  }
}
