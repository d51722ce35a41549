#include "providers/http/client.hpp"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include <doctest/doctest.h>

#include "providers/error.hpp"
#include "tests/unit/providers/few_files.hpp"
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

const system::SkippingClock skipping;

ClientOptions quick() {
  ClientOptions options;
  options.user_agent = "litedesk-test";
  options.clock = &skipping;
  return options;
}

Request request_to(std::string url, Method method = Method::get) {
  Request request;
  request.method = method;
  request.url = std::move(url);
  request.summary = "read the test thing";
  request.timeout = 20s;
  return request;
}

std::string ok(const std::string& body = "ok") {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

template <class Expected>
Expected error_of(Client& client, Request request, std::stop_token stop = {}) {
  try {
    (void)client.send(std::move(request), std::move(stop));
  } catch (const Expected& error) {
    return error;
  }
  FAIL("no such error was thrown");
  throw 0;
}

}  // namespace

TEST_CASE("a request goes out as it was given, and the answer comes back as it was sent") {
  Asked seen;
  Server server([&](const Asked& asked) {
    seen = asked;
    return Answered{201, R"({"a":1})", {{"Warning", "299 - \"old\""}}, "application/json", {}};
  });
  Client client(quick());
  for (const auto method : {Method::get, Method::post, Method::put, Method::patch, Method::del}) {
    CAPTURE(to_string(method));
    auto request = request_to(server.url("/a/%2Fb/../c?x=1&y=%20"), method);
    if (method != Method::get) request.body = std::string("body with \0 in it", 17);
    request.headers = {{"X-Thing", "value"}, {"X-Empty", ""}};
    const auto response = client.send(request, {});
    CHECK(response.status == 201);
    CHECK(response.body == R"({"a":1})");
    CHECK(find(response.headers, "warning") == "299 - \"old\"");
    CHECK(response.attempts == 1);
    CHECK_FALSE(response.repeated_after_loss);
    CHECK(seen.method == to_string(method));
    CHECK(seen.target == "/a/%2Fb/../c?x=1&y=%20");
    CHECK(seen.body == request.body);
    CHECK(seen.header("X-Thing") == "value");
    CHECK(seen.header("User-Agent") == "litedesk-test");
    CHECK(seen.header("Expect").empty());
    CHECK(seen.header("Content-Type").empty());
  }
  const auto head = client.send(request_to(server.url(), Method::head), {});
  CHECK(head.status == 201);
  CHECK(head.body.empty());
  CHECK(client.send(request_to(server.url(), Method::post), {}).status == 201);
  CHECK(seen.header("Content-Length") == "0");
}

TEST_CASE("a large body is sent without waiting for leave") {
  Server server([](const Asked& asked) {
    return Answered{200, std::to_string(asked.body.size()), {}, "text/plain", {}};
  });
  Client client(quick());
  auto request = request_to(server.url(), Method::put);
  request.body.assign(3'000'000, 'x');
  const auto begin = std::chrono::steady_clock::now();
  CHECK(client.send(request, {}).body == "3000000");
  CHECK(seconds_since(begin) < 0.9);  // libcurl's wait for "100 Continue" is one second
}

TEST_CASE("a redirect is an answer and is not followed") {
  Server server([&](const Asked&) { return Answered{302, "", {{"Location", "/elsewhere"}}, "text/plain", {}}; });
  Client client(quick());
  CHECK(client.send(request_to(server.url()), {}).status == 302);
  CHECK(server.requests() == 1);
}

TEST_CASE("connections are kept and used again") {
  std::set<int> ports;
  Server server([&](const Asked& asked) {
    ports.insert(asked.client_port);
    return Answered{};
  });
  Client client(quick());
  for (int i = 0; i < 10; ++i) CHECK(client.send(request_to(server.url()), {}).status == 200);
  CHECK(ports.size() == 1);
}

TEST_CASE("many requests at once come back in their order, over no more connections than is fair") {
  std::mutex mutex;
  std::set<int> ports;
  Server server([&](const Asked& asked) {
    const std::lock_guard lock(mutex);
    ports.insert(asked.client_port);
    return Answered{200, asked.target, {}, "text/plain", {}};
  });
  Client client(quick());
  std::vector<Request> requests;
  for (int i = 0; i < 200; ++i) requests.push_back(request_to(server.url("/" + std::to_string(i))));
  const auto results = client.send_all(requests, {});
  REQUIRE(results.size() == 200);
  for (std::size_t i = 0; i < results.size(); ++i)
    CHECK(std::get<Response>(results[i]).body == "/" + std::to_string(i));
  CHECK(ports.size() <= 16);
  CHECK(client.send_all({}, {}).empty());
}

