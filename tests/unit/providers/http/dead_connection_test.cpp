// Connections that are there and lead nowhere: a server that froze, a proxy that lost its way.
#include <chrono>
#include <string>

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "providers/error.hpp"
#include "providers/http/client.hpp"
#include "tests/unit/providers/http/http2_server.hpp"
#include "tests/unit/providers/http/servers.hpp"

using namespace litedesk;
using namespace litedesk::http;
using namespace std::chrono_literals;
using test::Http2Server;
using test::ScriptedServer;
using Step = test::ScriptedServer::Step;

namespace {

Request request_to(std::string url, const test::Certificates& certificates, Method method = Method::get) {
  Tls tls;
  tls.ca_pem = certificates.ca_pem;
  Request request;
  request.method = method;
  request.url = std::move(url);
  request.summary = "read the test thing";
  request.timeout = 20s;
  request.tls = std::make_shared<const Tls>(tls);
  return request;
}

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

// TCP_USER_TIMEOUT of this process' connection to that port; -1 when there is none.
int user_timeout_of_connection_to(int port) {
  for (int fd = 3; fd < 1024; ++fd) {
    sockaddr_in peer{};
    socklen_t size = sizeof peer;
    if (::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) != 0 || peer.sin_family != AF_INET ||
        ntohs(peer.sin_port) != port)
      continue;
    unsigned value = 0;
    size = sizeof value;
    if (::getsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &value, &size) == 0) return static_cast<int>(value);
  }
  return -1;
}

}  // namespace

TEST_CASE("after a request that got no answer in time, no other goes out on that connection") {
  const auto certificates = test::make_certificates();
  Http2Server server([](int connection, int request) { return connection > 1 || request == 1; }, certificates);
  Client client{ClientOptions{}};
  CHECK(client.send(request_to(server.url(), certificates), {}).status == 200);

  // Three at once, frozen together: they are the end of one connection, and the next is shared again.
  auto frozen = request_to(server.url(), certificates, Method::post);
  frozen.timeout = 200ms;
  for (const auto& result : client.send_all({frozen, frozen, frozen}, {}))
    CHECK_THROWS_AS(std::rethrow_exception(std::get<std::exception_ptr>(result)), Timeout);
  CHECK(server.connections() == 1);
  for (int i = 0; i < 3; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    CHECK(client.send(request_to(server.url(), certificates), {}).status == 200);
    CHECK(seconds_since(begin) < 4);
  }
  CHECK(server.connections() == 2);
}

TEST_CASE("a stream that fell silent is the end of its connection too") {
  const auto certificates = test::make_certificates();
  Http2Server server([](int connection, int request) { return connection > 1 || request == 1; }, certificates);
  Client client{ClientOptions{}};
  CHECK(client.send(request_to(server.url(), certificates), {}).status == 200);
  auto watch = request_to(server.url(), certificates);
  watch.timeout = 200ms;
  CHECK_THROWS_AS((void)client.stream(watch, [](std::string_view) { return true; }, 1s, {}), Timeout);
  CHECK(client.send(request_to(server.url(), certificates), {}).status == 200);
  CHECK(server.connections() == 2);
}

TEST_CASE("an attempt that hangs is given up early enough for another, where that is safe") {
  const auto certificates = test::make_certificates();
  Http2Server server([](int connection, int request) { return connection > 1 || request == 1; }, certificates);
  Client client{ClientOptions{}};
  CHECK(client.send(request_to(server.url(), certificates), {}).status == 200);
  const auto begin = std::chrono::steady_clock::now();
  auto request = request_to(server.url(), certificates, Method::put);
  request.timeout = 9s;
  const auto response = client.send(request, {});
  CHECK(response.status == 200);
  CHECK(response.attempts == 2);
  CHECK(response.repeated_after_loss);
  CHECK(seconds_since(begin) < 8);
  CHECK(server.connections() == 2);
}

TEST_CASE("an attempt is not cut short where another may not follow, nor below a few seconds") {
  ScriptedServer silent({{Step::hang, "", true}});
  Client client{ClientOptions{}};
  Request request;
  request.url = silent.url();
  request.timeout = 1s;
  auto begin = std::chrono::steady_clock::now();
  CHECK_THROWS_AS((void)client.send(request, {}), Timeout);
  CHECK(seconds_since(begin) >= 0.95);
  CHECK(silent.requests() == 1);
  request.method = Method::post;
  request.timeout = 6s;
  begin = std::chrono::steady_clock::now();
  CHECK_THROWS_AS((void)client.send(request, {}), Timeout);
  CHECK(seconds_since(begin) >= 5.9);
  CHECK(silent.requests() == 2);
}

TEST_CASE("the system gives a connection up when what was sent stays unacknowledged for ten seconds") {
  int seen = -1, port = 0;
  test::Server server([&](const test::Asked&) {
    seen = user_timeout_of_connection_to(port);
    return test::Answered{};
  });
  port = server.port();
  Client client{ClientOptions{}};
  Request request;
  request.url = server.url();
  CHECK(client.send(request, {}).status == 200);
  CHECK(seen == 10'000);
}
