#include "providers/sandbox/server.hpp"

#include <mutex>
#include <thread>

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <httplib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "providers/error.hpp"
#include "sandbox_support.hpp"

using namespace litedesk;
using namespace litedesk::sandbox;

namespace {

// Answers with what it was called with.
class Echo : public Api {
 public:
  Reply handle(const Call& call) override {
    ++calls;
    if (call.path == "/broken") throw Failed("the disk is full");
    Reply reply;
    if (call.path == "/stream") {
      reply.stream = [n = 0](const Sink& sink) mutable { return sink("piece " + std::to_string(n) + "\n") && ++n < 3; };
      return reply;
    }
    if (call.path == "/watch") {
      // Counts when the last copy of the stream is gone.
      const std::shared_ptr<void> open(nullptr, [this](void*) { ++watches_ended; });
      reply.stream = [open, first = true](const Sink& sink) mutable {
        if (std::exchange(first, false)) return sink("open\n");
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
        return sink("");
      };
      return reply;
    }
    if (call.path == "/nothing") {
      reply.status = 204;
      return reply;
    }
    Json headers = Json::object();
    for (const auto& [name, value] : call.headers) headers[name] = value;
    reply.body =
        Json{{"method", call.method}, {"target", call.target}, {"body", call.body}, {"headers", headers}}.dump();
    return reply;
  }
  Reply throttled() override { return status_only(429); }
  Reply failed(int status) override { return status_only(status); }
  Reply broken(const std::string& why) override {
    auto reply = status_only(500);
    reply.body = why;
    return reply;
  }

  std::atomic<int> calls = 0;
  std::atomic<int> watches_ended = 0;

 private:
  static Reply status_only(int status) {
    Reply reply;
    reply.status = status;
    reply.body = "{}";
    return reply;
  }
};

struct Served {
  explicit Served(const std::vector<Fault>& given = {})
      : faults(given, "atlas", 1),
        server(api, faults, {"atlas", 0, [this](const std::string& line) { note(line); }, &clock}) {}

  void note(const std::string& line) {
    const std::lock_guard lock(mutex);
    lines.push_back(line);
  }
  httplib::Client client() const {
    httplib::Client made("127.0.0.1", server.port());
    made.set_keep_alive(true);
    return made;
  }