TEST_CASE("a refusal for now is repeated until it is none, signed anew each time") {
  for (const int status : {429, 503}) {
    CAPTURE(status);
    std::vector<std::string> signatures;
    Server server([&](const Asked& asked) {
      signatures.push_back(asked.header("X-Signature"));
      if (asked.number < 4) return Answered{status, "later", {{"Retry-After", "2"}}, "text/plain", {}};
      return Answered{};
    });
    Client client(quick());
    int drawn = 0;
    auto request = request_to(server.url(), Method::post);
    request.repeat = Repeat::unsafe;
    request.timeout = 1h;
    request.prepare = [&](Request& given) { given.headers = {{"X-Signature", std::to_string(++drawn)}}; };
    const auto before = skipping.steady();
    const auto begin = std::chrono::steady_clock::now();
    const auto response = client.send(request, {});
    CHECK(response.status == 200);
    CHECK(response.attempts == 4);
    CHECK_FALSE(response.repeated_after_loss);
    CHECK(signatures == std::vector<std::string>{"1", "2", "3", "4"});
    CHECK(skipping.steady() - before >= 6s);
    CHECK(seconds_since(begin) < 5);
  }
}

TEST_CASE("on the real clock the wait is real") {
  Server server([&](const Asked& asked) {
    if (asked.number == 1) return Answered{429, "", {{"Retry-After", "1"}}, "text/plain", {}};
    return Answered{};
  });
  ClientOptions options;
  Client client(options);
  const auto begin = std::chrono::steady_clock::now();
  CHECK(client.send(request_to(server.url()), {}).attempts == 2);
  CHECK(seconds_since(begin) >= 1.0);
}

TEST_CASE("a 500 that no repetition can cure is not repeated") {
  Server server([](const Asked&) {
    return Answered{500, R"({"message": "failed to create typed patch object: x"})", {}, "application/json", {}};
  });
  Client client(quick());
  auto request = request_to(server.url());
  request.api = Api::kubernetes;
  CHECK(client.send(request, {}).status == 500);
  CHECK(server.requests() == 1);
}

TEST_CASE("the last refusal is given back when there are no more attempts, or no time for another") {
  Server server([](const Asked&) { return Answered{503, "broken", {}, "text/plain", {}}; });
  Client client(quick());
  auto request = request_to(server.url());
  request.timeout = 1h;
  auto response = client.send(request, {});
  CHECK(response.status == 503);
  CHECK(response.body == "broken");
  CHECK(response.attempts == 6);

  Server later([](const Asked&) { return Answered{429, "", {{"Retry-After", "3600"}}, "text/plain", {}}; });
  const auto before = skipping.steady();
  response = client.send(request_to(later.url()), {});
  CHECK(response.status == 429);
  CHECK(response.attempts == 1);
  CHECK(skipping.steady() - before < 1h);
}

TEST_CASE("Route 53's throttling is repeated though it comes as 400") {
  Server server([](const Asked& asked) {
    if (asked.number < 3) return Answered{400, "<E><Code>Throttling</Code></E>", {}, "text/xml", {}};
    return Answered{400, "<E><Code>InvalidChangeBatch</Code></E>", {}, "text/xml", {}};
  });
  Client client(quick());
  auto request = request_to(server.url(), Method::post);
  request.api = Api::route53;
  const auto response = client.send(request, {});
  CHECK(response.attempts == 3);
  CHECK(response.body.find("InvalidChangeBatch") != std::string::npos);
}

