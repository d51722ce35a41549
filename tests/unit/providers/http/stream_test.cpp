#include <atomic>
#include <mutex>
#include <string>
#include <thread>

#include <doctest/doctest.h>

#include "providers/error.hpp"
#include "providers/http/client.hpp"
#include "tests/unit/providers/http/servers.hpp"

using namespace litedesk;
using namespace litedesk::http;
using namespace std::chrono_literals;
using test::Answered;
using test::Asked;
using test::ScriptedServer;
using test::Server;
using Step = test::ScriptedServer::Step;

namespace {

Request watch(std::string url) {
  Request request;
  request.url = std::move(url);
  request.summary = "watch the test things";
  request.timeout = 20s;
  return request;
}

const std::string head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

std::string chunk(const std::string& text) {
  return std::to_string(text.size()) + "\r\n" + text + "\r\n";  // fewer than ten bytes: decimal and hex are the same
}

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace

TEST_CASE("a stream is handed on as it comes, on the calling thread, until the server ends it") {
  std::atomic<int> handled = 0;
  Server server([&](const Asked&) {
    Answered answered;
    // Each piece is sent only when the one before has been handled, so nothing may be kept back on the way.
    answered.pieces = [&](int number) -> std::string {
      while (handled < number) std::this_thread::yield();
      return number < 3 ? "piece " + std::to_string(number) + "\n" : "";
    };
    return answered;
  });
  Client client{ClientOptions{}};
  std::string all;
  const auto caller = std::this_thread::get_id();
  const auto response = client.stream(watch(server.url()),
                                      [&](std::string_view text) {
                                        CHECK(std::this_thread::get_id() == caller);
                                        all += text;
                                        ++handled;
                                        return true;
                                      },
                                      20s, {});
  CHECK(all == "piece 0\npiece 1\npiece 2\n");
  CHECK(response.status == 200);
  CHECK(response.body.empty());
  CHECK(find(response.headers, "content-type") == "application/json");
}

TEST_CASE("a stream ends when its handler says so, or when it is stopped") {
  Client client{ClientOptions{}};
  const auto begin = std::chrono::steady_clock::now();
  ScriptedServer server({{Step::hang, head + chunk("one"), true}});
  auto response = client.stream(watch(server.url()), [](std::string_view) { return false; }, 20s, {});
  CHECK(response.status == 200);

  std::stop_source source;
  ScriptedServer other({{Step::hang, head + chunk("one"), true}});
  response = client.stream(
      watch(other.url()), [&](std::string_view) { return source.request_stop(); }, 20s, source.get_token());
  CHECK(response.status == 200);
  CHECK_THROWS_AS((void)client.stream(
                      watch(other.url()), [](std::string_view) { return true; }, 20s, source.get_token()),
                  Cancelled);

  std::stop_source early;
  ScriptedServer silent({{Step::hang, "", true}});
  std::jthread stopper([&] {
    while (silent.requests() == 0) std::this_thread::yield();
    early.request_stop();
  });
  CHECK_THROWS_AS((void)client.stream(
                      watch(silent.url()), [](std::string_view) { return true; }, 20s, early.get_token()),
                  Cancelled);
  CHECK(seconds_since(begin) < 10);
}

TEST_CASE("what the handler throws ends the stream and reaches the caller") {
  Client client{ClientOptions{}};
  ScriptedServer server({{Step::hang, head + chunk("one"), true}});
  CHECK_THROWS_AS((void)client.stream(watch(server.url()),
                                      [](std::string_view) -> bool { throw ValidationError("no event"); }, 20s, {}),
                  ValidationError);
}

TEST_CASE("a stream that stays silent, before or after its headers, runs into a time-out") {
  Client client{ClientOptions{}};
  ScriptedServer quiet({{Step::hang, head + chunk("one"), true}});
  std::string all;
  const auto take = [&](std::string_view text) {
    all += text;
    return true;
  };
  CHECK_THROWS_WITH_AS((void)client.stream(watch(quiet.url()), take, 100ms, {}),
                       ("watch the test things: GET " + quiet.url() + " has been silent for 100 ms").c_str(), Timeout);
  CHECK(all == "one");

  ScriptedServer silent({{Step::hang, "", true}});
  auto request = watch(silent.url());
  request.timeout = 100ms;
  CHECK_THROWS_WITH_AS((void)client.stream(request, take, 20s, {}),
                       ("watch the test things: no answer to GET " + silent.url() + " within 100 ms").c_str(), Timeout);
}

TEST_CASE("any other status of a stream is returned whole, once") {
  Server server([](const Asked&) { return Answered{410, R"({"reason":"Expired"})", {}, "application/json", {}}; });
  Client client{ClientOptions{}};
  bool handled = false;
  const auto response = client.stream(watch(server.url()), [&](std::string_view) { return handled = true; }, 20s, {});
  CHECK(response.status == 410);
  CHECK(response.body == R"({"reason":"Expired"})");
  CHECK_FALSE(handled);
  CHECK(server.requests() == 1);
}

TEST_CASE("a stream that breaks hands on what has come and then says so") {
  Client client{ClientOptions{}};
  for (const auto kind : {Step::close, Step::reset}) {
    ScriptedServer server({{kind, head + chunk("one") + "5\r\ntw", true}});
    std::string all;
    CHECK_THROWS_AS((void)client.stream(watch(server.url()),
                                        [&](std::string_view text) {
                                          all += text;
                                          return true;
                                        },
                                        20s, {}),
                    Unavailable);
    // A reset may overtake what was sent before it.
    CHECK((kind == Step::reset || all == "onetw"));
  }
}

TEST_CASE("a slow handler holds up nobody else") {
  std::atomic<bool> other_done = false;
  Server server([&](const Asked& asked) {
    Answered answered;
    if (asked.target == "/watch")
      answered.pieces = [](int number) { return number < 50 ? std::string(10'000, 'x') : std::string(); };
    return answered;
  });
  Client client{ClientOptions{}};
  std::atomic<bool> handling = false;
  std::size_t got = 0;
  std::jthread other([&] {
    while (!handling) std::this_thread::yield();
    CHECK(client.send(watch(server.url("/other")), {}).status == 200);
    other_done = true;
  });
  const auto begin = std::chrono::steady_clock::now();
  (void)client.stream(watch(server.url("/watch")),
                      [&](std::string_view text) {
                        handling = true;
                        got += text.size();
                        while (!other_done && seconds_since(begin) < 15) std::this_thread::yield();
                        return true;
                      },
                      20s, {});
  CHECK(other_done);
  CHECK(got == 500'000);
}

TEST_CASE("twelve streams at once leave room for requests") {
  std::atomic<int> open = 0;
  std::atomic<bool> end = false;
  Server server([&](const Asked& asked) {
    Answered answered;
    if (asked.target == "/watch") {
      answered.pieces = [&](int number) -> std::string {
        if (number == 0) return "first";
        while (!end) std::this_thread::yield();
        return "";
      };
    }
    return answered;
  });
  Client client{ClientOptions{}};
  std::vector<std::jthread> watchers;
  for (int i = 0; i < 12; ++i) {
    watchers.emplace_back([&] {
      (void)client.stream(watch(server.url("/watch")),
                          [&](std::string_view) {
                            ++open;
                            return true;
                          },
                          20s, {});
    });
  }
  while (open < 12) std::this_thread::yield();
  CHECK(client.send(watch(server.url("/other")), {}).status == 200);
  end = true;
}