  tests::HandClock clock;
  std::mutex mutex;
  std::vector<std::string> lines;
  Echo api;
  Faults faults;
  Server server;
};

// A request written by hand, and all that comes back until the connection ends; errno is kept.
std::string raw(int port, const std::string& request, int& error) {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(::send(socket, request.data(), request.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(request.size()));
  std::string answer(65536, '\0');
  std::size_t length = 0;
  ssize_t count = 0;
  errno = 0;
  while ((count = ::recv(socket, answer.data() + length, answer.size() - length, 0)) > 0)
    length += static_cast<std::size_t>(count);
  error = count < 0 ? errno : 0;
  ::close(socket);
  answer.resize(length);
  return answer;
}

}  // namespace

TEST_CASE("a call arrives as it was sent, whatever the method, and the answer is never compressed") {
  Served served;
  for (const std::string method : {"GET", "POST", "PUT", "PATCH", "DELETE"}) {
    INFO(method);
    const std::string body = method == "GET" ? "" : R"({"n":1})";
    int error = 0;
    const auto answer =
        raw(served.server.port(),
            method +
                " /a%2Fb?x=%2A+1&y HTTP/1.1\r\nHost: h\r\nX-Odd:  a%2Fb \r\nAccept-Encoding: gzip, br\r\nRange: "
                "bytes=0-1\r\n" +
                "Content-Type: application/apply-patch+yaml\r\nContent-Length: " + std::to_string(body.size()) +
                "\r\nConnection: close\r\n\r\n" + body,
            error);
    CHECK(answer.starts_with("HTTP/1.1 200"));
    CHECK(answer.find("Content-Encoding") == std::string::npos);
    const auto echoed = Json::parse(answer.substr(answer.find("\r\n\r\n")));
    CHECK(echoed.at("method") == method);
    CHECK(echoed.at("target") == "/a%2Fb?x=%2A+1&y");
    CHECK(echoed.at("headers").at("x-odd") == "a%2Fb");
    CHECK(echoed.at("headers").at("accept-encoding") == "gzip, br");
    CHECK(echoed.at("body") == body);
  }
}

TEST_CASE("a DELETE without a body and without a length is answered at once") {
  Served served;
  int error = 0;
  const auto answer = raw(served.server.port(), "DELETE /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", error);
  CHECK(answer.starts_with("HTTP/1.1 200"));
  CHECK(answer.find(R"("method":"DELETE")") != std::string::npos);
}

TEST_CASE("one connection carries hundreds of requests, also several at once in its pipe") {
  Served served;
  std::string requests;
  constexpr int many = 300;
  for (int i = 0; i < many; ++i)
    requests += "GET /n" + std::to_string(i) + " HTTP/1.1\r\nHost: h\r\n" +
                (i + 1 == many ? "Connection: close\r\n" : "") + "\r\n";
  int error = 0;
  const auto answer = raw(served.server.port(), requests, error);
  CHECK(served.api.calls == many);
  CHECK(answer.find("/n299") != std::string::npos);
}

TEST_CASE("a streamed reply comes in chunks, and ends") {
  Served served;
  auto client = served.client();
  std::string received;
  const auto answer = client.Get("/stream", [&](const char* bytes, std::size_t size) {
    received.append(bytes, size);
    return true;
  });
  REQUIRE(answer);
  CHECK(answer->get_header_value("Transfer-Encoding") == "chunked");
  CHECK(received == "piece 0\npiece 1\npiece 2\n");
  CHECK(client.Get("/after")->status == 200);
}

TEST_CASE("eighty open watches leave room for others, and do not keep the server from stopping") {
  auto served = std::make_unique<Served>();
  constexpr int many = 80;
  std::atomic<int> opened = 0;
  std::vector<std::thread> watchers;
  for (int i = 0; i < many; ++i)
    watchers.emplace_back([&] {
      auto client = served->client();
      client.Get("/watch", [&](const char*, std::size_t) {
        ++opened;
        return true;
      });
    });
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (opened < many && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  CHECK(opened == many);
  CHECK(served->client().Get("/x")->status == 200);

  const auto begin = std::chrono::steady_clock::now();
  served->server.stop();
  for (auto& watcher : watchers) watcher.join();
  served.reset();
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(2));
}

TEST_CASE("a watch whose client has gone is not served on") {
  Served served;
  {
    auto client = served.client();
    client.Get("/watch", [](const char*, std::size_t) { return false; });
  }
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (served.api.watches_ended == 0 && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  CHECK(served.api.watches_ended == 1);
}

TEST_CASE("an idle connection does not delay the end") {
  auto served = std::make_unique<Served>();
  auto client = served->client();
  REQUIRE(client.Get("/x"));
  const auto begin = std::chrono::steady_clock::now();
  served.reset();
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(1));
}

TEST_CASE("each kind of fault does what it says, once") {
  const auto first_status = [](const char* fault) {
    Served served({parse_fault(fault)});
    const auto first = served.client().Get("/x");
    const int status = first ? first->status : 0;
    CHECK(served.client().Get("/x")->status == 200);
    return std::pair(status, served.api.calls.load());
  };
  CHECK(first_status("atlas:throttle:1") == std::pair(429, 1));
  CHECK(first_status("atlas:error:1") == std::pair(500, 1));
  CHECK(first_status("atlas:unavailable:1") == std::pair(503, 1));
  CHECK(first_status("all:slow:1") == std::pair(200, 2));
}

TEST_CASE("a reset closes before the request takes effect, a lost answer after") {
  const std::string request = "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}";
  int error = 0;
  SUBCASE("reset") {
    Served served({parse_fault("atlas:reset:1")});
    CHECK(raw(served.server.port(), request, error).empty());
    CHECK(error == ECONNRESET);
    CHECK(served.api.calls == 0);
  }
  SUBCASE("lost") {
    Served served({parse_fault("atlas:lost:1")});
    CHECK(raw(served.server.port(), request, error).empty());
    CHECK(served.api.calls == 1);
  }
}

TEST_CASE("a slow fault waits on the clock that was given") {
  Served served({parse_fault("atlas:slow:1")});
  const auto before = served.clock.now();
  CHECK(served.client().Get("/x")->status == 200);
  CHECK(served.clock.now() - before == std::chrono::seconds(2));
}

TEST_CASE("each request has a line, with its fault and with what broke") {
  Served served({parse_fault("atlas:throttle:1")});
  auto client = served.client();
  client.Get("/first?a=b");
  client.Get("/broken");
  client.Delete("/nothing");
  const std::lock_guard lock(served.mutex);
  REQUIRE(served.lines.size() == 3);
  CHECK(served.lines[0].starts_with("atlas GET /first?a=b 429 "));
  CHECK(served.lines[0].ends_with(" fault throttle"));
  CHECK(served.lines[1].starts_with("atlas GET /broken 500 "));
  CHECK(served.lines[1].ends_with("(the disk is full)"));
  CHECK(served.lines[2].starts_with("atlas DELETE /nothing 204 "));
}

TEST_CASE("what breaks inside is answered with the reason") {
  Served served;
  const auto answer = served.client().Get("/broken");
  CHECK(answer->status == 500);
  CHECK(answer->body == "the disk is full");
}

TEST_CASE("a port that is taken is named") {
  Served served;
  Echo api;
  Faults faults({}, "atlas", 1);
  try {
    const Server second(api, faults, {"atlas", served.server.port(), {}, &served.clock});
    FAIL("two servers on one port");
  } catch (const Failed& error) {
    CHECK(error.message().find(std::to_string(served.server.port())) != std::string::npos);
    CHECK_FALSE(error.hint().empty());
  }
}

TEST_CASE("nonsense on the wire ends that connection only") {
  Served served;
  int error = 0;
  CHECK_FALSE(raw(served.server.port(), "\x16\x03\x01 hello\r\n\r\n", error).starts_with("HTTP/1.1 200"));
  CHECK(served.client().Get("/x")->status == 200);
}