TEST_CASE("an answer that is lost is asked for again where that is safe, and the caller is told") {
  for (const auto kind : {Step::close, Step::reset}) {
    for (const std::string text : {"", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"}) {
      CAPTURE(kind);
      CAPTURE(text);
      Client client(quick());
      ScriptedServer server({{kind, text, true}, {Step::answer, ok(), true}});
      const auto response = client.send(request_to(server.url(), Method::put), {});
      CHECK(response.body == "ok");
      CHECK(response.attempts == 2);
      CHECK(response.repeated_after_loss);
      CHECK(server.requests() == 2);

      ScriptedServer other({{kind, text, true}, {Step::answer, ok(), true}});
      auto request = request_to(other.url(), Method::post);
      request.summary = "create the thing";
      const auto error = error_of<Unavailable>(client, request);
      CHECK(error.message() ==
            "create the thing: the connection broke before the answer to POST " + other.url() + " was complete");
      CHECK_FALSE(error.cause().empty());
      CHECK(error.hint().find("not known") != std::string::npos);
      CHECK(other.requests() == 1);
    }
  }
}

TEST_CASE("a kept connection that ends before the answer is no reason to send an unsafe request twice") {
  Client client(quick());
  ScriptedServer server({{Step::answer, ok(), true}, {Step::close, "", true}, {Step::answer, ok("again"), true}});
  CHECK(client.send(request_to(server.url()), {}).body == "ok");
  const auto error = error_of<Unavailable>(client, request_to(server.url(), Method::post));
  CHECK(error.cause() == "the server closed the connection");
  CHECK(server.requests() == 2);

  ScriptedServer safe({{Step::answer, ok(), true}, {Step::close, "", true}, {Step::answer, ok("again"), true}});
  CHECK(client.send(request_to(safe.url()), {}).body == "ok");
  auto request = request_to(safe.url(), Method::patch);
  request.repeat = Repeat::safe;
  const auto response = client.send(request, {});
  CHECK(response.body == "again");
  CHECK(response.repeated_after_loss);
  CHECK(safe.requests() == 3);
}

TEST_CASE("a 5xx before the answer counts as a loss too") {
  Server server([](const Asked& asked) {
    return asked.number == 1 ? Answered{502, "", {}, "text/plain", {}} : Answered{};
  });
  Client client(quick());
  CHECK(client.send(request_to(server.url(), Method::del), {}).repeated_after_loss);
}

TEST_CASE("where nobody listens the error says so soon, with the address and what to do") {
  Client client(quick());
  const auto port = std::to_string(test::closed_port());
  const auto error = error_of<Unavailable>(client, request_to("http://127.0.0.1:" + port + "/path?token=hunter2"));
  CHECK(error.message() == "read the test thing: cannot connect to http://127.0.0.1:" + port + " (3 attempts)");
  CHECK(error.cause() == "Connection refused");
  CHECK(error.hint().find("nothing listens") != std::string::npos);
}

TEST_CASE("a host without an address, and what is no URL, are errors with a sentence") {
  Client client(quick());
  auto error = error_of<Unavailable>(client, request_to("https://no-such-host.invalid/x"));
  CHECK(error.message().find("cannot find the host no-such-host.invalid") != std::string::npos);
  for (const char* url : {"", "ftp://127.0.0.1/x", "file:///etc/passwd", "https://"}) {
    CAPTURE(url);
    error = error_of<Unavailable>(client, request_to(url));
    CHECK(error.message().find("is not a URL that can be requested") != std::string::npos);
    CHECK(error.message().find("attempts") == std::string::npos);
  }
}

TEST_CASE("what does not speak HTTP is an error, and HTML is an answer like any other") {
  Client client(quick());
  ScriptedServer mail({{Step::close, "220 mail.example.com ESMTP\r\n", true}});
  const auto error = error_of<Unavailable>(client, request_to(mail.url()));
  CHECK(error.message().find("does not speak HTTP") != std::string::npos);

  Server html([](const Asked&) { return Answered{200, "<html>login</html>", {}, "text/html", {}}; });
  const auto response = client.send(request_to(html.url()), {});
  CHECK(response.body == "<html>login</html>");
  CHECK(find(response.headers, "content-type") == "text/html");
}

TEST_CASE("a SOCKS proxy is given the host's name, not an address that was found here") {
  // It says yes to the greeting and to the connection without looking, and is then the server itself.
  const std::string yes("\x05\x00", 2), connected("\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00", 10);
  ScriptedServer proxy({{Step::answer, yes, false}, {Step::answer, connected, false}, {Step::close, ok(), true}});
  Tls tls;
  tls.proxy_url = "socks5" + proxy.url("").substr(4);
  auto request = request_to("http://no-such-host.invalid/");
  request.tls = std::make_shared<const Tls>(tls);
  Client client(quick());
  CHECK(client.send(request, {}).body == "ok");
}

TEST_CASE("a deadline ends a request that is not answered, however many attempts it took") {
  Client client(quick());
  ScriptedServer silent({{Step::hang, "", true}});
  auto request = request_to(silent.url(), Method::post);
  request.timeout = 150ms;
  const auto begin = std::chrono::steady_clock::now();
  const auto error = error_of<Timeout>(client, request);
  CHECK(seconds_since(begin) >= 0.14);
  CHECK(seconds_since(begin) < 5);
  CHECK(error.message() == "read the test thing: no complete answer to POST " + silent.url() + " within 0.1 s");
  CHECK(error.hint().find("not known") != std::string::npos);

  ScriptedServer half(
      {{Step::close, "", true}, {Step::hang, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", true}});
  request = request_to(half.url());
  request.timeout = 2s;
  CHECK(error_of<Timeout>(client, request).message().find("(2 attempts)") != std::string::npos);
}

TEST_CASE("a stop ends what is in flight, what waits for another attempt, and what was never begun") {
  Client client{ClientOptions{}};
  ScriptedServer silent({{Step::hang, "", true}});
  Server busy([](const Asked&) { return Answered{429, "", {{"Retry-After", "10"}}, "text/plain", {}}; });
  const auto begin = std::chrono::steady_clock::now();
  {
    std::stop_source source;
    std::jthread stopper([&] {
      while (silent.requests() == 0 || busy.requests() == 0) std::this_thread::yield();
      source.request_stop();
    });
    const auto results = client.send_all({request_to(silent.url()), request_to(busy.url())}, source.get_token());
    for (const auto& result : results)
      CHECK_THROWS_AS(std::rethrow_exception(std::get<std::exception_ptr>(result)), Cancelled);
    const auto asked = silent.requests() + busy.requests();
    CHECK(error_of<Cancelled>(client, request_to(busy.url()), source.get_token()).message().find("cancelled") !=
          std::string::npos);
    CHECK(silent.requests() + busy.requests() == asked);
  }
  CHECK(seconds_since(begin) < 5);
}

TEST_CASE("after the last attempt was announced, what is in flight is waited for and nothing is repeated") {
  std::stop_source last;
  Server server([&](const Asked&) {
    last.request_stop();
    return Answered{503, "busy", {{"Retry-After", "1"}}, "text/plain", {}};
  });
  Client client{ClientOptions{}};
  auto request = request_to(server.url(), Method::post);
  request.last_attempt = last.get_token();
  CHECK(client.send(request, {}).status == 503);
  CHECK(server.requests() == 1);
  CHECK_THROWS_AS((void)client.send(request, {}), Cancelled);
  CHECK(server.requests() == 1);

  // While it waits for the next attempt.
  std::stop_source later;
  Server throttling([](const Asked&) { return Answered{429, "busy", {{"Retry-After", "15"}}, "text/plain", {}}; });
  request.url = throttling.url();
  request.last_attempt = later.get_token();
  const auto begin = std::chrono::steady_clock::now();
  std::jthread stopper([&] {
    while (throttling.requests() == 0) std::this_thread::yield();
    std::this_thread::sleep_for(50ms);
    later.request_stop();
  });
  const auto response = client.send(request, {});
  CHECK(response.status == 429);
  CHECK(response.attempts == 1);
  CHECK(seconds_since(begin) < 10);
}

TEST_CASE("an answer larger than allowed is refused") {
  Server server([](const Asked&) { return Answered{200, std::string(3u << 20, 'x'), {}, "text/plain", {}}; });
  Client client(quick());
  auto request = request_to(server.url());
  request.max_response_bytes = 1u << 20;
  const auto error = error_of<Unavailable>(client, request);
  CHECK(error.message().find("is larger than 1 MiB") != std::string::npos);
  CHECK(server.requests() == 1);
  request.max_response_bytes = 3u << 20;
  CHECK(client.send(request, {}).body.size() == 3u << 20);
}

TEST_CASE("a header that would break the request is refused before anything is sent") {
  Server server([](const Asked&) { return Answered{}; });
  Client client(quick());
  auto request = request_to(server.url());
  request.headers = {{"Authorization", "Bearer abc\r\nX-Other: y"}};
  const auto error = error_of<ValidationError>(client, request);
  CHECK(std::string(error.what()).find("abc") == std::string::npos);
  CHECK(server.requests() == 0);
}

TEST_CASE("what prepare throws ends the request, and a request from within the I/O thread is refused") {
  Server server([](const Asked&) { return Answered{}; });
  Client client(quick());
  auto request = request_to(server.url());
  request.prepare = [](Request&) { throw AuthError("the credentials have expired"); };
  CHECK_THROWS_AS((void)client.send(request, {}), AuthError);
  request.prepare = [&](Request&) { (void)client.send(request_to(server.url()), {}); };
  CHECK_THROWS_AS((void)client.send(request, {}), Failed);
  CHECK(server.requests() == 0);
  request.prepare = nullptr;
  CHECK(client.send(request, {}).status == 200);
}

TEST_CASE("an API's bucket lets a burst through and then so many a second") {
  Server server([](const Asked&) { return Answered{}; });
  auto options = quick();
  options.buckets[Api::route53] = {5, 2};
  Client client(options);
  std::vector<Request> requests(15, request_to(server.url()));
  for (auto& request : requests) {
    request.api = Api::route53;
    request.timeout = 1h;
  }
  const auto before = skipping.steady();
  for (const auto& result : client.send_all(requests, {})) CHECK(std::get<Response>(result).status == 200);
  CHECK(skipping.steady() - before >= 4900ms);
  CHECK(skipping.steady() - before < 60s);

  // What cannot have its turn in time is not sent.
  options.buckets[Api::route53] = {1, 0.1};
  Client slow(options);
  requests.resize(2);
  for (auto& request : requests) request.timeout = 5s;
  const auto results = slow.send_all(requests, {});
  CHECK(std::get<Response>(results[0]).status == 200);
  CHECK_THROWS_AS(std::rethrow_exception(std::get<std::exception_ptr>(results[1])), Timeout);

  // Nor does it take another's turn: after ten requests with too little time, one with enough waits for one token.
  requests.assign(11, requests.front());
  for (auto& request : requests) request.timeout = 5s;
  requests.back().timeout = 30s;
  slow.send_all({requests.back()}, {});
  const auto begin = skipping.steady();
  const auto later = slow.send_all(requests, {});
  CHECK(std::get<Response>(later.back()).status == 200);
  CHECK(skipping.steady() - begin < 25s);
}

TEST_CASE("the end of the client ends what is in flight") {
  ScriptedServer silent({{Step::hang, "", true}});
  auto client = std::make_unique<Client>(quick());
  std::atomic<bool> cancelled = false;
  std::jthread caller([&] {
    try {
      (void)client->send(request_to(silent.url()), {});
    } catch (const Cancelled&) {
      cancelled = true;
    }
  });
  while (silent.requests() == 0) std::this_thread::yield();
  const auto begin = std::chrono::steady_clock::now();
  client.reset();
  CHECK(seconds_since(begin) < 2);
  caller.join();
  CHECK(cancelled);
}

TEST_CASE("a client that is never used is made and gone at once") {
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 20; ++i) Client client(quick());
  CHECK(seconds_since(begin) < 2);
}

TEST_CASE("where too few files may be open, that is what is said, with the command that allows more") {
  struct Row {
    std::string url;
    const char* with_room;
  };
  const Row rows[] = {{"http://127.0.0.1:" + std::to_string(test::closed_port()) + "/", "cannot connect to"},
                      {"https://127.0.0.1:" + std::to_string(test::closed_port()) + "/", "cannot connect to"},
                      {"http://no-such-host.invalid/", "cannot find the host"}};
  for (const auto& row : rows) {
    CAPTURE(row.url);
    int short_of_files = 0;
    for (std::size_t room = 0; room < 12; ++room) {
      CAPTURE(room);
      std::string message, hint;
      {
        const test::FewFiles few(128, room);  // no assertion while it lives: doctest may want a file
        try {
          Client client(quick());
          (void)client.send(request_to(row.url), {});
        } catch (const Error& error) {
          message = error.message();
          hint = error.hint();
        }
      }
      CAPTURE(message);
      if (message.find("this process may have only 128 files open") != std::string::npos) {
        CHECK(hint.find("ulimit -n") != std::string::npos);
        ++short_of_files;
      } else {
        CHECK(message.find(row.with_room) != std::string::npos);
      }
    }
    CHECK(short_of_files > 0);
    CHECK(short_of_files < 12);
  }
}
